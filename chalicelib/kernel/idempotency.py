"""Idempotency of requests: the same key with the same body gets the same answer, once and for all.

A key is first claimed (a commit of its own), then its answer lands in the same transaction as the work. A crash in
between leaves a claim whose lease runs out, so that the client's retry may do the work: nothing was written.
Keys of money requests never expire.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from chalicelib.kernel.attributes import MomentAttribute
from chalicelib.kernel.context import Context, table_name
from chalicelib.kernel.errors import DomainError, Kind, StaleRead
from chalicelib.kernel.table import Row, Table
from chalicelib.kernel.unit_of_work import UnitOfWork

LEASE = timedelta(seconds=60)
RETENTION = timedelta(days=1)
MAX_KEY_LENGTH = 255


@dataclass(frozen=True)
class Claim:
    """One use of an Idempotency-Key. `status` and `body` are the stored answer once `done`."""

    scope: str
    idempotency_key: str
    body_hash: str
    first_claimed_at: datetime
    lease_until: datetime
    done: bool = False
    status: int | None = None
    body: str | None = None
    expires_at: int | None = None


class ClaimRow(Row):
    class Meta:
        table_name = table_name("idempotency")

    scope = UnicodeAttribute()
    idempotency_key = UnicodeAttribute()
    body_hash = UnicodeAttribute()
    first_claimed_at = MomentAttribute()
    lease_until = MomentAttribute()
    done = BooleanAttribute()
    status = NumberAttribute(null=True)
    body = UnicodeAttribute(null=True)
    expires_at = NumberAttribute(null=True)


def _key(entry: Claim) -> tuple[str, str]:
    return (f"{entry.scope}#{entry.idempotency_key}", "claim")


CLAIMS: Table[Claim] = Table(ClaimRow, Claim, key=_key)


def claim(ctx: Context, scope: str, key: str, body: bytes, *, keep_forever: bool = True) -> Claim:
    """Claims the key for one request; commits by itself. A claim that is `done` carries the answer to replay.

    Raises idempotency.key_invalid (400), idempotency.body_differs (422), idempotency.in_progress (409).
    """
    if not key or len(key) > MAX_KEY_LENGTH:
        raise DomainError(
            "idempotency.key_invalid", "This request needs an Idempotency-Key of 1 to 255 characters.", Kind.INVALID
        )
    now = ctx.now()
    body_hash = hashlib.sha256(body).hexdigest()
    fresh = Claim(
        scope=scope,
        idempotency_key=key,
        body_hash=body_hash,
        first_claimed_at=now,
        lease_until=now + LEASE,
        expires_at=None if keep_forever else int((now + RETENTION).timestamp()),
    )
    in_progress = _in_progress()
    known = CLAIMS.get(ctx, *_key(fresh))
    if known is None:
        uow = UnitOfWork(ctx)
        uow.create(CLAIMS, fresh, on_conflict=in_progress)
        uow.commit()
        return fresh
    if known.body_hash != body_hash:
        raise DomainError(
            "idempotency.body_differs", "This Idempotency-Key was used for another request.", Kind.UNPROCESSABLE
        )
    if known.done:
        return known
    if known.lease_until > now:
        raise in_progress
    return _take_over(ctx, known, now, in_progress)


def _take_over(ctx: Context, known: Claim, now: datetime, in_progress: DomainError) -> Claim:
    renewed = replace(known, lease_until=now + LEASE)
    uow = UnitOfWork(ctx)
    uow.put(
        CLAIMS,
        renewed,
        condition=_still_held(known),
        on_conflict=in_progress,
    )
    uow.commit()
    return renewed


def complete(uow: UnitOfWork, claimed: Claim, status: int, body: bytes) -> None:
    """Adds the answer to the unit of work that does the request's work: whoever's lease was taken over commits
    nothing."""
    uow.put(
        CLAIMS,
        replace(claimed, done=True, status=status, body=body.decode()),
        condition=_still_held(claimed),
        on_conflict=_in_progress(),
        name="idempotency",
    )


def abandon(ctx: Context, claimed: Claim) -> None:
    """Frees the key after a refused request (nothing was written), so that a corrected one may use it. Somebody who
    took over meanwhile is left alone."""
    uow = UnitOfWork(ctx)
    uow.delete(CLAIMS, _key(claimed), condition=_still_held(claimed))
    try:
        uow.commit()
    except StaleRead:
        return


def release(ctx: Context, claimed: Claim) -> None:
    """Ends the lease of a request that failed after its first commit: the key and its body stay bound, and a retry
    may take over now. Somebody who took over meanwhile is left alone."""
    uow = UnitOfWork(ctx)
    uow.put(
        CLAIMS,
        replace(claimed, lease_until=ctx.now()),
        condition=_still_held(claimed),
    )
    try:
        uow.commit()
    except StaleRead:
        return


def _still_held(claimed: Claim) -> Condition:
    held: Condition = (ClaimRow.lease_until == claimed.lease_until) & (ClaimRow.done == False)  # noqa: E712
    return held


def _in_progress() -> DomainError:
    detail = "A request with this Idempotency-Key is still running."
    return DomainError("idempotency.in_progress", detail, Kind.CONFLICT, retry_after_s=1)
