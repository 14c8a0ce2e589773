"""Cards ("id tokens"): configured by the operator, bound to drivers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from chalicelib.drivers import service
from chalicelib.drivers.api_operator.common import TokenText, api, visible_driver
from chalicelib.drivers.model import IdToken, IdTokenStatus, matches_card
from chalicelib.identity.scope import OperatorPageQuery, listed_operator, may_see, owning_operator
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import UNSET, Moment, PageView, Request, Shape, Unset, changes_of, check_moment, page_view
from chalicelib.kernel.texts import NameText, ShortText


class CardCreate(Shape):
    """`visual_number` is what is printed on the card. `claimable`: a driver may take it by typing its number."""

    id_token: TokenText
    driver_id: str | None = None
    note: NameText | None = None
    visual_number: ShortText | None = None
    claimable: bool = True
    expires_at: Moment | None = None
    group_id: ShortText | None = None
    operator_id: str | None = None


class CardPatch(Shape):
    status: Literal["active", "blocked"] | Unset = UNSET
    note: NameText | Unset | None = UNSET
    visual_number: ShortText | Unset | None = UNSET
    claimable: bool | Unset = UNSET
    expires_at: Moment | Unset | None = UNSET
    group_id: ShortText | Unset | None = UNSET


class CardQuery(OperatorPageQuery):
    """`driver_id`: all cards of a driver on the list, also those that the driver added. `whose`: the cards that the
    operator `configured` (by default), or all those of the `drivers` on its list; an agency sees the latter. `q`:
    words that all begin the number, or occur in note or visual number. Retired cards are listed by `status` only."""

    driver_id: str | None = None
    status: IdTokenStatus | None = None
    whose: Literal["configured", "drivers"] | None = None
    bound: bool | None = None
    q: Annotated[str, msgspec.Meta(max_length=100)] = ""


class CardDriver(Shape):
    driver_id: str


class CardDetail(Shape):
    """Of a card that another operator configured, `operator_id`, `note`, `visual_number`, `group_id` and `claimable`
    are not told. `last_used_at` may be an hour behind."""

    id_token: str
    status: IdTokenStatus
    driver_id: str | None
    operator_id: str | None
    note: str | None
    visual_number: str | None
    claimable: bool | None
    expires_at: datetime | None
    group_id: str | None
    last_used_at: datetime | None
    created_at: datetime


def card_detail(req: Request, card: IdToken) -> CardDetail:
    is_own = card.operator_id is None or may_see(req, card.operator_id)
    return CardDetail(
        id_token=card.id_token,
        status=card.status,
        driver_id=card.driver_id,
        operator_id=card.operator_id if is_own else None,
        note=card.note if is_own else None,
        visual_number=card.visual_number if is_own else None,
        claimable=card.claimable if is_own else None,
        expires_at=card.expires_at,
        group_id=card.group_id if is_own else None,
        last_used_at=card.last_used_at,
        created_at=card.created_at,
    )


@api.post("/v1/id-tokens", "id_tokens:write")
def create_id_token(req: Request, body: CardCreate) -> CardDetail:
    """Configures a card, for a driver of the operator's list or for the drawer. A known number is refused (409)."""
    operator_id = owning_operator(req, body.operator_id)
    if body.expires_at is not None:
        check_moment(body.expires_at, "/expires_at")
    card = service.add_card(
        req.uow,
        id_token=body.id_token,
        operator_id=operator_id,
        driver=None if body.driver_id is None else visible_driver(req, body.driver_id),
        note=body.note,
        expires_at=body.expires_at,
        group_id=body.group_id,
        visual_number=body.visual_number,
        claimable=body.claimable,
    )
    return _recorded(req, None, card)


