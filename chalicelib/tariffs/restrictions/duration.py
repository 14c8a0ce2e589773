"""`min_duration` and `max_duration`: seconds since the charging session started (OCPI 2.2.1). Pure."""

from __future__ import annotations

from chalicelib.tariffs.restrictions.restrictions import Restrictions
from chalicelib.tariffs.restrictions.situations import Limit, Situation
from chalicelib.tariffs.restrictions.thresholds import check_tier, edges_of


def check(restrictions: Restrictions, pointer: str) -> None:
    check_tier(restrictions.min_duration, restrictions.max_duration, "duration", pointer)


def limit(restrictions: Restrictions) -> Limit | None:
    least, most = restrictions.min_duration, restrictions.max_duration
    if least is None and most is None:
        return None

    def holds(at: Situation) -> bool:
        return (least is None or at.duration_s >= least) and (most is None or at.duration_s < most)

    return Limit(holds, durations_s=edges_of(least, most))
