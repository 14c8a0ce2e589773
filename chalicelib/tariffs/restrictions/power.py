"""`min_power` and `max_power`, in kW: the power of the moment, not of the whole session (OCPI 2.2.1). Pure.

It is what the reading told that began the stretch, else the average of the stretch.
"""

from __future__ import annotations

from chalicelib.tariffs.restrictions.restrictions import Restrictions
from chalicelib.tariffs.restrictions.situations import Limit, Situation
from chalicelib.tariffs.restrictions.thresholds import check_tier, edges_of, milli


def check(restrictions: Restrictions, pointer: str) -> None:
    check_tier(restrictions.min_power, restrictions.max_power, "power", pointer)


def limit(restrictions: Restrictions) -> Limit | None:
    least, most = milli(restrictions.min_power), milli(restrictions.max_power)
    if least is None and most is None:
        return None

    def holds(at: Situation) -> bool:
        return (least is None or at.power_w >= least) and (most is None or at.power_w < most)

    return Limit(holds, powers_w=edges_of(least, most))
