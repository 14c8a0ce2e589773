"""Drivers ("customers" on the screens) on the list of one's own organisation."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from chalicelib.drivers import service
from chalicelib.drivers.api_operator.common import api, visible_driver
from chalicelib.drivers.model import Driver, DriverState
from chalicelib.identity.scope import OperatorPageQuery, listed_operator
from chalicelib.kernel.http import PageView, Request, Shape, page_view


class DriverQuery(OperatorPageQuery):
    """`q`: words that all occur in name, e-mail, phone or id."""

    state: DriverState | None = None
    q: Annotated[str, msgspec.Meta(max_length=100)] = ""


class DriverDetail(Shape):
    """`state` is the driver's standing with the operator that asks."""

    driver_id: str
    email: str
    full_name: str
    phone: str | None
    address: str | None
    apartment: str | None
    street: str | None
    city: str | None
    region: str | None
    postal_code: str | None
    country: str | None
    state: DriverState
    card_count: int
    created_at: datetime


def driver_detail(req: Request, driver: Driver, operator_id: str | None = None) -> DriverDetail:
    asking = operator_id or req.actor.organization_id or ""
    return DriverDetail(
        driver_id=driver.driver_id,
        email=driver.email,
        full_name=driver.full_name,
        phone=driver.phone,
        address=driver.address,
        apartment=driver.apartment,
        street=driver.street,
        city=driver.city,
        region=driver.region,
        postal_code=driver.postal_code,
        country=driver.country,
        state=service.standing(driver, asking),
        card_count=len(driver.id_tokens),
        created_at=driver.created_at,
    )


@api.get("/v1/drivers", "drivers:read")
def list_drivers(req: Request, query: DriverQuery) -> PageView[DriverDetail]:
    """The drivers on the operator's list, by time of sign-up.

    A page may be short while matches are rare; go on with its cursor.
    """
    operator_id = listed_operator(req, query.operator_id)
    page = service.list_drivers(
        req.ctx, operator_id, state=query.state, words=query.q, limit=query.limit, cursor=query.cursor
    )
    return page_view(page, lambda driver: driver_detail(req, driver, operator_id))


@api.get("/v1/drivers/{driver_id}", "drivers:read")
def get_driver(req: Request, driver_id: str) -> DriverDetail:
    """One driver."""
    return driver_detail(req, visible_driver(req, driver_id))


@api.delete("/v1/drivers/{driver_id}", "drivers:write")
def deactivate_driver(req: Request, driver_id: str) -> None:
    """Moves a driver to the inactive ones: no card and no app of theirs charges at this operator any more.

    The driver's cards, money and history stay. By the platform's people: everywhere.
    """
    service.set_driver_state(req.uow, visible_driver(req, driver_id), "inactive", operator_id=_acting_operator(req))


@api.post("/v1/drivers/{driver_id}/restore", "drivers:write", status=200)
def restore_driver(req: Request, driver_id: str) -> DriverDetail:
    """Undoes the deactivation."""
    driver = visible_driver(req, driver_id)
    return driver_detail(req, service.set_driver_state(req.uow, driver, "active", operator_id=_acting_operator(req)))


def _acting_operator(req: Request) -> str | None:
    """None: the platform, which acts for everybody."""
    return None if req.actor.is_platform else req.organization_id
