"""Blocks: OCPI 2.2.1, PriceComponent.step_size: "minimum amount to be billed"; a begun block is a whole one."""

from __future__ import annotations


def round_up(amount: int, step_size: int) -> int:
    """`round_up(61, 60)` is 120. A step of 0 or 1 changes nothing; nothing stays nothing."""
    return amount if step_size <= 1 else -(-amount // step_size) * step_size
