"""Cards: a row is what POST /v1/id-tokens takes, with the driver by id or by e-mail."""

from __future__ import annotations

import hashlib

from chalicelib.drivers import service as drivers
from chalicelib.drivers.api_operator.cards import CardCreate, CardDetail, create_id_token
from chalicelib.drivers.model import IdToken
from chalicelib.files.kinds.common import Created, ImportKind, Values, body_of, changed_since
from chalicelib.files.model import Column, Made
from chalicelib.identity import service as identity
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.http import Request
from chalicelib.kernel.unit_of_work import UnitOfWork


def _create(req: Request, operator_id: str, values: Values) -> Created:
    body = {**values, "operator_id": operator_id}
    email = body.pop("driver_email", None)
    if email is not None:
        if "driver_id" in body:
            raise invalid("driver.named_twice", "Name the driver by id or by e-mail, not both.", "/driver_email")
        body["driver_id"] = _driver_of(req, operator_id, str(email))
    card = create_id_token(req, body_of(CardCreate, body))
    return Created(card.id_token, mark=_mark(card))


def _driver_of(req: Request, operator_id: str, email: str) -> str:
    """A driver of the operator's list; others are as unknown as those who do not exist."""
    login = identity.find_login(req.ctx, email)
    driver_id = None if login is None else login.driver_id
    if driver_id is None or not drivers.is_linked(req.ctx, operator_id, driver_id):
        raise invalid("driver.unknown", f"There is no driver {email!r} on the operator's list.", "/driver_email")
    return driver_id


def _take_back(uow: UnitOfWork, id_token: str) -> None:
    if not drivers.take_back_card(uow, id_token):
        raise changed_since("card")


def _check_as_made(ctx: Context, made: Made) -> None:
    """A driver may have taken it from the drawer since, or the operator have written on it."""
    card = drivers.find_id_token(ctx, made.object_id, consistent=True)
    if made.mark and card is not None and _mark(card) != made.mark:
        raise changed_since("card")


def _mark(card: CardDetail | IdToken) -> str:
    until = None if card.expires_at is None else to_rfc3339(card.expires_at)
    what = (card.driver_id, card.note, card.visual_number, card.claimable, until, card.group_id)
    return hashlib.sha256(repr(what).encode()).hexdigest()[:16]


ID_TOKENS = ImportKind(
    name="id_tokens",
    permission="id_tokens:write",
    id_column="id_token",
    columns=(
        Column(
            "id_token",
            "The number that the card tells the charger, 1 to 36 characters. Make the column one of text.",
            "04C2D3E4F5A6B7",
            required=True,
            unique=True,
        ),
        Column("visual_number", "What is printed on the card.", "0042", unique=True),
        Column("driver_email", "The driver who gets the card, of the operator's list; empty for the drawer."),
        Column("driver_id", "The same by id."),
        Column("note", "Up to 100 characters.", "Spare card of the office"),
        Column(
            "claimable",
            "Whether a driver may take it by typing its number: true (also if empty) or false.",
            "true",
            type="boolean",
        ),
        Column(
            "expires_at",
            "Until when it charges: a date, or date and time with zone (without one: UTC).",
            "2027-12-31",
            type="moment",
        ),
        Column("group_id", "OCPP's parent id: cards of a group may stop each other's charges."),
    ),
    create=_create,
    take_back=_take_back,
    check_as_made=_check_as_made,
)
