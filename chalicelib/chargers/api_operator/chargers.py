"""Chargers: register, place, look at, change."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

import msgspec

from chalicelib.chargers import service
from chalicelib.chargers.api_operator.common import (
    UNSET,
    CountryText,
    NameText,
    ShortText,
    Unset,
    api,
    changes_of,
)
from chalicelib.chargers.model import Charger, Evse
from chalicelib.chargers.scope import listed_places, owned_charger, owned_location
from chalicelib.chargers.service import ChargerFacts
from chalicelib.identity.scope import OperatorPageQuery, owning_operator
from chalicelib.kernel.context import Context
from chalicelib.kernel.http import PageView, Request, Shape, page_view

PasswordText = Annotated[
    str,
    msgspec.Meta(pattern=r"^[\x21-\x7e]{16,40}$(?!\n)", description="16 to 40 printable characters (OCPP BasicAuth)."),
]
EvseCount = Annotated[int, msgspec.Meta(ge=1, le=32)]
IdentityText = Annotated[
    str,
    msgspec.Meta(pattern=r"^(?! )[A-Za-z0-9._:@*=+| -]{1,48}(?<! )$(?!\n)", description="The charger's OCPP identity."),
]
ProfileNumber = Annotated[
    int,
    msgspec.Meta(
        ge=0,
        le=3,
        description="OCPP security profile, the least that the charger must prove: 0 nothing, 1 Basic auth, 2 Basic "
        "auth over TLS, 3 a client certificate with its identity as common name.",
    ),
]
UserText = Annotated[str, msgspec.Meta(min_length=1, max_length=64, description="Of Basic auth, if not the identity.")]


class ChargerCreate(Shape):
    """`evse_count` 2 is a dual-socket charger: connector A is left, B right. Without a `password` one is made."""

    charger_id: IdentityText
    name: NameText | None = None
    serial_number: ShortText | None = None
    uid: ShortText | None = None
    evse_count: EvseCount = 1
    country: CountryText | None = None
    region: NameText | None = None
    charge_with_qr: bool = True
    accepts_missing_subprotocol: bool = False
    security_profile: ProfileNumber = 1
    basic_auth_user: UserText | None = None
    password: PasswordText | None = None
    operator_id: str | None = None


class ChargerPatch(Shape):
    name: NameText | Unset | None = UNSET
    serial_number: ShortText | Unset | None = UNSET
    uid: ShortText | Unset | None = UNSET
    country: CountryText | Unset | None = UNSET
    region: NameText | Unset | None = UNSET
    charge_with_qr: bool | Unset = UNSET
    accepts_missing_subprotocol: bool | Unset = UNSET
    security_profile: ProfileNumber | Unset = UNSET
    basic_auth_user: UserText | Unset | None = UNSET


class PasswordRotate(Shape):
    password: PasswordText | None = None


class Placement(Shape):
    location_id: str


class ChargerQuery(OperatorPageQuery):
    """`registered=false`: those that are not placed at a location. `status`: as reported by any of its EVSEs."""

    registered: bool | None = None
    location_id: str | None = None
    online: bool | None = None
    status: str | None = None


class ConnectorView(Shape):
    connector_no: int
    status: str | None
    reported_at: datetime | None
    received_at: datetime | None


class EvseView(Shape):
    """`letter` names the connector on the charger; `status` and `error_code` are its own last words.

    `further_connectors`: those beyond the first of an EVSE that has several (OCPP 2.x); not shown in lists of chargers.
    """

    evse_no: int
    letter: str
    status: str | None
    error_code: str | None
    info: str
    vendor_error_code: str
    reported_at: datetime | None
    received_at: datetime | None
    qr_code: str | None
    qr_url: str | None
    further_connectors: list[ConnectorView]


class Connectivity(Shape):
    online: bool
    protocol: str | None
    connected_at: datetime | None
    last_seen_at: datetime | None
    disconnected_at: datetime | None


class ChargerView(Shape):
    """`registration_status` is what BootNotification is answered: pending until the charger is placed. `drift_count`
    variables had another value than expected when they were last looked at; null: they never were.

    `next_security_profile` and `password_rotation_pending`: it was told, and has not been seen to use it yet.
    """

    charger_id: str
    operator_id: str
    name: str | None
    serial_number: str | None
    uid: str | None
    location_id: str | None
    registered: bool
    registration_status: str
    country: str | None
    region: str | None
    charge_with_qr: bool
    accepts_missing_subprotocol: bool
    security_profile: int
    next_security_profile: int | None
    password_rotation_pending: bool
    basic_auth_user: str | None
    vendor: str | None
    model: str | None
    firmware_version: str | None
    reported_serial_number: str | None
    booted_at: datetime | None
    drift_count: int | None
    status: str | None
    connectivity: Connectivity
    evses: list[EvseView]
    created_at: datetime


class ConnectionInstructions(Shape):
    """What the installer types into the charger. The password is shown this once.

    `url` with the identity appended is `full_url`; most chargers append it themselves.
    """

    url: str
    full_url: str
    identity: str
    username: str
    password: str
    subprotocol: str


class ChargerCreatedView(ChargerView):
    connection: ConnectionInstructions


class EvseList(Shape):
    data: list[EvseView]


def evse_view(ctx: Context, evse: Evse, further_connectors: Iterable[Evse] = ()) -> EvseView:
    return EvseView(
        evse_no=evse.evse_no,
        letter=evse.letter,
        status=evse.status,
        error_code=evse.error_code,
        info=evse.info,
        vendor_error_code=evse.vendor_error_code,
        reported_at=evse.reported_at,
        received_at=evse.received_at,
        qr_code=evse.code,
        qr_url=f"{ctx.settings.public_url}/c/{evse.code}" if evse.code else None,
        further_connectors=[
            ConnectorView(
                connector_no=connector.connector_no or 1,
                status=connector.status,
                reported_at=connector.reported_at,
                received_at=connector.received_at,
            )
            for connector in further_connectors
            if connector.evse_no == evse.evse_no
        ],
    )


def charger_view(ctx: Context, facts: ChargerFacts) -> ChargerView:
    charger, link = facts.charger, facts.link
    itself = next((evse for evse in facts.evses if evse.evse_no == 0), None)
    return ChargerView(
        charger_id=charger.charger_id,
        operator_id=charger.operator_id,
        name=charger.name,
        serial_number=charger.serial_number,
        uid=charger.uid,
        location_id=charger.location_id,
        registered=charger.is_placed,
        registration_status="accepted" if charger.is_placed else "pending",
        country=charger.country,
        region=charger.region,
        charge_with_qr=charger.charge_with_qr,
        accepts_missing_subprotocol=charger.accepts_missing_subprotocol,
        security_profile=charger.security_profile,
        next_security_profile=charger.next_security_profile,
        password_rotation_pending=charger.new_password_hash is not None,
        basic_auth_user=charger.basic_auth_user,
        vendor=charger.vendor,
        model=charger.model,
        firmware_version=charger.firmware_version,
        reported_serial_number=charger.reported_serial_number,
        booted_at=charger.booted_at,
        drift_count=charger.drift_count,
        status=itself.status if itself else None,
        connectivity=Connectivity(
            online=link is not None and link.is_online(ctx.now()),
            protocol=link.protocol if link else None,
            connected_at=link.connected_at if link else None,
            last_seen_at=link.last_seen_at if link else None,
            disconnected_at=link.disconnected_at if link else None,
        ),
        evses=[evse_view(ctx, evse, facts.further_connectors) for evse in facts.connectors],
        created_at=charger.created_at,
    )


@api.post("/v1/chargers", "chargers:write")
def create_charger(req: Request, body: ChargerCreate) -> ChargerCreatedView:
    """Registers a charger.

    Answers with what the installer needs: URL, identity and password. The password is not shown again. The identity
    must be free (409), whoever has it.
    """
    charger, password, evses = service.register_charger(
        req.uow,
        Charger(
            charger_id=body.charger_id,
            operator_id=owning_operator(req, body.operator_id),
            evse_count=body.evse_count,
            password_hash="",
            created_at=req.ctx.now(),
            charge_with_qr=body.charge_with_qr,
            accepts_missing_subprotocol=body.accepts_missing_subprotocol,
            security_profile=body.security_profile,
            basic_auth_user=body.basic_auth_user,
            name=body.name,
            serial_number=body.serial_number,
            uid=body.uid,
            country=body.country,
            region=body.region,
        ),
        body.password,
    )
    facts = ChargerFacts(charger, None, tuple(evses))
    return ChargerCreatedView(
        **msgspec.structs.asdict(charger_view(req.ctx, facts)),
        connection=_instructions(req.ctx, charger, password),
    )


@api.get("/v1/chargers", "chargers:read")
def list_chargers(req: Request, query: ChargerQuery) -> PageView[ChargerView]:
    """The operator's chargers by identity.

    `registered=false` lists those that are not placed at a location yet. A page may be short while filters are rare;
    go on with its cursor.
    """
    places = listed_places(req, query.operator_id)
    page = service.list_chargers(
        req.ctx,
        places.operator_id,
        is_seen=lambda charger: places.has(charger.location_id),
        registered=query.registered,
        location_id=query.location_id,
        online=query.online,
        status=query.status,
        limit=query.limit,
        cursor=query.cursor,
    )
    return page_view(page, lambda facts: charger_view(req.ctx, facts))


@api.get("/v1/chargers/{charger_id}", "chargers:read")
def get_charger(req: Request, charger_id: str) -> ChargerView:
    """One charger, with its connectivity and EVSEs."""
    return charger_view(req.ctx, service.get_facts(req.ctx, owned_charger(req, charger_id)))


@api.get("/v1/chargers/{charger_id}/evses", "chargers:read")
def list_charger_evses(req: Request, charger_id: str) -> EvseList:
    """The EVSEs of a charger, each with its last report and its QR code."""
    facts = service.get_facts(req.ctx, owned_charger(req, charger_id))
    return EvseList(data=[evse_view(req.ctx, evse, facts.further_connectors) for evse in facts.connectors])


@api.patch("/v1/chargers/{charger_id}", "chargers:write")
def update_charger(req: Request, charger_id: str, body: ChargerPatch) -> ChargerView:
    """Changes a charger (merge patch)."""
    charger = service.change_charger(req.uow, owned_charger(req, charger_id), changes_of(body))
    return charger_view(req.ctx, service.get_facts(req.ctx, charger))


@api.post("/v1/chargers/{charger_id}/password", "chargers:write", status=200)
def rotate_charger_password(req: Request, charger_id: str, body: PasswordRotate) -> ConnectionInstructions:
    """Sets a new password, or makes one. The old one is refused from the next connection on."""
    charger = owned_charger(req, charger_id)
    password = service.rotate_password(req.uow, charger, body.password)
    return _instructions(req.ctx, charger, password)


@api.put("/v1/chargers/{charger_id}/location", "chargers:write")
def place_charger(req: Request, charger_id: str, body: Placement) -> ChargerView:
    """Adds the charger to a location of its operator. It is accepted at its next boot."""
    charger = owned_charger(req, charger_id)
    placed = service.place_charger(req.uow, charger, owned_location(req, body.location_id))
    return charger_view(req.ctx, service.get_facts(req.ctx, placed))


@api.delete("/v1/chargers/{charger_id}/location", "chargers:write")
def unplace_charger(req: Request, charger_id: str) -> None:
    """Removes the charger from its location: it returns to the unregistered ones."""
    service.place_charger(req.uow, owned_charger(req, charger_id), None)


def _instructions(ctx: Context, charger: Charger, password: str) -> ConnectionInstructions:
    url = ctx.settings.ocpp_url
    return ConnectionInstructions(
        url=url,
        full_url=f"{url}/{quote(charger.charger_id, safe='')}",
        identity=charger.charger_id,
        username=charger.basic_auth_user or charger.charger_id,
        password=password,
        subprotocol="ocpp1.6",
    )
