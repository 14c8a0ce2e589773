"""Who asks for a period that ends before it begins has made a mistake, and is told so: by every list and every sum."""

from __future__ import annotations

from datetime import datetime
from typing import get_args, get_type_hints

import pytest

from chalicelib.kernel.http import Endpoint
from tests.integration.rest.catalogue import ENDPOINTS, ask, query_of
from tests.integration.rest.test_garbage import token_for
from tests.site import Site

OF_PERIODS = [
    endpoint
    for endpoint in ENDPOINTS
    if endpoint.query is not None and {"date_from", "date_to"} <= set(endpoint.query.__struct_fields__)
]


def of_days(endpoint: Endpoint) -> bool:
    assert endpoint.query is not None
    hint = get_type_hints(endpoint.query)["date_from"]
    return datetime not in (hint, *get_args(hint))


@pytest.mark.parametrize("endpoint", OF_PERIODS, ids=lambda endpoint: endpoint.operation_id)
def test_a_period_that_ends_before_it_begins_is_refused(site: Site, things: dict[str, str], endpoint: Endpoint) -> None:
    token = token_for(site.world, site, endpoint)
    first, last = (
        ("2026-03-05", "2026-03-04") if of_days(endpoint) else ("2026-03-05T00:00:00Z", "2026-03-04T00:00:00Z")
    )
    query = query_of(endpoint, things) | {"date_from": first, "date_to": last}
    query.pop("business_day", None)
    reply = ask(site.world.rest, endpoint, things, "backwards", token=token, query=query)
    assert reply.status == 422, reply.body


@pytest.mark.parametrize("path", ["/v1/driver/wallet/transactions", "/v1/wallets/{driver_id}/transactions"])
def test_a_month_and_dates_that_have_nothing_in_common_are_refused(
    site: Site, things: dict[str, str], path: str
) -> None:
    driver_id = things["driver_id"]
    email = f"{driver_id.lower()}@driver.example" if "driver/" in path else site.operator.user.email
    token = site.world.access_token(email)
    query = {"month": "2026-03", "date_from": "2026-03-30T00:00:00Z"}
    reply = site.world.rest.get(path.format(driver_id=driver_id), token=token, query=query)
    assert reply.status == 200, reply.body
    query["date_from"] = "2026-04-01T00:00:00Z"
    reply = site.world.rest.get(path.format(driver_id=driver_id), token=token, query=query)
    assert (reply.status, reply.body["code"]) == (422, "period.disjoint")
