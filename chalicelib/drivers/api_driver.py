"""A driver's own data and cards."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated

import msgspec

from chalicelib.drivers import service
from chalicelib.drivers.api_public import DriverView, driver_view
from chalicelib.drivers.model import IdToken, id_token_key
from chalicelib.identity import service as identity
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import UNSET, Api, PageView, Request, Shape, Unset, changes_of
from chalicelib.kernel.money import Money
from chalicelib.kernel.spans import month_of
from chalicelib.kernel.texts import CountryText, LanguageText, LineText, NameText, ShortText
from chalicelib.kernel.unit_of_work import decide_and_commit

api = Api("driver", "driver")


class DriverPatch(Shape):
    full_name: NameText | Unset = UNSET
    language: LanguageText | Unset = UNSET
    receipts_by_email: bool | Unset = UNSET
    phone: ShortText | Unset | None = UNSET
    address: LineText | Unset | None = UNSET
    apartment: ShortText | Unset | None = UNSET
    street: LineText | Unset | None = UNSET
    city: NameText | Unset | None = UNSET
    region: NameText | Unset | None = UNSET
    postal_code: ShortText | Unset | None = UNSET
    country: CountryText | Unset | None = UNSET


class CardClaim(Shape):
    """The number on the card."""

    id_token: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class CardView(Shape):
    """A card as its driver sees it. `last_used_at` may be an hour behind."""

    id_token: str
    status: str
    visual_number: str | None
    expires_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime


class MyEnterprise(Shape):
    """An enterprise that pays for the driver's charges at one operator. `pays_now`: it is active, and the membership
    is in force. `id_tokens`: only what these cards charge. Limits are null where there are none."""

    enterprise_id: str
    operator_id: str
    name: str
    pays_now: bool
    monthly_limit: Money | None
    used_this_month: Money
    per_session_limit: Money | None
    valid_from: datetime | None
    valid_until: datetime | None
    id_tokens: list[str] | None


def card_view(card: IdToken) -> CardView:
    return CardView(
        id_token=card.id_token,
        status=card.status,
        visual_number=card.visual_number,
        expires_at=card.expires_at,
        last_used_at=card.last_used_at,
        created_at=card.created_at,
    )


@api.get("/v1/driver/me")
def get_own_driver(req: Request) -> DriverView:
    """The signed-in driver."""
    return driver_view(service.require_driver(req.ctx, req.driver_id))


@api.patch("/v1/driver/me")
def update_own_driver(req: Request, body: DriverPatch) -> DriverView:
    """Changes the driver's name, address and the like (merge patch)."""
    changes = changes_of(body)
    driver = service.require_driver(req.ctx, req.driver_id)
    before, after = driver_view(driver), driver_view(service.change_driver(req.uow, driver, changes))
    req.audit("driver", driver.driver_id, before=before, after=after)
    return after


@api.get("/v1/driver/me/enterprises")
def list_my_enterprises(req: Request) -> PageView[MyEnterprise]:
    """The enterprises that pay for the driver, one per operator at most."""
    driver = service.require_driver(req.ctx, req.driver_id)
    found = (_my_enterprise(req, enterprise_id) for enterprise_id in driver.enterprises.values())
    return PageView(data=[enterprise for enterprise in found if enterprise is not None], has_more=False)


def _my_enterprise(req: Request, enterprise_id: str) -> MyEnterprise | None:
    enterprise = service.find_enterprise(req.ctx, enterprise_id)
    member = service.find_member(req.ctx, enterprise_id, req.driver_id)
    if enterprise is None or member is None:
        return None
    now, currency = req.ctx.now(), enterprise.currency
    month = month_of(now, identity.get_organization(req.ctx, enterprise.operator_id).time_zone)
    used = service.used_in_month(req.ctx, enterprise_id, [req.driver_id], month).get(req.driver_id, 0)
    return MyEnterprise(
        enterprise_id=enterprise_id,
        operator_id=enterprise.operator_id,
        name=enterprise.name,
        pays_now=enterprise.state == "active" and member.in_force(now),
        monthly_limit=None if member.monthly_limit is None else Money(member.monthly_limit, currency),
        used_this_month=Money(used, currency),
        per_session_limit=None if member.per_session_limit is None else Money(member.per_session_limit, currency),
        valid_from=member.valid_from,
        valid_until=member.valid_until,
        id_tokens=member.id_tokens,
    )


@api.get("/v1/driver/id-tokens")
def list_own_cards(req: Request) -> PageView[CardView]:
    """The driver's cards, in the order in which they were added."""
    driver = service.require_driver(req.ctx, req.driver_id)
    return PageView(data=[card_view(card) for card in service.list_cards_of(req.ctx, driver)], has_more=False)


@api.post("/v1/driver/id-tokens")
def add_own_card(req: Request, body: CardClaim) -> CardView:
    """Adds a card by its number, typed with or without what stands between its digits. One that is not free is
    refused (409); twenty numbers may be tried in a day."""
    decide_and_commit(req.ctx, partial(service.count_claim, driver_id=req.driver_id))
    driver = service.require_driver(req.ctx, req.driver_id)
    known = set(driver.id_tokens)
    card = service.claim_card(req.uow, driver, body.id_token)
    shown = card_view(card)
    before = shown if id_token_key(card.id_token) in known else None
    req.audit("id_token", card.id_token, owner_id=card.operator_id, before=before, after=shown)
    return shown


@api.delete("/v1/driver/id-tokens/{id_token}")
def remove_own_card(req: Request, id_token: str) -> None:
    """Removes a card: it no longer charges on this wallet."""
    card = service.require_card(req.ctx, id_token)
    if card.driver_id != req.driver_id:
        raise not_found("id_token", id_token)
    service.unbind_card(req.uow, card)
    req.audit("id_token", card.id_token, owner_id=card.operator_id, before=card_view(card))
