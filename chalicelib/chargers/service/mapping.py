"""The map of locations, cheap to poll.

A look at all chargers of an operator costs about 2 read units each (charger, link and EVSEs, eventually consistent), so
a warm process makes it once in a while for everybody who asks: AGE_PER_CHARGER_S for each charger, between
MIN_AGE_S and MAX_AGE_S. The map of up to 1 200 chargers thus costs a process at most 40 read units a second (about
0.5 USD for a day of watching), however many people look at it.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from chalicelib.chargers.model import Charger, Evse, Link, charger_key
from chalicelib.chargers.model.map import Pin, pin_of
from chalicelib.chargers.service.finding import walk_chargers
from chalicelib.chargers.service.locations import walk_locations
from chalicelib.chargers.store.links import LINKS, link_key
from chalicelib.chargers.store.places import EVSES, evse_key
from chalicelib.kernel.context import Context

MIN_AGE_S: Final = 5.0
MAX_AGE_S: Final = 60.0
AGE_PER_CHARGER_S: Final = 0.05
_CHUNK: Final = 100


@dataclass(frozen=True)
class MapSnapshot:
    """All locations of an operator as they stood at a moment; `good_until` is when a newer one may be made."""

    pins: list[Pin]
    made_at: datetime
    good_until: datetime


def get_map(ctx: Context, operator_id: str) -> MapSnapshot:
    """The map of an operator, at most a minute old."""
    cache = ctx.cache("chargers.maps", size=500)
    known: MapSnapshot | None = cache.get(operator_id)
    if known is None or known.good_until <= ctx.now():
        known = _snapshot(ctx, operator_id)
        cache.put(operator_id, known)
    return known


def look_at(ctx: Context, chargers: list[Charger]) -> list[tuple[Charger, bool, list[Evse]]]:
    """Each charger with whether it is online, and its EVSEs, as they are now."""
    seen: dict[str, list[tuple[Charger, bool, list[Evse]]]] = defaultdict(list)
    _look(ctx, chargers, ctx.now(), seen)
    return [look for looks in seen.values() for look in looks]


def fingerprint(text: bytes) -> str:
    """A weak ETag of what a map says (RFC 9110, 8.8.3)."""
    return f'W/"{hashlib.sha256(text).hexdigest()[:20]}"'


def _snapshot(ctx: Context, operator_id: str) -> MapSnapshot:
    now = ctx.now()
    placed: dict[str, list[tuple[Charger, bool, list[Evse]]]] = defaultdict(list)
    chunk: list[Charger] = []
    count = 0
    for charger in walk_chargers(ctx, operator_id):
        count += 1
        if charger.location_id is not None:
            chunk.append(charger)
        if len(chunk) == _CHUNK:
            _look(ctx, chunk, now, placed)
            chunk = []
    _look(ctx, chunk, now, placed)
    pins = [pin_of(location, placed[location.location_id]) for location in walk_locations(ctx, operator_id)]
    age_s = min(MAX_AGE_S, max(MIN_AGE_S, count * AGE_PER_CHARGER_S))
    return MapSnapshot(pins, now, now + timedelta(seconds=age_s))


def _look(
    ctx: Context, chargers: list[Charger], now: datetime, placed: dict[str, list[tuple[Charger, bool, list[Evse]]]]
) -> None:
    links: dict[str, Link] = {
        charger_key(link.charger_id): link
        for link in LINKS.batch_get(ctx, [link_key(charger.charger_id) for charger in chargers], consistent=False)
    }
    evses: dict[str, list[Evse]] = defaultdict(list)
    keys = [evse_key(charger.charger_id, no) for charger in chargers for no in range(1, charger.evse_count + 1)]
    for evse in EVSES.batch_get(ctx, keys, consistent=False):
        evses[charger_key(evse.charger_id)].append(evse)
    for charger in chargers:
        link = links.get(charger.charger_key)
        is_online = link is not None and link.is_online(now)
        placed[charger.location_id or ""].append((charger, is_online, evses[charger.charger_key]))
