"""What we measure ourselves against: the smallest useful server on the bare `ocpp` package, as its README has it.

It validates as the package does by default, answers all actions of a session, and stores nothing. Started by
`bench.servers` as `python -m bench.reference_server <port>`; chargers connect to it as they do to the platform.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from datetime import UTC, datetime
from itertools import count
from typing import Any

import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result
from ocpp.v16.datatypes import IdTagInfo
from ocpp.v16.enums import Action, AuthorizationStatus, RegistrationStatus
from websockets.asyncio.server import ServerConnection

_transaction_ids = count(1)
_ACCEPTED = IdTagInfo(status=AuthorizationStatus.accepted)


def _now() -> str:
    return datetime.now(UTC).isoformat()


class Charger(ChargePoint):
    @on(Action.boot_notification)
    async def on_boot(self, **_: Any) -> call_result.BootNotification:
        return call_result.BootNotification(current_time=_now(), interval=300, status=RegistrationStatus.accepted)

    @on(Action.heartbeat)
    async def on_heartbeat(self) -> call_result.Heartbeat:
        return call_result.Heartbeat(current_time=_now())

    @on(Action.status_notification)
    async def on_status(self, **_: Any) -> call_result.StatusNotification:
        return call_result.StatusNotification()

    @on(Action.authorize)
    async def on_authorize(self, **_: Any) -> call_result.Authorize:
        return call_result.Authorize(id_tag_info=_ACCEPTED)

    @on(Action.start_transaction)
    async def on_start(self, **_: Any) -> call_result.StartTransaction:
        return call_result.StartTransaction(transaction_id=next(_transaction_ids), id_tag_info=_ACCEPTED)

    @on(Action.meter_values)
    async def on_meter_values(self, **_: Any) -> call_result.MeterValues:
        return call_result.MeterValues()

    @on(Action.stop_transaction)
    async def on_stop(self, **_: Any) -> call_result.StopTransaction:
        return call_result.StopTransaction(id_tag_info=_ACCEPTED)


async def serve_charger(connection: ServerConnection) -> None:
    path = connection.request.path if connection.request else "/"
    try:
        await Charger(path.rpartition("/")[2], connection).start()
    except websockets.ConnectionClosed:
        return


async def main(port: int) -> None:
    async with websockets.serve(serve_charger, "127.0.0.1", port, subprotocols=[websockets.Subprotocol("ocpp1.6")]):
        sys.stdout.write("listening\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(main(int(sys.argv[1])))
