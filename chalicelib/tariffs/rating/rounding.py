"""Minor units out of exact amounts. Pure. Amounts are never negative here."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from chalicelib.kernel.money import CostRounding


def round_ratio(numerator: int, denominator: int, rounding: CostRounding) -> int:
    """Minor units: the multiple of the step that the mode takes."""
    step = rounding.step
    denominator *= step
    if rounding.mode == "half_up":
        return (2 * numerator + denominator) // (2 * denominator) * step
    if rounding.mode == "up":
        return -(-numerator // denominator) * step
    return numerator // denominator * step


def round_cost(amount: Fraction, rounding: CostRounding) -> int:
    return round_ratio(amount.numerator, amount.denominator, rounding)


def round_half_up(amount: Fraction) -> int:
    """To whole minor units."""
    return (2 * amount.numerator + amount.denominator) // (2 * amount.denominator)


def split_exactly(total: int, exact: Sequence[Fraction]) -> list[int]:
    """Whole parts that sum to `total` (the rounded sum of `exact`), each within one of its exact part."""
    parts = [part.numerator // part.denominator for part in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: exact[i] - parts[i], reverse=True)
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts
