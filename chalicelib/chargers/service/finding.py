"""Chargers and what is known of them: finding one, listing them, going through them all, EVSEs by the code of a label.

Reads alone; what changes a charger is in `registering`, `placing` and `claiming`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from chalicelib.chargers.model import Charger, Evse, Link, charger_key
from chalicelib.chargers.service.connecting import get_links
from chalicelib.chargers.store.links import LINKS, link_key
from chalicelib.chargers.store.places import (
    CHARGER_PREFIX,
    CHARGERS,
    EVSE_CODES,
    EVSE_PREFIX,
    EVSES,
    ChargerRow,
    EvseRow,
    charger_pk,
    charger_row_key,
    code_key,
    evse_key,
)
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.pages import Page, Step, page_of

_FACTS_CHUNK = 50


@dataclass(frozen=True)
class ChargerFacts:
    """A charger with what is known of it now; `evses` in order, EVSE 0 (the charger itself) first if it reported.

    `further_connectors` are those beyond the first of their EVSE (OCPP 2.x); not read for lists of chargers.
    """

    charger: Charger
    link: Link | None
    evses: tuple[Evse, ...]
    further_connectors: tuple[Evse, ...] = ()

    @property
    def connectors(self) -> tuple[Evse, ...]:
        return tuple(evse for evse in self.evses if evse.evse_no > 0)


def get_charger(ctx: Context, charger_id: str) -> Charger | None:
    """By identity, in whatever case."""
    return CHARGERS.get(ctx, *charger_row_key(charger_id))


def require_charger(ctx: Context, charger_id: str) -> Charger:
    """Raises charger.not_found."""
    charger = get_charger(ctx, charger_id)
    if charger is None:
        raise not_found("charger", charger_id)
    return charger


def list_evses(ctx: Context, charger_id: str) -> list[Evse]:
    """The EVSEs of a charger in order, without EVSE 0."""
    return [evse for evse in _reports_of(ctx, charger_id) if evse.evse_no > 0 and evse.connector_no is None]


def find_evse_by_code(ctx: Context, code: str) -> Evse:
    """By the code of its QR label, in whatever case, with or without the blanks that the label has in it. Raises
    evse.not_found."""
    entry = EVSE_CODES.get(ctx, *code_key("".join(code.split()).upper()))
    evse = EVSES.get(ctx, *evse_key(entry.charger_id, entry.evse_no)) if entry else None
    if evse is None:
        raise not_found("evse", code)
    return evse


def get_facts(ctx: Context, charger: Charger) -> ChargerFacts:
    reports = _reports_of(ctx, charger.charger_id)
    return ChargerFacts(
        charger,
        LINKS.get(ctx, *link_key(charger.charger_id)),
        tuple(evse for evse in reports if evse.connector_no is None),
        tuple(evse for evse in reports if evse.connector_no is not None),
    )


def _reports_of(ctx: Context, charger_id: str) -> list[Evse]:
    """EVSEs, and behind each its connectors beyond the first."""
    return EVSES.query(ctx, charger_pk(charger_id), EvseRow.sk.startswith(EVSE_PREFIX), consistent=True).data


def list_chargers(
    ctx: Context,
    operator_id: str,
    *,
    registered: bool | None = None,
    location_id: str | None = None,
    online: bool | None = None,
    status: str | None = None,
    is_seen: Callable[[Charger], bool] | None = None,
    limit: int,
    cursor: str | None,
) -> Page[ChargerFacts]:
    """An operator's chargers by identity. `registered` means placed at a location, `status` that of any EVSE;
    `is_seen` keeps the others to itself."""
    now = ctx.now()

    def keep(facts: ChargerFacts) -> bool:
        if is_seen is not None and not is_seen(facts.charger):
            return False
        if registered is not None and facts.charger.is_placed is not registered:
            return False
        if location_id is not None and facts.charger.location_id != location_id:
            return False
        if online is not None and (facts.link is not None and facts.link.is_online(now)) is not online:
            return False
        return status is None or any(evse.status == status for evse in facts.evses)

    return page_of(_with_facts(ctx, _walk(ctx, operator_id, cursor, _FACTS_CHUNK)), limit, keep)


def chargers_page(ctx: Context, operator_id: str, *, limit: int, cursor: str | None) -> Page[Charger]:
    """An operator's chargers, for going through them all."""
    return page_of(_walk(ctx, operator_id, cursor, limit), limit)


def walk_chargers(ctx: Context, operator_id: str) -> Iterator[Charger]:
    """All chargers of an operator by identity, in bounded memory."""
    return (charger for charger, _ in _walk(ctx, operator_id, None, _FACTS_CHUNK))


def _walk(ctx: Context, operator_id: str, cursor: str | None, chunk: int) -> Iterator[Step[Charger]]:
    return CHARGERS.walk(
        ctx,
        operator_id,
        ChargerRow.sk2.startswith(CHARGER_PREFIX),
        index=ChargerRow.by_operator,
        cursor=cursor,
        chunk=chunk,
    )


def _with_facts(ctx: Context, steps: Iterator[Step[Charger]]) -> Iterator[Step[ChargerFacts]]:
    while chunk := list(islice(steps, _FACTS_CHUNK)):
        chargers = [charger for charger, _ in chunk]
        links = get_links(ctx, [charger.charger_id for charger in chargers])
        evses = _evses_of(ctx, chargers)
        for charger, place in chunk:
            key = charger.charger_key
            yield ChargerFacts(charger, links.get(key), tuple(evses.get(key, ()))), place


def _evses_of(ctx: Context, chargers: Sequence[Charger]) -> dict[str, list[Evse]]:
    """The EVSEs (0 included) of several chargers by charger key, in few round trips."""
    keys = [evse_key(c.charger_id, evse_no) for c in chargers for evse_no in range(c.evse_count + 1)]
    found: dict[str, list[Evse]] = {}
    for evse in EVSES.batch_get(ctx, keys):
        found.setdefault(charger_key(evse.charger_id), []).append(evse)
    return found
