"""Conformance findings: how a charger's messages stray from the standard, kept per charger and shown to its operator.

Called by the gateway and by outbound after their commit. Best effort: one write of one unit per frame at most, none for
what was noted within NOTE_INTERVAL by this process; a failure is logged and breaks nothing. A charger repeats its
habits, so what had no turn in one frame has it in the next, and `times` is what was counted, never more than happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from chalicelib.chargers.model import charger_key
from chalicelib.kernel.context import Context
from chalicelib.kernel.log import logger
from chalicelib.kernel.pages import Page
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp import frames
from chalicelib.ocpp.frames import Call, Frame, Malformed
from chalicelib.ocpp.model import Finding
from chalicelib.ocpp.repairs import Repair, as_example
from chalicelib.ocpp.store import FINDING_PREFIX, FINDING_RETENTION, FINDINGS, FindingRow, charger_pk, finding_key

NOTE_INTERVAL: Final = timedelta(minutes=10)
NO_ACTION: Final = "-"
"""In the place of the action of a frame that names none which the version has."""
_REMEMBERED: Final = 20_000
_MAX_POINTER_LENGTH: Final = 300


@dataclass(frozen=True, slots=True)
class _Seen:
    """When a finding was stored last, and how often it was seen since."""

    stored_at: datetime | None
    untold: int


def of_envelope(text: str, frame: Frame) -> list[Repair]:
    """What is wrong with the frame around the payload. Of a broken answer no example is kept: it may hold a secret."""
    if isinstance(frame, Call):
        oddities = frames.oddities(text, frame)
        return [Repair(rule, "", "answered all the same", as_example(found)) for rule, found in oddities]
    if not isinstance(frame, Malformed):
        return []
    is_answer = frame.message_type in (frames.CALL_RESULT, frames.CALL_ERROR)
    return [Repair(f"frame_{frame.fault.value}", "", "not understood", "" if is_answer else as_example(text))]


def unknown_action(action: str) -> Repair:
    return Repair("unknown_action", "", "answered with NotImplemented", as_example(action))


def not_conforming(detail: str) -> Repair:
    """What could not be repaired and was refused."""
    return Repair("not_conforming", "", detail, "")


def note(
    ctx: Context, *, charger_id: str, operator_id: str, protocol: str, action: str, repairs: Sequence[Repair]
) -> None:
    """Counts what was found in one frame. Never raises."""
    try:
        due = _due(ctx, charger_id, action, repairs)
        if due is not None:
            repair, times = due
            now = ctx.now()
            _store(
                ctx,
                Finding(
                    charger_id=charger_id,
                    operator_id=operator_id,
                    protocol=protocol,
                    action=action,
                    rule=repair.rule,
                    pointer=repair.pointer[:_MAX_POINTER_LENGTH],
                    detail=repair.detail,
                    example=repair.example,
                    first_at=now,
                    last_at=now,
                    times=times,
                ),
            )
    except Exception:
        logger.exception("finding not stored", extra={"charger_id": charger_id})


def list_findings(ctx: Context, charger_id: str, *, limit: int, cursor: str | None) -> Page[Finding]:
    """The findings of a charger, by action."""
    return FINDINGS.query(
        ctx, charger_pk(charger_id), FindingRow.sk.startswith(FINDING_PREFIX), limit=limit, cursor=cursor
    )


def _due(ctx: Context, charger_id: str, action: str, repairs: Sequence[Repair]) -> tuple[Repair, int] | None:
    """The first of these that may be stored now, and how often it was seen; the others are remembered."""
    memory = ctx.cache("ocpp.findings", size=_REMEMBERED)
    now = ctx.now()
    due: tuple[Repair, int] | None = None
    for repair in repairs:
        key = (charger_key(charger_id), action, repair.rule, repair.pointer)
        seen: _Seen = memory.get(key) or _Seen(None, 0)
        times = seen.untold + 1
        may_store = due is None and (seen.stored_at is None or now - seen.stored_at >= NOTE_INTERVAL)
        if may_store:
            due = (repair, times)
        memory.put(key, _Seen(now, 0) if may_store else _Seen(seen.stored_at, times))
    return due


def _store(ctx: Context, finding: Finding) -> None:
    """One UpdateItem: the first sight and the count stay, the rest is of the last one."""
    uow = UnitOfWork(ctx)
    uow.update(
        FINDINGS,
        finding_key(finding),
        [
            FindingRow.charger_id.set(finding.charger_id),
            FindingRow.operator_id.set(finding.operator_id),
            FindingRow.protocol.set(finding.protocol),
            FindingRow.action.set(finding.action),
            FindingRow.rule.set(finding.rule),
            FindingRow.pointer.set(finding.pointer),
            FindingRow.detail.set(finding.detail),
            FindingRow.example.set(finding.example),
            FindingRow.first_at.set(FindingRow.first_at | finding.first_at),
            FindingRow.last_at.set(finding.last_at),
            FindingRow.times.add(finding.times),
            FindingRow.expires_at.set(int((finding.last_at + FINDING_RETENTION).timestamp())),
        ],
    )
    uow.commit()
