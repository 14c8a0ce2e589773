"""How a charge went, as its driver or guest sees it: the curve of the live screen and of the summary."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from chalicelib.charging import order_lookup
from chalicelib.charging.model import ChargingSession
from chalicelib.charging.model.curves import MOST_POINTS, curve
from chalicelib.kernel.context import Context
from chalicelib.kernel.http import Shape


class CurveQuery(Shape):
    """`points`: at most so many, evenly over the time; of longer charges some readings are left out."""

    points: Annotated[int, msgspec.Meta(ge=2, le=MOST_POINTS)] = 120


class CurvePointView(Shape):
    """`energy_wh`: delivered until then. Null: the charger did not tell it, or nothing that can be true."""

    taken_at: datetime
    energy_wh: int | None
    power_w: int | None
    soc_percent: int | None


class CurveView(Shape):
    """`started_at` null: it has not begun. `ended_at` null: it goes on. Readings are kept for 90 days."""

    session_id: str
    started_at: datetime | None
    ended_at: datetime | None
    data: list[CurvePointView]


def session_curve(ctx: Context, session: ChargingSession, points: int) -> CurveView:
    """From one bounded read of the readings, their samples left out."""
    readings = order_lookup.bare_readings_of(ctx, session) if session.started_at else ()
    shown = curve(readings, start_wh=session.meter_start_wh, total_wh=session.energy_wh, most=points)
    return CurveView(
        session_id=session.session_id,
        started_at=session.started_at,
        ended_at=session.stopped_at,
        data=[CurvePointView(point.taken_at, point.energy_wh, point.power_w, point.soc_percent) for point in shown],
    )
