"""Chargers: register, look at, change, take out of service."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import msgspec

from chalicelib.chargers import service
from chalicelib.chargers.api_operator.charger_views import ChargerView, EvseView, charger_view, evse_view
from chalicelib.chargers.api_operator.common import SearchText, api
from chalicelib.chargers.api_operator.instructions import instructions_view
from chalicelib.chargers.model import Charger, PlaceState
from chalicelib.chargers.scope import is_confined, listed_places, owned_charger, owned_location, owning_holder
from chalicelib.chargers.service import ChargerFacts
from chalicelib.identity.scope import OperatorPageQuery
from chalicelib.kernel.context import Context
from chalicelib.kernel.countries import check_country
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.http import UNSET, PageView, Request, Shape, Unset, changes_of, page_view
from chalicelib.kernel.searching import has_words
from chalicelib.kernel.texts import CountryText, NameText, ShortText

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
PowerNumber = Annotated[
    int,
    msgspec.Meta(ge=1000, le=400_000, description="What one EVSE gives at most, in W. No more is billed by hand."),
]
UserText = Annotated[str, msgspec.Meta(min_length=1, max_length=64, description="Of Basic auth, if not the identity.")]


CLAIMS = "claims"
"""No charger has this identity: it would stand in the way of `/v1/chargers/claims`."""


class ChargerCreate(Shape):
    """`evse_count` 2 is a dual-socket charger: connector A is left, B right. Without a `password` one is made.

    With a `location_id` it is placed at once. `operator_id`: whose it is, if not the asker's own; manufacturers and
    dealers register for their stock, or for an operator below before the charger is shipped.
    """

    charger_id: IdentityText
    name: NameText | None = None
    serial_number: ShortText | None = None
    uid: ShortText | None = None
    evse_count: EvseCount = 1
    max_power_w: PowerNumber | None = None
    country: CountryText | None = None
    region: NameText | None = None
    location_id: str | None = None
    charger_group_id: str | None = None
    charge_with_qr: bool = True
    accepts_missing_subprotocol: bool = False
    security_profile: ProfileNumber = 1
    basic_auth_user: UserText | None = None
    password: PasswordText | None = None
    operator_id: str | None = None


class ChargerPatch(Shape):
    """`charge_with_qr` false: from the phone, only the drivers of the charger's group and of those above it charge."""

    name: NameText | Unset | None = UNSET
    serial_number: ShortText | Unset | None = UNSET
    uid: ShortText | Unset | None = UNSET
    max_power_w: PowerNumber | Unset | None = UNSET
    country: CountryText | Unset | None = UNSET
    region: NameText | Unset | None = UNSET
    charger_group_id: str | Unset | None = UNSET
    charge_with_qr: bool | Unset = UNSET
    accepts_missing_subprotocol: bool | Unset = UNSET
    security_profile: ProfileNumber | Unset = UNSET
    basic_auth_user: UserText | Unset | None = UNSET


class PasswordRotate(Shape):
    password: PasswordText | None = None


class ChargerQuery(OperatorPageQuery):
    """`registered=false`: those that are not placed at a location. `charger_group_id`: with its sub-groups. `status`:
    as reported by any of its EVSEs. `q`: words of its identity, name and serial number."""

    registered: bool | None = None
    location_id: str | None = None
    charger_group_id: str | None = None
    online: bool | None = None
    status: str | None = None
    state: PlaceState = "active"
    q: SearchText | None = None


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


@api.post("/v1/chargers", "chargers:write")
def create_charger(req: Request, body: ChargerCreate) -> ChargerCreatedView:
    """Registers a charger.

    Answers with what the installer needs: URL, identity and password. The password is not shown again. The identity
    must be free (409), whoever has it, and the serial number among the owner's. Who works at some locations only names
    the `location_id`.
    """
    if body.charger_id.lower() == CLAIMS:
        raise invalid("charger.identity", f"No charger may be called {CLAIMS!r}.", "/charger_id")
    check_country(body.country)
    holder_id = owning_holder(req, body.operator_id)
    if body.location_id is None and is_confined(req):
        raise invalid("location_id.missing", "Name the location: you work at some of them only.", "/location_id")
    location_id = None
    if body.location_id is not None:
        location = owned_location(req, body.location_id)
        if location.operator_id != holder_id:
            raise invalid("location.unknown", f"Its owner has no location {body.location_id!r}.", "/location_id")
        location_id = location.location_id
    check_group(req.ctx, holder_id, body.charger_group_id)
    charger, password, evses = service.register_charger(
        req.uow,
        Charger(
            charger_id=body.charger_id,
            operator_id=holder_id,
            evse_count=body.evse_count,
            max_power_w=body.max_power_w,
            password_hash="",
            created_at=req.ctx.now(),
            charge_with_qr=body.charge_with_qr,
            accepts_missing_subprotocol=body.accepts_missing_subprotocol,
            security_profile=body.security_profile,
            basic_auth_user=body.basic_auth_user,
            location_id=location_id,
            group_id=body.charger_group_id,
            country=body.country,
            **_lines(body),
        ),
        body.password,
    )
    view = charger_view(req.ctx, ChargerFacts(charger, None, tuple(evses)))
    req.audit("charger", charger.charger_id, owner_id=holder_id, after=view)
    return ChargerCreatedView(**msgspec.structs.asdict(view), connection=_instructions(req.ctx, charger, password))


