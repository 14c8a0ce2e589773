"""A charger's local authorization list: how it stands, and its synchronisation."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from chalicelib.chargers.scope import owned_charger
from chalicelib.identity.scope import check_works_everywhere, owning_operator
from chalicelib.kernel.http import Request, Shape
from chalicelib.maintenance import service
from chalicelib.maintenance.api_operator.common import api
from chalicelib.maintenance.model import LocalList, LocalListPolicy, LocalListState
from chalicelib.maintenance.model.offline_cards import MAX_MIN_BALANCE


class LocalListSynchronize(Shape):
    """`full` sends the whole list even if the difference would do."""

    full: bool = False


class LocalListView(Shape):
    """`version` and `entry_count` are what the charger has as far as it accepted; `pages_sent` of `pages` belong to
    the synchronisation under way or the last one. `outdated`: the charger has a list that is not from here, or is
    offline and has missed something. `left_out` is how many cards found no room (`truncated`): of those that were used
    longest ago. `automatic` False: it is told by hand only."""

    charger_id: str
    state: LocalListState
    version: int
    entry_count: int
    pages: int
    pages_sent: int
    automatic: bool
    truncated: bool
    left_out: int
    detail: str
    changed_at: datetime | None
    synchronized_at: datetime | None


class LocalListPatch(Shape):
    """`automatic` False: this charger is told by hand only. What it has stays there."""

    automatic: bool


class LocalListPolicyBody(Shape):
    """`drivers_cards`: also cards that drivers on the operator's list added themselves. `min_balance`: minor units of
    the operator's currency that a driver must have when a list is made, since nobody can be asked later (0: none)."""

    enabled: bool
    drivers_cards: bool = True
    min_balance: Annotated[int, msgspec.Meta(ge=0, le=MAX_MIN_BALANCE)] = 1


class LocalListPolicyView(Shape):
    operator_id: str
    enabled: bool
    drivers_cards: bool
    min_balance: int
    changed_at: datetime | None


class LocalListPolicyQuery(Shape):
    """`operator_id` is for those above the operators; an operator has its own."""

    operator_id: str | None = None


def _policy_view(policy: LocalListPolicy) -> LocalListPolicyView:
    return LocalListPolicyView(
        operator_id=policy.operator_id,
        enabled=policy.enabled,
        drivers_cards=policy.drivers_cards,
        min_balance=policy.min_balance,
        changed_at=policy.changed_at,
    )


def _view(known: LocalList) -> LocalListView:
    return LocalListView(
        charger_id=known.charger_id,
        state=known.state,
        version=known.version,
        entry_count=known.entry_count,
        pages=known.pages,
        pages_sent=known.pages_sent,
        automatic=not known.excluded,
        truncated=known.left_out > 0,
        left_out=known.left_out,
        detail=known.detail,
        changed_at=known.changed_at,
        synchronized_at=known.synchronized_at,
    )


@api.get("/v1/chargers/{charger_id}/local-list", "chargers:read")
def get_local_list(req: Request, charger_id: str) -> LocalListView:
    """Which cards the charger knows by itself: version, state, number of entries, last synchronisation."""
    return _view(service.get_local_list(req.ctx, owned_charger(req, charger_id)))


@api.post("/v1/chargers/{charger_id}/local-list", "chargers:command", status=202)
def synchronize_local_list(req: Request, charger_id: str, body: LocalListSynchronize) -> LocalListView:
    """Sends the cards that the charger is to know (see the policy), in pages, each after the other was accepted.

    Of more cards than its list can have, those are left out that were used longest ago. Only what differs from what the
    charger has is sent, if that is known. While a synchronisation is under way, and where nothing differs, nothing is.
    """
    charger = owned_charger(req, charger_id)
    before = _view(service.get_local_list(req.ctx, charger))
    after = _view(service.synchronize_local_list(req.uow, charger, full=body.full, requested_by=req.actor.person_id))
    req.audit("local_list", charger.charger_id, owner_id=charger.operator_id, before=before, after=after)
    return after


@api.patch("/v1/chargers/{charger_id}/local-list", "chargers:write")
def update_local_list(req: Request, charger_id: str, body: LocalListPatch) -> LocalListView:
    """Whether this charger is told by itself which cards have changed. Switched on again, it is told within minutes."""
    charger = owned_charger(req, charger_id)
    before = _view(service.get_local_list(req.ctx, charger))
    after = _view(service.exclude_charger(req.uow, charger, excluded=not body.automatic))
    req.audit("local_list", charger.charger_id, owner_id=charger.operator_id, before=before, after=after)
    return after


@api.get("/v1/local-list-policy", "chargers:read")
def get_local_list_policy(req: Request, query: LocalListPolicyQuery) -> LocalListPolicyView:
    """Whether the operator's chargers know cards by themselves, and which."""
    return _policy_view(service.get_local_list_policy(req.ctx, owning_operator(req, query.operator_id)))


@api.put("/v1/local-list-policy", "chargers:write")
def put_local_list_policy(req: Request, query: LocalListPolicyQuery, body: LocalListPolicyBody) -> LocalListPolicyView:
    """Sets it for all of the operator's chargers, which are told within minutes. Switched off, they keep what they
    have, and are told by hand."""
    check_works_everywhere(req)
    operator_id = owning_operator(req, query.operator_id)
    before = service.get_local_list_policy(req.ctx, operator_id)
    after = service.set_local_list_policy(
        req.uow,
        operator_id,
        enabled=body.enabled,
        drivers_cards=body.drivers_cards,
        min_balance=body.min_balance,
    )
    shown = _policy_view(after)
    req.audit("local_list_policy", operator_id, owner_id=operator_id, before=_policy_view(before), after=shown)
    return shown
