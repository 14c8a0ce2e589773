"""Names that only one of a list has: taken, changed and given back in the commit of what has them."""

from __future__ import annotations

from chalicelib.identity.model import TakenName, name_key
from chalicelib.identity.store import TAKEN_NAMES, name_taken_key
from chalicelib.kernel.errors import DomainError, conflict
from chalicelib.kernel.unit_of_work import UnitOfWork


def take_name(uow: UnitOfWork, organization_id: str, scope: str, name: str, holder_id: str) -> None:
    """The commit raises name.taken (409) if another has it."""
    uow.create(TAKEN_NAMES, TakenName(organization_id, scope, name_key(name), holder_id), on_conflict=_taken(name))


def free_name(uow: UnitOfWork, organization_id: str, scope: str, name: str) -> None:
    uow.delete(TAKEN_NAMES, name_taken_key(organization_id, scope, name_key(name)))


def change_name(uow: UnitOfWork, organization_id: str, scope: str, old: str, new: str, holder_id: str) -> None:
    """Nothing for names that read the same."""
    if name_key(old) != name_key(new):
        take_name(uow, organization_id, scope, new, holder_id)
        free_name(uow, organization_id, scope, old)


def _taken(name: str) -> DomainError:
    return conflict("name.taken", f"There is already one with the name {name!r} here.", "/name")
