"""Handshakes: who is let in, what is written down, and what a charger has shown for the first time.

`$connect` calls `check_handshake`. A refused handshake, or an odd one, leaves a connection attempt.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pynamodb.expressions.update import Action

from chalicelib.chargers.model import (
    Accepted,
    Charger,
    ConnectionAttempt,
    Handshake,
    Refused,
    Viewer,
    charger_key,
    decide_handshake,
    is_identity,
)
from chalicelib.chargers.model.handshake import OVER_TLS, split_protocols
from chalicelib.chargers.service.finding import get_charger
from chalicelib.chargers.service.registering import PASSWORD_KEY
from chalicelib.chargers.store.links import ATTEMPTS, attempts_pk
from chalicelib.chargers.store.places import CHARGERS, ChargerRow, charger_row_key
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead
from chalicelib.kernel.pages import Page, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork

_MAX_SHOWN_IDENTITY = 100


def check_handshake(
    uow: UnitOfWork,
    *,
    identity: str,
    authorization: str | None,
    offered_protocols: Sequence[str],
    source_ip: str,
    viewer: Viewer = OVER_TLS,
) -> Handshake:
    """Accepted or Refused. What is refused, or odd, adds a connection attempt to the unit of work: commit that too.

    `identity` is percent-decoded; `offered_protocols` are the Sec-WebSocket-Protocol values as they came. A new
    password or a higher security profile that the charger was told to use counts from now on, the old one no more.
    """
    ctx = uow.ctx
    charger = get_charger(ctx, identity) if is_identity(identity) else None
    outcome = decide_handshake(
        charger,
        identity=identity,
        authorization=authorization,
        offered=offered_protocols,
        key=ctx.secret(PASSWORD_KEY).encode(),
        viewer=viewer,
    )
    if isinstance(outcome, Refused):
        found = [(outcome.status, outcome.reason, outcome.detail)]
    else:
        found = [(101, reason, detail) for reason, detail in outcome.oddities]
        settle_security(uow, outcome)
    for status, reason, detail in found:
        record_attempt(uow, identity, charger, status, reason, detail, source_ip, offered_protocols)
    return outcome


def record_attempt(
    uow: UnitOfWork,
    identity: str,
    charger: Charger | None,
    status: int,
    reason: str,
    detail: str,
    source_ip: str,
    offered_protocols: Sequence[str],
) -> None:
    attempt = ConnectionAttempt(
        attempt_id=uow.ctx.new_id("att"),
        charger_id=identity[:_MAX_SHOWN_IDENTITY],
        status=status,
        reason=reason,
        detail=detail,
        source_ip=source_ip,
        offered_protocols=[name[:40] for name in split_protocols(offered_protocols)],
        attempted_at=uow.ctx.now(),
        operator_id=charger.operator_id if charger else None,
    )
    uow.put(ATTEMPTS, attempt, name="connection attempt")


def list_attempts(
    ctx: Context,
    operator_id: str | None,
    *,
    charger_id: str | None,
    keep: Callable[[ConnectionAttempt], bool] | None = None,
    limit: int,
    cursor: str | None,
) -> Page[ConnectionAttempt]:
    """Refused and odd handshakes, newest first: of an operator's chargers, or (None) of identities that nobody
    registered."""
    steps = ATTEMPTS.walk(ctx, attempts_pk(operator_id), newest_first=True, cursor=cursor)
    wanted = None if charger_id is None else charger_key(charger_id)
    return page_of(
        steps,
        limit,
        lambda attempt: (
            (wanted is None or charger_key(attempt.charger_id) == wanted) and (keep is None or keep(attempt))
        ),
    )


def settle_security(uow: UnitOfWork, handshake: Accepted) -> None:
    """What a handshake has shown for the first time counts from now on."""
    charger = handshake.charger
    seen: list[Action] = []
    if handshake.saw_new_password and charger.new_password_hash is not None:
        seen += [ChargerRow.password_hash.set(charger.new_password_hash), ChargerRow.new_password_hash.remove()]
    wanted = charger.next_security_profile
    if wanted is not None and handshake.profile >= wanted:
        seen += [ChargerRow.security_profile.set(wanted), ChargerRow.next_security_profile.remove()]
    if seen:
        change_security(uow, charger, *seen)


def change_security(uow: UnitOfWork, charger: Charger, *actions: Action) -> None:
    """Provided that the credentials are those that were read."""
    uow.update(
        CHARGERS,
        charger_row_key(charger.charger_id),
        list(actions),
        condition=ChargerRow.password_hash == charger.password_hash,
        on_conflict=StaleRead("The charger"),
        name="charger security",
    )
