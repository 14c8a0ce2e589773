"""When an element applies: one file per kind of restriction, and this list. Pure.

A kind says which restrictions it refuses, and what it limits an element to; all limits of an element must hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from chalicelib.kernel.errors import invalid
from chalicelib.tariffs.restrictions import dates, day_of_week, duration, energy, power, time_of_day
from chalicelib.tariffs.restrictions.restrictions import Restrictions
from chalicelib.tariffs.restrictions.situations import Limit


@dataclass(frozen=True)
class Kind:
    """`check(restrictions, pointer)` raises DomainError (422); `limit` is None where none of the kind is given."""

    check: Callable[[Restrictions, str], None]
    limit: Callable[[Restrictions], Limit | None]


KINDS: Final = tuple(
    Kind(kind.check, kind.limit) for kind in (time_of_day, dates, day_of_week, energy, power, duration)
)


def check_restrictions(restrictions: Restrictions | None, pointer: str) -> None:
    """Raises DomainError (422) for restrictions under which an element never applies, or that say nothing."""
    if restrictions is None:
        return
    if restrictions == Restrictions():
        raise invalid("tariff.no_restriction", "Restrictions that restrict nothing are left out.", pointer)
    for kind in KINDS:
        kind.check(restrictions, pointer)


def limits_of(restrictions: Restrictions | None) -> tuple[Limit, ...]:
    if restrictions is None:
        return ()
    return tuple(limit for kind in KINDS if (limit := kind.limit(restrictions)) is not None)
