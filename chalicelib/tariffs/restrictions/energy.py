"""`min_kwh` and `max_kwh`: what the charging session has taken so far (OCPI 2.2.1). Pure."""

from __future__ import annotations

from chalicelib.tariffs.restrictions.restrictions import Restrictions
from chalicelib.tariffs.restrictions.situations import Limit, Situation
from chalicelib.tariffs.restrictions.thresholds import check_tier, edges_of, milli


def check(restrictions: Restrictions, pointer: str) -> None:
    check_tier(restrictions.min_kwh, restrictions.max_kwh, "kwh", pointer)


def limit(restrictions: Restrictions) -> Limit | None:
    least, most = milli(restrictions.min_kwh), milli(restrictions.max_kwh)
    if least is None and most is None:
        return None

    def holds(at: Situation) -> bool:
        return (least is None or at.energy_wh >= least) and (most is None or at.energy_wh < most)

    return Limit(holds, energies_wh=edges_of(least, most))
