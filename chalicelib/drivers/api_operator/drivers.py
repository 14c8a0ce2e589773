"""Drivers ("customers" on the screens) on the list of one's own organisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Generic

import msgspec

from chalicelib.drivers import service
from chalicelib.drivers.api_operator.common import api, visible_driver
from chalicelib.drivers.model import Driver, DriverState, NewDriver
from chalicelib.identity import service as identity
from chalicelib.identity.scope import OperatorPageQuery, listed_operator, owning_operator
from chalicelib.kernel.http import UNSET, Item, PageView, Request, Shape, Unset, changes_of
from chalicelib.kernel.money import Money
from chalicelib.kernel.texts import CountryText, EmailText, LanguageText, LineText, NameText, ShortText
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import wallet_account


class DriverQuery(OperatorPageQuery):
    """`q`: words that all occur in name, e-mail, phone or address, whatever their case and accents, or begin the id.
    `include_total`: count them all, besides the page."""

    state: DriverState | None = None
    q: Annotated[str, msgspec.Meta(max_length=100)] = ""
    include_total: bool = False


class DriverDetail(Shape):
    """`state` is the driver's standing with the operator that asks. `balance`: of the wallet in the operator's
    currency, for those who may see balances. `driver_group_id`: the operator's group that the driver is in."""

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
    balance: Money | None
    card_count: int
    driver_group_id: str | None
    created_at: datetime


class CountedPageView(PageView[Item], Generic[Item]):
    """`total` only where it was asked for: of the first 10 000 of the list, so that 10 000 may be more."""

    total: int | None = None


class DriverCreate(Shape):
    """A customer at the counter. `language`: the operator's unless named. `operator_id` is for those above it."""

    email: EmailText
    full_name: NameText
    phone: ShortText | None = None
    language: LanguageText | None = None
    address: LineText | None = None
    apartment: ShortText | None = None
    street: LineText | None = None
    city: NameText | None = None
    region: NameText | None = None
    postal_code: ShortText | None = None
    country: CountryText | None = None
    operator_id: str | None = None


class DriverEdit(Shape):
    """The address of the mailbox is the driver's own to change, as are language and receipts."""

    full_name: NameText | Unset = UNSET
    phone: ShortText | Unset | None = UNSET
    address: LineText | Unset | None = UNSET
    apartment: ShortText | Unset | None = UNSET
    street: LineText | Unset | None = UNSET
    city: NameText | Unset | None = UNSET
    region: NameText | Unset | None = UNSET
    postal_code: ShortText | Unset | None = UNSET
    country: CountryText | Unset | None = UNSET


@dataclass(frozen=True)
class _Desk:
    """From where drivers are looked at: `operator_id` judges their standing, `currency` is that of its wallets. An
    agency looks with its operator's eyes."""

    organization_id: str
    operator_id: str
    currency: str


@api.post("/v1/drivers", "drivers:write")
def create_driver(req: Request, body: DriverCreate) -> DriverDetail:
    """Enters a customer, who is mailed how to choose a password.

    The driver is on the operator's list at once. An address that already is a driver's, on the list or not, is refused
    (409 driver.email_taken): such a driver comes onto the list by charging.
    """
    operator_id = owning_operator(req, body.operator_id)
    fields = {name: getattr(body, name) for name in body.__struct_fields__ if name != "operator_id"}
    driver = service.welcome_driver(req.uow, operator_id, NewDriver(**fields))
    desk = _desk(req, operator_id)
    detail = _detail(driver, desk, _balances(req, desk, [driver]))
    req.audit("driver", driver.driver_id, owner_id=operator_id, after=detail)
    return detail


