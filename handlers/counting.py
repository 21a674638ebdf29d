"""Counts things in words that read right for any number. It knows English, and nothing of what is counted."""


def counted(number: int, one: str, many: str = "") -> str:
    """Write `1 entry` or `2 entries`; `many` is needed where the plural is not `one` and an `s`."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
