"""Which cards an operator's chargers are to know while they are offline, and which of them are to be told.

What changes marks a row; a job looks for marks every minute, and each that is due becomes an event, in one commit with
the mark's end. The cards are composed once for all chargers of an operator.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import chain, islice
from typing import Final

from chalicelib.chargers.model import Charger
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import IdToken
from chalicelib.identity import service as identity
from chalicelib.kernel import outbox
from chalicelib.kernel.cache import Cache
from chalicelib.kernel.context import Context
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import wallet_account
from chalicelib.maintenance.model.offline_cards import (
    AFTER_BOOT,
    COMPOSED_FOR,
    LONGEST_WAIT,
    QUIET,
    Composition,
    ListDue,
    LocalListPolicy,
    check_policy,
    compose,
    is_payable,
)
from chalicelib.maintenance.store import (
    COMPOSITIONS,
    DUES_PK,
    LIST_DUES,
    LOCAL_LIST_POLICIES,
    LOCAL_LISTS,
    ListDueRow,
    LocalListPolicyRow,
    composition_key,
    due_key,
    list_key,
    policy_key,
)

_POLICY_CACHE_S: Final = 60
_CHUNK: Final = 100
_MOST_EXAMINED: Final = 20_000
"""Of the operator's cards, and of those of its drivers: ten times what a list can have."""


# -- the policy ---------------------------------------------------------------------------------------------------


def get_local_list_policy(ctx: Context, operator_id: str) -> LocalListPolicy:
    return LOCAL_LIST_POLICIES.get(ctx, *policy_key(operator_id)) or LocalListPolicy(operator_id)


def set_local_list_policy(
    uow: UnitOfWork, operator_id: str, *, enabled: bool, drivers_cards: bool, min_balance: int
) -> LocalListPolicy:
    """What is the same already changes nothing; else the operator's chargers are told. Lists that chargers have stay
    there when it is switched off. Raises local_list_policy.min_balance."""
    check_policy(min_balance)
    known = get_local_list_policy(uow.ctx, operator_id)
    after = replace(known, enabled=enabled, drivers_cards=drivers_cards, min_balance=min_balance)
    if after == known:
        return known
    after = replace(after, revision=known.revision + 1, changed_at=uow.ctx.now())
    row = LocalListPolicyRow
    unchanged = row.pk.does_not_exist() if known.revision == 0 else row.revision == known.revision
    uow.put(LOCAL_LIST_POLICIES, after, condition=unchanged, name="local list policy")
    uow.then(lambda: _policies(uow.ctx).forget(operator_id))
    if enabled:
        mark_operator_due(uow, operator_id)
    return after


def _is_enabled(ctx: Context, operator_id: str) -> bool:
    """May be a minute old."""
    cache = _policies(ctx)
    known = cache.get(operator_id)
    if known is None:
        known = get_local_list_policy(ctx, operator_id)
        cache.put(operator_id, known)
    return known.enabled


def _policies(ctx: Context) -> Cache[LocalListPolicy]:
    return ctx.cache("maintenance.local_list_policies", size=1024, ttl_s=_POLICY_CACHE_S)


# -- what is due --------------------------------------------------------------------------------------------------


def mark_operator_due(uow: UnitOfWork, operator_id: str) -> None:
    """All of the operator's chargers are to be looked at, when it has been quiet for a while. Marked again, it waits
    for quiet again, but not for ever."""
    now = uow.ctx.now()
    uow.update(
        LIST_DUES,
        due_key(operator_id, None),
        [
            ListDueRow.operator_id.set(operator_id),
            ListDueRow.not_before.set(now + QUIET),
            ListDueRow.no_later.set(ListDueRow.no_later | (now + LONGEST_WAIT)),
        ],
        name="local lists due",
    )


def mark_changed(uow: UnitOfWork, operator_id: str) -> None:
    """Some of the cards have changed."""
    if _is_enabled(uow.ctx, operator_id):
        mark_operator_due(uow, operator_id)


def mark_charger_due(uow: UnitOfWork, charger: Charger, after: timedelta) -> None:
    """This charger is to be looked at, so long from now."""
    at = uow.ctx.now() + after
    uow.put(LIST_DUES, ListDue(charger.operator_id, at, at, charger.charger_id), name="local list due")


