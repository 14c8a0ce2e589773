"""Takes back what an import entered and nobody has touched since: as if it had never been. Nothing else is deleted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from chalicelib.drivers.model import Driver, app_token, id_token_key
from chalicelib.drivers.service.announcing import announce_card
from chalicelib.drivers.service.cards import find_id_token
from chalicelib.drivers.service.profiles import get_driver, save_driver
from chalicelib.drivers.store import (
    DRIVER_LINKS,
    DRIVERS,
    ID_TOKENS,
    DriverRow,
    IdTokenRow,
    driver_key,
    link_key,
    token_key,
)
from chalicelib.kernel.unit_of_work import UnitOfWork


def take_back_card(uow: UnitOfWork, id_token: str) -> bool:
    """False, and nothing is written, for a card that was blocked or used since. One that is gone is taken back."""
    card = find_id_token(uow.ctx, id_token, consistent=True)
    if card is None:
        return True
    if card.kind != "card" or card.status != "active" or card.last_used_at is not None:
        return False
    driver = None if card.driver_id is None else get_driver(uow.ctx, card.driver_id)
    owner = IdTokenRow.driver_id
    same_owner = owner.does_not_exist() if card.driver_id is None else owner == card.driver_id
    unused = (IdTokenRow.status == "active") & IdTokenRow.last_used_at.does_not_exist()
    uow.delete(ID_TOKENS, token_key(id_token), condition=same_owner & unused, name="id token")
    if driver is not None:
        key = id_token_key(id_token)
        save_driver(uow, driver, replace(driver, id_tokens=[known for known in driver.id_tokens if known != key]))
    announce_card(uow, card)
    return True


def take_back_driver(uow: UnitOfWork, driver: Driver, organization_ids: Iterable[str]) -> bool:
    """The driver, the token of the app, and the places on the lists of these organisations; the login is identity's.

    False, and nothing is written, for a driver that was changed or got a card since.
    """
    if driver.revision != 1 or driver.id_tokens or driver.enterprises:
        return False
    uow.delete(DRIVERS, driver_key(driver.driver_id), condition=DriverRow.revision == 1, name="driver")
    uow.delete(ID_TOKENS, token_key(app_token(driver.driver_id)), name="app")
    for organization_id in organization_ids:
        uow.delete(DRIVER_LINKS, link_key(organization_id, driver.driver_id), name="driver link")
    return True