@api.get("/v1/chargers", "chargers:read")
def list_chargers(req: Request, query: ChargerQuery) -> PageView[ChargerView]:
    """The chargers of an operator, or in the stock of a manufacturer or dealer, by identity.

    `registered=false` lists those that are not placed at a location yet. A page may be short while filters are rare;
    go on with its cursor.
    """
    places = listed_places(req, query.operator_id)
    groups = None
    if query.charger_group_id is not None:
        groups = service.groups_within(req.ctx, places.operator_id, query.charger_group_id)

    def is_seen(charger: Charger) -> bool:
        found = places.has(charger.location_id) and charger.state == query.state
        found = found and (groups is None or charger.group_id in groups)
        return found and has_words(query.q or "", charger.charger_id, charger.name, charger.serial_number)

    page = service.list_chargers(
        req.ctx,
        places.operator_id,
        is_seen=is_seen,
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
    return view_of(req, owned_charger(req, charger_id))


@api.get("/v1/chargers/{charger_id}/evses", "chargers:read")
def list_charger_evses(req: Request, charger_id: str) -> PageView[EvseView]:
    """The EVSEs of a charger, each with its last report and its QR code."""
    facts = service.get_facts(req.ctx, owned_charger(req, charger_id))
    evses = [evse_view(req.ctx, evse, facts.further_connectors) for evse in facts.connectors]
    return PageView(data=evses, has_more=False)


def _lines(body: ChargerCreate | ChargerPatch) -> dict[str, Any]:
    """What people type of a charger, without blanks around; of blanks alone it is none."""
    typed = {name: getattr(body, name) for name in ("name", "serial_number", "uid", "region")}
    return {name: " ".join((line or "").split()) or None for name, line in typed.items() if line is not UNSET}


@api.patch("/v1/chargers/{charger_id}", "chargers:write")
def update_charger(req: Request, charger_id: str, body: ChargerPatch) -> ChargerView:
    """Changes a charger (merge patch)."""
    charger = owned_charger(req, charger_id)
    changes = changes_of(body)
    changes |= {name: line for name, line in _lines(body).items() if name in changes}
    check_country(changes.get("country"))
    if "charger_group_id" in changes:
        changes["group_id"] = changes.pop("charger_group_id")
        check_group(req.ctx, charger.operator_id, changes["group_id"])
    return changed(req, charger, service.change_charger(req.uow, charger, changes))


@api.delete("/v1/chargers/{charger_id}", "chargers:write")
def delete_charger(req: Request, charger_id: str) -> None:
    """Takes a charger out of service.

    It is refused at its next handshake, and its history stays, as does its identity: `restore` takes it back. It must
    have been removed from its location, and be switched off (409).
    """
    charger = owned_charger(req, charger_id)
    changed(req, charger, service.retire_charger(req.uow, charger))


@api.post("/v1/chargers/{charger_id}/restore", "chargers:write", status=200)
def restore_charger(req: Request, charger_id: str) -> ChargerView:
    """Takes a charger back into service, among those that are not placed."""
    charger = owned_charger(req, charger_id)
    return changed(req, charger, service.restore_charger(req.uow, charger))


@api.post("/v1/chargers/{charger_id}/password", "chargers:write", status=200)
def rotate_charger_password(req: Request, charger_id: str, body: PasswordRotate) -> ConnectionInstructions:
    """Sets a new password, or makes one. The old one is refused from the next connection on."""
    charger = owned_charger(req, charger_id)
    password = service.rotate_password(req.uow, charger, body.password)
    # Both are masked: what is kept is that there was another one.
    before, after = {"password": "the old one"}, {"password": "a new one"}
    req.audit("charger", charger.charger_id, owner_id=charger.operator_id, before=before, after=after)
    return _instructions(req.ctx, charger, password)


def view_of(req: Request, charger: Charger) -> ChargerView:
    return charger_view(req.ctx, service.get_facts(req.ctx, charger))


def changed(req: Request, before: Charger, after: Charger) -> ChargerView:
    """The view of a charger that the request changes, which it says to the audit log."""
    facts = service.get_facts(req.ctx, before)
    view = charger_view(req.ctx, replace(facts, charger=after))
    req.audit(
        "charger",
        before.charger_id,
        owner_id=after.operator_id,
        former_owner_id=before.operator_id,
        before=charger_view(req.ctx, facts),
        after=view,
    )
    return view


def check_group(ctx: Context, operator_id: str, group_id: str | None) -> None:
    """Raises charger_group.unknown (422) unless it is a group of the charger's owner, or none."""
    group = None if group_id is None else service.get_group(ctx, group_id)
    if group_id is not None and (group is None or group.operator_id != operator_id):
        raise invalid("charger_group.unknown", f"Its owner has no group {group_id!r}.", "/charger_group_id")


def _instructions(ctx: Context, charger: Charger, password: str) -> ConnectionInstructions:
    shown = instructions_view(ctx, charger)
    return ConnectionInstructions(
        url=shown.url,
        full_url=shown.full_url,
        identity=shown.identity,
        username=shown.username,
        password=password,
        subprotocol="ocpp1.6",
    )