@api.get("/v1/drivers", "drivers:read")
def list_drivers(req: Request, query: DriverQuery) -> CountedPageView[DriverDetail]:
    """The drivers on the list of an operator, or of an agency, by time of sign-up.

    A page may be short while matches are rare; go on with its cursor.
    """
    desk = _desk(req, listed_operator(req, query.operator_id))
    page = service.list_drivers(
        req.ctx,
        desk.organization_id,
        state=query.state,
        words=query.q,
        limit=query.limit,
        cursor=query.cursor,
        standing_at=desk.operator_id,
    )
    balances = _balances(req, desk, page.data)
    return CountedPageView(
        data=[_detail(driver, desk, balances) for driver in page.data],
        has_more=page.next_cursor is not None,
        next_cursor=page.next_cursor,
        total=_total(req, desk, query) if query.include_total else None,
    )


@api.get("/v1/drivers/{driver_id}", "drivers:read")
def get_driver(req: Request, driver_id: str) -> DriverDetail:
    """One driver."""
    return driver_detail(req, visible_driver(req, driver_id))


@api.patch("/v1/drivers/{driver_id}", "drivers:write")
def update_driver(req: Request, driver_id: str, body: DriverEdit) -> DriverDetail:
    """Changes the name, phone or address of a driver on the operator's list (merge patch)."""
    driver = visible_driver(req, driver_id)
    changes = changes_of(body)
    after = service.change_driver(req.uow, driver, changes)
    return _audited(req, driver, after)


@api.delete("/v1/drivers/{driver_id}", "drivers:write")
def deactivate_driver(req: Request, driver_id: str) -> None:
    """Moves a driver to the inactive ones: no card and no app of theirs charges at this operator any more.

    The driver's cards, money and history stay. By the platform's people: everywhere.
    """
    driver = visible_driver(req, driver_id)
    after = service.set_driver_state(req.uow, driver, "inactive", operator_id=_acting_operator(req))
    _audited(req, driver, after)


@api.post("/v1/drivers/{driver_id}/restore", "drivers:write", status=200)
def restore_driver(req: Request, driver_id: str) -> DriverDetail:
    """Undoes the deactivation."""
    driver = visible_driver(req, driver_id)
    after = service.set_driver_state(req.uow, driver, "active", operator_id=_acting_operator(req))
    return _audited(req, driver, after)


def driver_detail(req: Request, driver: Driver) -> DriverDetail:
    """The driver as the actor's organisation sees it."""
    desk = _desk(req, req.organization_id)
    return _detail(driver, desk, _balances(req, desk, [driver]))


def _audited(req: Request, before: Driver, after: Driver) -> DriverDetail:
    desk = _desk(req, req.organization_id)
    balances = _balances(req, desk, [after])
    detail = _detail(after, desk, balances)
    req.audit("driver", after.driver_id, before=_detail(before, desk, balances), after=detail)
    return detail


def _detail(driver: Driver, desk: _Desk, balances: Mapping[str, Money]) -> DriverDetail:
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
        state=service.standing(driver, desk.operator_id),
        balance=balances.get(wallet_account(driver.driver_id, desk.currency)),
        card_count=len(driver.id_tokens),
        driver_group_id=driver.groups.get(desk.operator_id),
        created_at=driver.created_at,
    )


def _desk(req: Request, organization_id: str) -> _Desk:
    organization = identity.get_organization(req.ctx, organization_id)
    if organization.kind == "agency" and organization.parent_id is not None:
        organization = identity.get_organization(req.ctx, organization.parent_id)
    return _Desk(organization_id, organization.organization_id, organization.currency)


def _balances(req: Request, desk: _Desk, drivers: list[Driver]) -> Mapping[str, Money]:
    if not req.actor.may("wallets:read"):
        return {}
    return ledger.balances(req.ctx, [wallet_account(driver.driver_id, desk.currency) for driver in drivers])


def _total(req: Request, desk: _Desk, query: DriverQuery) -> int:
    return service.count_drivers(
        req.ctx, desk.organization_id, state=query.state, words=query.q, standing_at=desk.operator_id
    )


def _acting_operator(req: Request) -> str | None:
    """None: the platform, which acts for everybody."""
    return None if req.actor.is_platform else req.organization_id
