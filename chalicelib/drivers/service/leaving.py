"""A driver who leaves: what is personal goes, what was charged and paid stays.

Sessions, billing records and the ledger name the driver by id alone; the row of that id stays, so that they lead
somewhere, and says of nobody who they were. It never comes back: whoever signs up with the address again is new.
"""

from __future__ import annotations

from chalicelib.drivers.model import DELETED_NAME, Driver, IdToken, app_token, in_the_drawer
from chalicelib.drivers.service.announcing import announce_card
from chalicelib.drivers.service.groups import leave_groups
from chalicelib.drivers.service.listing import list_cards_of
from chalicelib.drivers.service.members import leave_enterprises
from chalicelib.drivers.service.profiles import save_driver
from chalicelib.drivers.store import ID_TOKENS, IdTokenRow, token_key
from chalicelib.kernel import outbox
from chalicelib.kernel.errors import conflict
from chalicelib.kernel.unit_of_work import UnitOfWork

MAX_LEAVING_WRITES = 95
"""Of one transaction; the rest is the audit log's. Only who has cards of dozens of operators comes near it."""


def erase_driver(uow: UnitOfWork, driver: Driver) -> Driver:
    """Empties the driver's row, ends the cards and memberships, and has the farewell mailed. That there is no money
    and no charge is the caller's to check. The login is identity's (`remove_driver_login`), before this.

    Raises driver.deleted, driver.too_much_to_delete (409).
    """
    farewell = {"email": driver.email, "full_name": driver.full_name, "language": driver.language}
    for card in list_cards_of(uow.ctx, driver):
        _give_up(uow, card, driver)
    uow.delete(
        ID_TOKENS,
        token_key(app_token(driver.driver_id)),
        condition=IdTokenRow.driver_id == driver.driver_id,
        name="id token",
    )
    left = leave_enterprises(uow, driver)
    leave_groups(uow, driver)
    nobody = Driver(
        driver_id=driver.driver_id,
        email="",
        full_name=DELETED_NAME,
        created_at=driver.created_at,
        state="inactive",
        revision=driver.revision,
        inactive_at=driver.inactive_at,
        enterprises=left.enterprises,
        deleted_at=uow.ctx.now(),
    )
    erased = save_driver(uow, driver, nobody)
    outbox.emit(uow, "driver.left", driver.driver_id, farewell)
    if len(uow.writes) > MAX_LEAVING_WRITES:
        raise conflict("driver.too_much_to_delete", "Remove some of your cards first.")
    return erased


def _give_up(uow: UnitOfWork, card: IdToken, driver: Driver) -> None:
    """An operator's card goes back to the drawer; a driver's own one is forgotten."""
    owner = IdTokenRow.driver_id == driver.driver_id
    announce_card(uow, card)
    if card.operator_id is None:
        uow.delete(ID_TOKENS, token_key(card.id_token), condition=owner, name="id token")
    else:
        uow.put(ID_TOKENS, in_the_drawer(card), condition=owner)
