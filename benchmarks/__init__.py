"""Measures the figures of docs/benchmarks.md on this machine. It is no part of the product and decides nothing."""
