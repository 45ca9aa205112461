"""Exact arithmetic on integer minor units: one rounding rule, and sharing without losing a cent."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

BASIS_POINTS = 10_000
HUNDREDTHS = 100


def half_up(numerator: int, denominator: int) -> int:
    """The integer nearest to a fraction of integers; a half goes up."""
    return (2 * numerator + denominator) // (2 * denominator)


def scaled(price: int, multiplier: Decimal) -> int:
    """`price` times a slot's multiplier, in whole minor units."""
    numerator, denominator = multiplier.as_integer_ratio()
    return half_up(price * numerator, denominator)


def share_of(amount: int, rate_basis_points: int) -> int:
    """So many basis points of `amount`."""
    return half_up(amount * rate_basis_points, BASIS_POINTS)


def percent_of(amount: int, percent: int) -> int:
    """So many hundredths of `amount`."""
    return half_up(amount * percent, HUNDREDTHS)


def tax_contained(amount: int, rate_basis_points: int) -> int:
    """The tax in an `amount` that contains it: amount x r / (1 + r)."""
    return half_up(amount * rate_basis_points, BASIS_POINTS + rate_basis_points)


def spread(total: int, weights: Sequence[int], tie_break: Sequence[Any]) -> list[int]:
    """Share `total` in proportion to `weights` by largest remainder; the shares add up to `total` exactly.

    `tie_break` has one sortable key a share: of two equal remainders the lower key is served first. A share
    never exceeds its weight while `total` is not more than their sum.
    """
    whole = sum(weights)
    if not whole:
        if total:
            raise ValueError("nothing to spread the amount over")
        return [0] * len(weights)
    shares = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), tie_break[i], i))
    for index in by_remainder[: total - sum(shares)]:
        shares[index] += 1
    return shares