@api.get("/v1/id-tokens", "id_tokens:read")
def list_id_tokens(req: Request, query: CardQuery) -> PageView[CardDetail]:
    """The cards that the operator configured, by number; those of all drivers on the list; or those of one driver.

    A page may be short while matches are rare; go on with its cursor. A whole number finds its card at once.
    """
    keep = _filter(query)
    if query.driver_id is not None:
        cards = service.list_cards_of(req.ctx, visible_driver(req, query.driver_id))
        return PageView(data=[card_detail(req, card) for card in cards if keep(card)], has_more=False)
    operator_id = listed_operator(req, query.operator_id)
    exact = service.find_id_token(req.ctx, query.q.strip(), consistent=False) if query.q and not query.cursor else None
    if exact is not None and exact.kind == "card" and exact.operator_id == operator_id and keep(exact):
        return PageView(data=[card_detail(req, exact)], has_more=False)
    of_drivers = query.whose == "drivers" or req.actor.organization_kind == "agency"
    list_cards = service.list_cards_of_drivers if of_drivers else service.list_operator_cards
    page = list_cards(req.ctx, operator_id, keep=keep, limit=query.limit, cursor=query.cursor)
    return page_view(page, lambda card: card_detail(req, card))


@api.get("/v1/id-tokens/{id_token}", "id_tokens:read")
def get_id_token(req: Request, id_token: str) -> CardDetail:
    """One card: that the operator configured, or of a driver on the list."""
    card = service.require_card(req.ctx, id_token)
    if not may_see(req, card.operator_id) and not _is_of_linked_driver(req, card):
        raise not_found("id_token", id_token)
    return card_detail(req, card)


@api.patch("/v1/id-tokens/{id_token}", "id_tokens:write")
def update_id_token(req: Request, id_token: str, body: CardPatch) -> CardDetail:
    """Blocks or unblocks a card, changes its note, visual number, expiry or group (merge patch)."""
    if isinstance(body.expires_at, datetime):
        check_moment(body.expires_at, "/expires_at")
    changes = changes_of(body)
    card = _owned_card(req, id_token)
    return _recorded(req, card, service.change_card(req.uow, card, changes))


@api.delete("/v1/id-tokens/{id_token}", "id_tokens:write")
def retire_id_token(req: Request, id_token: str) -> None:
    """Takes a card out of the drawer. One that a driver has is refused (409): take it back first, or block it.

    Its number is free from now on; until somebody takes it, the card can be restored.
    """
    card = _owned_card(req, id_token)
    _recorded(req, card, service.retire_card(req.uow, card))


@api.post("/v1/id-tokens/{id_token}/restore", "id_tokens:write", status=200)
def restore_id_token(req: Request, id_token: str) -> CardDetail:
    """Puts a retired card back into the drawer, unblocked."""
    card = _owned_card(req, id_token)
    return _recorded(req, card, service.restore_card(req.uow, card))


@api.put("/v1/id-tokens/{id_token}/driver", "id_tokens:write")
def bind_id_token(req: Request, id_token: str, body: CardDriver) -> CardDetail:
    """Gives a card to a driver of the operator's list. A card of another driver is refused (409)."""
    card = _owned_card(req, id_token)
    return _recorded(req, card, service.bind_card(req.uow, card, visible_driver(req, body.driver_id)))


@api.delete("/v1/id-tokens/{id_token}/driver", "id_tokens:write")
def unbind_id_token(req: Request, id_token: str) -> None:
    """Takes a card from its driver: it is in the drawer again."""
    card = _owned_card(req, id_token)
    _recorded(req, card, service.unbind_card(req.uow, card))


def _recorded(req: Request, before: IdToken | None, after: IdToken) -> CardDetail:
    """The card as it will be, said for the audit log."""
    shown = card_detail(req, after)
    req.audit(
        "id_token",
        after.id_token,
        owner_id=after.operator_id,
        before=None if before is None else card_detail(req, before),
        after=shown,
    )
    return shown


def _filter(query: CardQuery) -> Callable[[IdToken], bool]:
    def keep(card: IdToken) -> bool:
        is_wanted = not card.is_retired if query.status is None else card.status == query.status
        is_wanted = is_wanted and query.bound in (None, card.driver_id is not None)
        return is_wanted and matches_card(card, query.q)

    return keep


def _is_of_linked_driver(req: Request, card: IdToken) -> bool:
    organization_id = req.actor.organization_id
    if organization_id is None or card.driver_id is None:
        return False
    return service.is_linked(req.ctx, organization_id, card.driver_id)


def _owned_card(req: Request, id_token: str) -> IdToken:
    card = service.require_card(req.ctx, id_token)
    if not may_see(req, card.operator_id):
        raise not_found("id_token", id_token)
    return card
