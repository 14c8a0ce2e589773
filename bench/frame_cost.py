"""CPU of a frame without storage: parse, validate, route, answer; ours beside the `ocpp` package's of the same frames.

Ours is what the gateway runs between the socket and the service: the envelope read, the step decided, its oddities
looked for, the payload validated (and repaired, if it were broken), the action found, a unit of work opened and
committed, the answer encoded. The reference is the package's `ChargePoint.route_message`, which validates its answers
too; ours are proved valid by tests instead. It is measured as it comes, validating in a thread, and with its setting
that does so in place, which is quicker: the target counts against that. Both handlers touch nothing, no socket is open,
and CPU is of the whole process, threads included.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ocpp import messages

from bench.frames import Script
from bench.reference_server import Charger as ReferenceCharger
from chalicelib.chargers.model import Charger
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.context import Context, Settings
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit
from chalicelib.ocpp import exchange, findings, frames
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.repairs import Repaired
from chalicelib.ocpp.v16.routes import V16
from chalicelib.ocpp.version import Action, Inbound

FRAMES_PER_BATCH = 2_000
BATCHES = 5
TARGET_US, TARGET_RATIO = 150, 3

_NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
_CHARGER = Charger("BENCH-1", "org", evse_count=1, password_hash="", created_at=_NOW, location_id="loc")


@dataclass(frozen=True)
class FrameCost:
    """CPU microseconds per frame, of the best batch."""

    action: str
    ours_us: float
    default_us: float
    in_place_us: float

    @property
    def ratio(self) -> float:
        """Against the quicker of the reference's two ways."""
        return min(self.default_us, self.in_place_us) / self.ours_us


def measure() -> list[FrameCost]:
    """Heartbeat, StatusNotification and MeterValues with three samples, as the load cases send them."""
    makers: dict[str, Callable[[Script], str]] = {
        "Heartbeat": Script.heartbeat,
        "StatusNotification": Script.status,
        "MeterValues": Script.meter_values,
    }
    found = []
    for action, make in makers.items():
        script = Script(1)
        texts = [make(script) for _ in range(FRAMES_PER_BATCH)]
        _check(texts[0], action)
        found.append(FrameCost(action, _best(_ours, texts), _best(_theirs, texts), _best(_theirs_in_place, texts)))
    return found


def answer(ctx: Context, text: str) -> str:
    """Our answer to a frame, nothing being stored."""
    frame = frames.decode(text)
    step = exchange.next_step(frame, V16.faults)
    if findings.of_envelope(text, frame) or not isinstance(step, exchange.Serve):
        raise ValueError(f"no good CALL: {text}")
    call = step.call
    action = _ACTIONS[call.action]
    read = V16.read_request(call.action, call.payload, _NOW)
    if not isinstance(read, Repaired) or read.repairs:
        raise ValueError(f"not valid: {text}")
    inbound = Inbound(_CHARGER, str(call.message_id), read.payload, _NOW)
    return frames.encode_result(call.message_id, decide_and_commit(ctx, lambda uow: action.handle(uow, inbound)))


def _tell_time(_uow: UnitOfWork, call: Inbound) -> Payload:
    return {"currentTime": to_rfc3339(call.received_at)}


def _say_nothing(_uow: UnitOfWork, _call: Inbound) -> Payload:
    return {}


_ACTIONS: dict[str, Action] = {
    name: dataclasses.replace(action, handle=_tell_time if name == "Heartbeat" else _say_nothing)
    for name, action in V16.actions.items()
}


class _Nowhere:
    """The connection of a reference charger: what is sent is counted."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, message: str) -> None:
        self.sent.append(message)


def _ours(texts: list[str]) -> None:
    ctx = Context(Settings())
    for text in texts:
        answer(ctx, text)


def _theirs(texts: list[str]) -> None:
    asyncio.run(_route(texts))


def _theirs_in_place(texts: list[str]) -> None:
    before, messages.ASYNC_VALIDATION = messages.ASYNC_VALIDATION, False
    try:
        _theirs(texts)
    finally:
        messages.ASYNC_VALIDATION = before


async def _route(texts: list[str]) -> list[str]:
    connection: Any = _Nowhere()
    charger = ReferenceCharger("BENCH-1", connection)
    for text in texts:
        await charger.route_message(text)
    sent: list[str] = connection.sent
    return sent


def _check(text: str, action: str) -> None:
    """Both give a result to the same frame, else there is nothing to compare."""
    for given in (answer(Context(Settings()), text), *asyncio.run(_route([text]))):
        if frames.decode(given).__class__ is not frames.CallResult:
            raise ValueError(f"{action} was answered by {given}")


def _best(run: Callable[[list[str]], None], texts: list[str]) -> float:
    """Microseconds of CPU per frame; the first batch, which compiles schemas, is not counted."""
    run(texts)
    seconds = []
    for _ in range(BATCHES):
        before = time.process_time()
        run(texts)
        seconds.append(time.process_time() - before)
    return min(seconds) / len(texts) * 1e6
