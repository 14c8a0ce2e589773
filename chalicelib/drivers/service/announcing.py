"""Tells who keeps copies of cards (chargers that know them while they are offline) that some have changed.

One event per operator or driver and commit, however many of the cards change in it; what there is now, the listener
reads itself.
"""

from __future__ import annotations

from chalicelib.drivers.model import IdToken
from chalicelib.kernel import outbox
from chalicelib.kernel.unit_of_work import UnitOfWork


def announce_card(uow: UnitOfWork, card: IdToken) -> None:
    """A card that an operator configured is on that operator's lists, a driver's own on those of all where the driver
    charges; one that nobody has is on none."""
    if card.driver_id is None:
        return
    if card.operator_id is not None:
        announce_operator(uow, card.operator_id)
    else:
        announce_driver(uow, card.driver_id)


def announce_operator(uow: UnitOfWork, operator_id: str) -> None:
    """Cards that this operator's chargers are to know have changed."""
    if not outbox.is_emitted(uow, "id_tokens.changed", operator_id):
        outbox.emit(uow, "id_tokens.changed", operator_id, {"operator_id": operator_id})


def announce_driver(uow: UnitOfWork, driver_id: str) -> None:
    """A driver's cards have changed for every operator that may know them."""
    if not outbox.is_emitted(uow, "id_tokens.changed", driver_id):
        outbox.emit(uow, "id_tokens.changed", driver_id, {"driver_id": driver_id})