def mark_booted(uow: UnitOfWork, charger: Charger) -> None:
    """The charger is back: if it missed something meanwhile, it is due. One read where it did not."""
    known = LOCAL_LISTS.get(uow.ctx, *list_key(charger.charger_id))
    if known is not None and known.operator_id == charger.operator_id:
        if known.excluded or known.state == "synchronized":
            return
        if known.state == "not_supported" and known.firmware == charger.firmware_version:
            return
    if _is_enabled(uow.ctx, charger.operator_id):
        mark_charger_due(uow, charger, AFTER_BOOT)


def due_lists(ctx: Context) -> Iterator[ListDue]:
    """What is due now."""
    now = ctx.now()
    return (due for due in LIST_DUES.query_all(ctx, DUES_PK) if due.is_due(now))


def begin_round(uow: UnitOfWork, operator_id: str, charger_id: str | None) -> bool:
    """What is due becomes an event, once. False if somebody else was faster, or it has been put off."""
    key = due_key(operator_id, charger_id)
    due = LIST_DUES.get(uow.ctx, *key)
    if due is None or not due.is_due(uow.ctx.now()):
        return False
    uow.delete(LIST_DUES, key, condition=ListDueRow.not_before == due.not_before, name="local lists due")
    continue_round(uow, operator_id, charger_id=charger_id)
    return True


def continue_round(
    uow: UnitOfWork, operator_id: str, *, charger_id: str | None = None, cursor: str | None = None
) -> None:
    """Has one charger looked at, or the next page of the operator's chargers."""
    payload = {"operator_id": operator_id, "charger_id": charger_id, "cursor": cursor}
    outbox.emit(uow, "local_lists.due", charger_id or operator_id, payload)


# -- what there is to know ----------------------------------------------------------------------------------------


def recent_composition(ctx: Context, operator_id: str) -> Composition:
    """As it was composed a short while ago for other chargers, else anew; stored for the next one."""
    known = COMPOSITIONS.get(ctx, *composition_key(operator_id), consistent=False)
    if known is not None and ctx.now() - known.composed_at < COMPOSED_FOR:
        return known
    return new_composition(ctx, operator_id)


def new_composition(ctx: Context, operator_id: str) -> Composition:
    """Read from the cards and wallets as they are, and kept: it can be made again at any time."""
    composition = compose_cards(ctx, operator_id)
    COMPOSITIONS.batch_put(ctx, [composition])
    return composition


def compose_cards(ctx: Context, operator_id: str) -> Composition:
    """Cards that would be accepted at the operator's chargers now, and whose drivers can pay."""
    policy = get_local_list_policy(ctx, operator_id)
    now = ctx.now()
    accepted = (card for card in _cards(ctx, policy) if card.verdict(operator_id, now) == "accepted")
    return compose(operator_id, _payable(ctx, policy, accepted), now)


def _cards(ctx: Context, policy: LocalListPolicy) -> Iterator[IdToken]:
    configured = islice(drivers.walk_operator_cards(ctx, policy.operator_id), _MOST_EXAMINED)
    if not policy.drivers_cards:
        return configured
    of_drivers = islice(drivers.walk_cards_of_drivers(ctx, policy.operator_id), _MOST_EXAMINED)
    return chain(configured, (card for card in of_drivers if card.operator_id is None))


def _payable(ctx: Context, policy: LocalListPolicy, cards: Iterator[IdToken]) -> Iterator[IdToken]:
    if policy.min_balance == 0:
        yield from cards
        return
    currency = identity.get_organization(ctx, policy.operator_id).currency
    while chunk := list(islice(cards, _CHUNK)):
        wallets = {card.id_token: wallet_account(card.driver_id or "", currency) for card in chunk}
        balances = ledger.balances(ctx, list(dict.fromkeys(wallets.values())))
        for card in chunk:
            balance = balances.get(wallets[card.id_token])
            if is_payable(card, policy.operator_id, 0 if balance is None else balance.amount, policy.min_balance):
                yield card


def is_composed_for(ctx: Context, operator_id: str) -> bool:
    """Agencies are on drivers' lists, too, and have no chargers of their own."""
    return identity.get_organization(ctx, operator_id).kind == "operator"
