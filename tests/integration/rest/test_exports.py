"""Every list that can be exported, of a site that has everything: a file holds what its list shows, cent by cent."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from chalicelib.files.lists import EXPORT_KINDS
from chalicelib.kernel.http import Endpoint
from chalicelib.kernel.money import Money
from tests.integration.rest.catalogue import ENDPOINTS, address, query_of
from tests.site import Site
from tests.world import World

OF_THE_PLATFORM = {"reconciliations", "reconciliation_differences"}
GROWING = {"audit_events"}
"""To ask for an export is an event."""
EMPTY = {"income_shares"}
"""An operator gives shares, it gets none."""
SPANS = {"local_transactions": {"date_from": "2026-03-01", "date_to": "2026-03-04"}}
"""Where a list shows today unless it is told otherwise."""
"""What this site has none of."""


def endpoint_of(kind: str) -> Endpoint:
    function = EXPORT_KINDS[kind].function
    return next(endpoint for endpoint in ENDPOINTS if endpoint.function is function)


def amounts(view: Mapping[str, Any]) -> dict[str, str]:
    """The money of a row as a file has it."""
    found = {name: value for name, value in view.items() if isinstance(value, dict) and value.keys() == EURO}
    shown = {name: str(Money(value["amount"], value["currency"])).partition(" ")[0] for name, value in found.items()}
    return shown | {f"{name}_currency": value["currency"] for name, value in found.items()}


EURO = {"amount": 1, "currency": "EUR"}.keys()


def at_the_counter(world: World, token: str, things: dict[str, str]) -> None:
    """What the site has none of: money for a wallet, and a part of what an enterprise owes."""
    topup = {"direction": "top_up", "amount": {"amount": 700, "currency": "EUR"}, "reason": "counter"}
    payment = {"amount": {"amount": 1, "currency": "EUR"}, "reference": "RF1", "paid_at": "2026-03-03T08:00:00Z"}
    for path, body in (
        (f"/v1/wallets/{things['driver_id']}/adjustments", topup),
        (f"/v1/invoices/{things['invoice_id']}/payments", payment),
    ):
        reply = world.rest.post(path, body, token=token, key=path)
        assert reply.status in (200, 201), reply.body


def exported(world: World, token: str, kind: str, filters: dict[str, str]) -> list[dict[str, str]]:
    body = {"kind": kind, "filters": filters}
    begun = world.rest.post("/v1/exports", body, token=token, key=f"export {kind}")
    assert begun.status == 202, (kind, begun.body)
    world.run_events()
    export = world.rest.get(begun.headers["location"], token=token).body
    assert export["state"] == "done", (kind, export)
    content = world.rest.get(f"{begun.headers['location']}/file", token=token).body
    return list(csv.DictReader(io.StringIO(content.removeprefix("\ufeff"), newline="")))


def test_a_file_holds_what_its_list_shows(site: Site, things: dict[str, str]) -> None:
    world = site.world
    operator = world.access_token(site.operator.user.email)
    tokens = dict.fromkeys(OF_THE_PLATFORM, world.platform_admin())
    at_the_counter(world, operator, things)
    for kind, listing in EXPORT_KINDS.items():
        if kind in GROWING:
            continue
        endpoint, token = endpoint_of(kind), tokens.get(kind, operator)
        query = query_of(endpoint, things) | SPANS.get(kind, {})
        listed = world.rest.get(address(endpoint, things), token=token, query=query).body["data"]
        if listing.each is not None:
            listed = [view | item for view in listed for item in view[listing.each] or [{}]]
        filters = query | {name: things[name] for name in listing.path_names}
        rows = exported(world, token, kind, filters)
        assert len(rows) == len(listed), kind
        assert bool(rows) is (kind not in EMPTY), kind
        for row, view in zip(rows, listed, strict=True):
            assert amounts(view).items() <= row.items(), kind
