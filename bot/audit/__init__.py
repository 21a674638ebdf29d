"""The log format and its offline verifier. Imports nothing else of ours."""
