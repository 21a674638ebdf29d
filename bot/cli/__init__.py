"""The command line. Every command imports what it needs when it runs: `pause` must not wait for a web framework."""
