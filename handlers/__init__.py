"""The edges: parse, call one desk method, render. No SQL, no network client, no decisions."""
