"""Takes back what an import entered and nobody has touched since: as if it had never been. Nothing else is deleted."""

from __future__ import annotations

from chalicelib.chargers.service.connecting import get_link
from chalicelib.chargers.service.finding import get_charger, list_evses
from chalicelib.chargers.service.grouping import count_grouped
from chalicelib.chargers.service.locations import get_location
from chalicelib.chargers.service.placing import count_placed, where_it_was
from chalicelib.chargers.service.registering import free_serial_number, what_it_has
from chalicelib.chargers.store.links import LINKS, LinkRow, link_key
from chalicelib.chargers.store.places import (
    CHARGERS,
    EVSE_CODES,
    EVSES,
    LOCATIONS,
    ChargerRow,
    LocationRow,
    charger_row_key,
    code_key,
    evse_key,
    location_key,
)
from chalicelib.kernel.unit_of_work import UnitOfWork


def take_back_location(uow: UnitOfWork, location_id: str) -> bool:
    """False, and nothing is written, for a location that has chargers. One that is gone is taken back."""
    location = get_location(uow.ctx, location_id)
    if location is None:
        return True
    if location.charger_count:
        return False
    uow.delete(LOCATIONS, location_key(location_id), condition=LocationRow.charger_count == 0, name="location")
    return True


def take_back_charger(uow: UnitOfWork, charger_id: str) -> bool:
    """The charger with its EVSEs, their codes, its serial number and its places. False, and nothing is written, for one
    that ever connected, or that something waits for. One that is gone is taken back."""
    charger = get_charger(uow.ctx, charger_id)
    if charger is None:
        return True
    link = get_link(uow.ctx, charger_id)
    if charger.booted_at is not None or (link is not None and (link.connected_at is not None or link.outbound)):
        return False
    untouched = where_it_was(charger) & what_it_has(charger) & ChargerRow.booted_at.does_not_exist()
    uow.delete(CHARGERS, charger_row_key(charger_id), condition=untouched, name="charger")
    never = LinkRow.connected_at.does_not_exist() & LinkRow.connection_id.does_not_exist()
    uow.delete(LINKS, link_key(charger_id), condition=never, name="link")
    free_serial_number(uow, charger)
    if charger.location_id is not None:
        count_placed(uow, charger.location_id, -1)
    if charger.group_id is not None:
        count_grouped(uow, charger.group_id, -1)
    for evse in list_evses(uow.ctx, charger_id):
        uow.delete(EVSES, evse_key(charger_id, evse.evse_no), name="EVSE")
        if evse.code is not None:
            uow.delete(EVSE_CODES, code_key(evse.code), name="QR code")
    return True
