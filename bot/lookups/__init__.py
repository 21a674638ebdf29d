"""Asking other systems for facts, before a proposal is judged: each module says what it does."""
