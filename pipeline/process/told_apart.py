"""A value and the limit that it breaks, as texts that differ."""

MOST_DIGITS = 12


def told_apart(value: float, limit: float, *, percent: bool = False, digits: int = 2) -> list[str]:
    """The texts of both numbers, with so many digits that they differ, if the numbers do.

    Args:
        value: a number.
        limit: another one.
        percent: whether they are shares, which are written as percentages.
        digits: the fewest digits behind the point.

    >>> told_apart(6 / 599, 0.01, percent=True)
    ['1.002%', '1.000%']
    """
    shown: list[str] = []
    for more in range(digits, MOST_DIGITS + 1):
        shown = [f"{each:.{more}{'%' if percent else 'f'}}" for each in (value, limit)]
        if shown[0] != shown[1]:
            break
    return shown
