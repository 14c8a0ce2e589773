"""How chargers look over REST."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from chalicelib.chargers.model import Evse, PlaceState
from chalicelib.chargers.model.places import code_url
from chalicelib.chargers.service import ChargerFacts
from chalicelib.kernel.context import Context
from chalicelib.kernel.http import Shape


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

    `next_security_profile` and `password_rotation_pending`: it was told, and has not been seen to use it yet. `state`
    inactive: it was taken out of service and is not let in.
    """

    charger_id: str
    operator_id: str
    name: str | None
    serial_number: str | None
    uid: str | None
    state: PlaceState
    location_id: str | None
    charger_group_id: str | None
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
    max_power_w: int | None
    created_at: datetime


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
        qr_url=code_url(ctx.settings.public_url, evse.code) if evse.code else None,
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
        state=charger.state,
        location_id=charger.location_id,
        charger_group_id=charger.group_id,
        registered=charger.is_placed,
        registration_status="accepted" if charger.is_placed else "pending",
        country=charger.country,
        region=charger.region,
        max_power_w=charger.max_power_w,
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
