"""On whose behalf work is done that goes on after the answer: exactly what the asker might when asking."""

from __future__ import annotations

from chalicelib.files.model import Acting
from chalicelib.kernel.actor import Actor
from chalicelib.kernel.http import Request
from chalicelib.kernel.unit_of_work import UnitOfWork


def acting_of(actor: Actor) -> Acting:
    return Acting(
        kind=actor.kind,
        login_id=actor.login_id,
        organization_id=actor.organization_id,
        organization_kind=actor.organization_kind,
        user_id=actor.user_id,
        api_key_id=actor.api_key_id,
        permissions=sorted(actor.permissions),
        region_ids=_listed(actor.region_ids),
        vending_point_ids=_listed(actor.vending_point_ids),
    )


def request_of(uow: UnitOfWork, acting: Acting, file_id: str) -> Request:
    """A request as the asker would make it now. What it says for the audit log is not kept: the file's own entry is."""
    actor = Actor(
        acting.kind,
        login_id=acting.login_id,
        organization_id=acting.organization_id,
        organization_kind=acting.organization_kind,
        user_id=acting.user_id,
        api_key_id=acting.api_key_id,
        permissions=frozenset(acting.permissions),
        region_ids=_set(acting.region_ids),
        vending_point_ids=_set(acting.vending_point_ids),
    )
    return Request(ctx=uow.ctx, uow=uow, actor=actor, request_id=file_id)


def sees_as_then(actor: Actor, acting: Acting) -> bool:
    """Whether who asked may still see all that was shown then: works everywhere, or at the very places of then."""
    places = _listed(actor.region_ids), _listed(actor.vending_point_ids)
    return not actor.is_narrowed or places == (acting.region_ids, acting.vending_point_ids)


def _listed(ids: frozenset[str] | None) -> list[str] | None:
    return None if ids is None else sorted(ids)


def _set(ids: list[str] | None) -> frozenset[str] | None:
    return None if ids is None else frozenset(ids)
