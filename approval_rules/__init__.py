"""The rules: pure functions that decide. No clock, no dice, no I/O, no framework."""
