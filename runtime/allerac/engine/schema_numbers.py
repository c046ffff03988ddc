"""Numbers between limits, as GBNF: digit by digit.

A range of numbers with equally many digits is a few alternatives, each a range of digits for every
place: 17 to 42 is 1[7-9], [2-3][0-9] or 4[0-2].
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

INTEGER_DIGITS: Final = 15  # exact as a double, as JSON's readers hold numbers
EXACT_DIGITS: Final = 8  # before the point, where decimals follow it
DECIMALS: Final = 6
_FRACTION: Final = f'"." [0-9]{{0,{DECIMALS - 1}}} [1-9]'  # strictly between two whole numbers

Digits = list[tuple[int, int]]
"""A range of digits for each place."""


def integer_between(low: Decimal | None, high: Decimal | None) -> str | None:
    """Return what matches whole numbers from `low` to `high`, both included; None for none."""
    largest = 10**INTEGER_DIGITS - 1
    first = -largest if low is None else _whole(low, ROUND_CEILING)
    last = largest if high is None else _whole(high, ROUND_FLOOR)
    if low is None:
        first = min(first, last)
    if high is None:
        last = max(first, last)
    return _signed(first, last, decimals=0)


def number_between(low: Decimal | None, high: Decimal | None) -> str | None:
    """Return what matches numbers from `low` to `high`, both included; None for none.

    Not every such number is matched, but between whole limits all that people write are.
    """
    whole = integer_between(low, high)
    fractions = _fractions(low, high)
    if whole is None and fractions is None and low is not None and high is not None:
        scale = Decimal(10) ** DECIMALS
        first, last = _whole(low * scale, ROUND_CEILING), _whole(high * scale, ROUND_FLOOR)
        return _signed(first, last, decimals=DECIMALS)
    return " | ".join(filter(None, (whole, fractions))) or None


def _whole(value: Decimal, rounding: str) -> int:
    return int(value.to_integral_value(rounding))


def _fractions(low: Decimal | None, high: Decimal | None) -> str | None:
    """Numbers with decimals: those of which both whole neighbours are within the limits."""
    largest = 10**EXACT_DIGITS - 1
    above = -largest if low is None else max(_whole(low, ROUND_CEILING), -largest)
    below = largest if high is None else min(_whole(high, ROUND_FLOOR), largest)
    positive = _unsigned(max(above, 0), below - 1, decimals=0)
    negative = _unsigned(max(-below, 0), -above - 1, decimals=0)
    parts = [f"({digits}) {_FRACTION}" for digits in [positive] if digits]
    parts += [f'"-" ({digits}) {_FRACTION}' for digits in [negative] if digits]
    return " | ".join(parts) or None


def _signed(first: int, last: int, *, decimals: int) -> str | None:
    positive = _unsigned(max(first, 0), last, decimals)
    negative = _unsigned(max(-last, 1), -first, decimals)
    signed = f'"-" ({negative})' if negative else None
    return " | ".join(filter(None, (positive, signed))) or None


def _unsigned(first: int, last: int, decimals: int) -> str:
    """Numbers without a sign, in units of the last decimal place; "" for none."""
    alternatives: list[str] = []
    for places in range(decimals + 1, max(decimals + 1, len(str(max(last, 0)))) + 1):
        lowest = 10 ** (places - 1) if places > decimals + 1 else 0
        low, high = max(first, lowest), min(last, 10**places - 1)
        if low <= high:
            texts = str(low).zfill(places), str(high).zfill(places)
            alternatives += (_rendered(digits, places - decimals) for digits in _ranges(*texts))
    return " | ".join(alternatives)


def _ranges(low: str, high: str) -> list[Digits]:
    """Split the numbers from `low` to `high`, equally long, into ranges of digits."""
    if not low:
        return [[]]
    first, last = int(low[0]), int(high[0])
    if set(low) == {"0"} and set(high) == {"9"}:
        return [[(0, 9)] * len(low)]
    if first == last:
        return [[(first, first), *rest] for rest in _ranges(low[1:], high[1:])]
    nines, zeros = "9" * (len(low) - 1), "0" * (len(low) - 1)
    found: list[Digits] = []
    if low[1:] != zeros:
        found += [[(first, first), *rest] for rest in _ranges(low[1:], nines)]
        first += 1
    if high[1:] != nines:
        found += [[(last, last), *rest] for rest in _ranges(zeros, high[1:])]
        last -= 1
    if first <= last:
        found.append([(first, last), *[(0, 9)] * (len(low) - 1)])
    return found


def _rendered(digits: Digits, point_at: int) -> str:
    parts = [f"[{low}-{high}]" if low < high else f'"{low}"' for low, high in digits]
    if point_at < len(parts):
        parts.insert(point_at, '"."')
    return " ".join(parts)
