"""What each action costs on AWS: counted, not timed, by running the Lambda handlers on the DynamoDB engine in memory.

`measure` gives units, messages, state transitions, log bytes per action, `monthly` the dollars of a charger-month by
the list prices below. tests/architecture/test_budgets.py holds the counts against their budgets. The counts are those
of a warm process: a cold one reads its connection, charger and tariff again.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any

import app as product
from bench.frames import METER_VALUES_PER_SESSION, Script
from chalicelib import relay
from chalicelib.kernel import outbox
from chalicelib.kernel.context import Settings
from chalicelib.kernel.log import logger
from infra.local import aws_hooks, template
from infra.local.events import StreamPump
from infra.local.platform import lambda_functions
from infra.local.stepfunctions import hook as stepfunctions_hook
from infra.local.stepfunctions.dataflow import machine_arn
from infra.local.stepfunctions.runner import Runner
from tests import world as worlds
from tests.site import CARD, CHARGER_ID, build_site
from ws_handlers import connect, disconnect, message

PASSWORD = "a-good-password-of-20"  # of the charger that `build_site` registers
CONNECTION_ID = "cost="
_LOG_LINE_OVERHEAD_BYTES = 26
_ITEM_OVERHEAD_BYTES = 100
_WEBSOCKET_LOG_LEVEL, _JOB_LOG_LEVEL = logging.WARNING, logging.INFO  # infra/template.yaml, infra/stack/websocket.yaml


@dataclass(frozen=True)
class Usage:
    """What one action used. `round_trips` are calls of DynamoDB, `stored_bytes` what stays in the tables.

    `message_log_...` is what the message log took of them after the answer: in none of the other figures.
    """

    wru: float = 0
    rru: float = 0
    messages: float = 0
    transitions: float = 0
    invocations: float = 0
    round_trips: float = 0
    log_bytes: float = 0
    stored_bytes: float = 0
    mails: float = 0
    message_log_wru: float = 0
    message_log_trips: float = 0
    message_log_bytes: float = 0

    def plus(self, other: Usage, times: float = 1) -> Usage:
        return Usage(*(getattr(self, f.name) + times * getattr(other, f.name) for f in fields(Usage)))


class _LogMeter(logging.Handler):
    """Counts the bytes that Lambda's JSON log format would send to CloudWatch."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0.0
        self._standard = set(vars(logging.makeLogRecord({})))

    def emit(self, record: logging.LogRecord) -> None:
        extra = {name: value for name, value in vars(record).items() if name not in self._standard}
        line = {
            "timestamp": "2026-03-02T08:00:00Z",
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": "00000000-0000-0000-0000-000000000000",
            **extra,
        }
        self.total += len(json.dumps(line, default=str)) + _LOG_LINE_OVERHEAD_BYTES


class Rig:
    """One charger, one driver with a card and money, the event relay and the session workflow, all in memory."""

    def __init__(self, world: worlds.World) -> None:
        self.world = world
        self.script = Script(0)
        self.script.id_token = CARD
        self._site = build_site(world)
        self._round_trips = self._invocations = self._messages = self._answered = 0
        self._log = _LogMeter()
        self._logged = Usage()
        self._functions = lambda_functions(product.app)
        self._runner = Runner(":memory:", world.clock.now, self._invoke)
        self._pump = StreamPump(world.engine, outbox.EVENTS.name, self._relay)
        names = {_logical_id(name): name for name in self._functions}
        for name, definition in template.state_machines(template.load_template(), names).items():
            self._runner.register(name, definition)
        self._restores = [
            stepfunctions_hook.install(self._runner),
            aws_hooks.register("dynamodb", self._execute),
        ]
        self._tables = world.engine.execute("ListTables", {})["TableNames"]
        self._before = logger.level, logger.handlers, logger.propagate
        logger.handlers, logger.propagate = [self._log], False  # counted, not printed

    def close(self) -> None:
        level, logger.handlers, logger.propagate = self._before
        logger.setLevel(level)
        for restore in reversed(self._restores):
            restore()
        self._runner.close()

    # -- actions --------------------------------------------------------------------------------------------------

    def connect(self) -> None:
        credentials = base64.b64encode(f"{CHARGER_ID}:{PASSWORD}".encode()).decode()
        event = {
            "headers": {"Authorization": f"Basic {credentials}", "Sec-WebSocket-Protocol": "ocpp1.6"},
            "queryStringParameters": {"cp": CHARGER_ID},
            "requestContext": {"connectionId": CONNECTION_ID, "identity": {"sourceIp": "192.0.2.7"}},
        }
        _expect(self._websocket(connect.handler, event)["statusCode"] == 200, "the charger may not connect")

    def disconnect(self) -> None:
        self._websocket(disconnect.handler, {"requestContext": {"connectionId": CONNECTION_ID}})

    def call(self, text: str) -> dict[str, Any]:
        """Sends a CALL and gives the payload of its answer."""
        event = {"requestContext": {"connectionId": CONNECTION_ID}, "body": text, "isBase64Encoded": False}
        body = self._websocket(message.handler, event)["body"]
        self._messages += 2
        answer: list[Any] = json.loads(body)
        _expect(answer[0] == 3, f"{text} was answered by {body}")
        payload: dict[str, Any] = answer[2]
        return payload

    def start(self) -> None:
        payload = self.call(self.script.start())
        _expect(payload["idTagInfo"]["status"] == "Accepted", "the card is refused")
        self.script.transaction_id = payload["transactionId"]

    def tell_configuration(self) -> None:
        """The charger answers what it was asked about its configuration: it has none of that."""
        for text in self.world.posted(CONNECTION_ID)[self._answered :]:
            self._answered += 1
            _, message_id, _, payload = json.loads(text)
            body = json.dumps([3, message_id, {"unknownKey": payload["key"]}])
            event = {"requestContext": {"connectionId": CONNECTION_ID}, "body": body, "isBase64Encoded": False}
            self._websocket(message.handler, event)
            self._messages += 2

    def settle(self) -> None:
        """Lets events and workflows do all that is due."""
        while self._pump.drain() + self._runner.run_due():
            pass

    # -- counting -------------------------------------------------------------------------------------------------

    @contextmanager
    def counting(self, into: dict[str, Usage], name: str) -> Iterator[None]:
        before = self._now()
        yield
        into[name] = self._now().plus(before, times=-1)

    def _now(self) -> Usage:
        return replace(
            self._all().plus(self._logged, times=-1),
            message_log_wru=self._logged.wru,
            message_log_trips=self._logged.round_trips,
            message_log_bytes=self._logged.stored_bytes,
        )

    def _all(self) -> Usage:
        units: dict[str, float] = {"read": 0, "write": 0}
        for (_, kind), amount in self.world.engine.consumed.items():
            units[kind] += amount
        return Usage(
            wru=units["write"],
            rru=units["read"],
            messages=self._messages,
            transitions=self._runner.transitions,
            invocations=self._invocations,
            round_trips=self._round_trips,
            log_bytes=self._log.total,
            stored_bytes=sum(self._stored_bytes(table) for table in self._tables),
            mails=len(self.world.mails()),
        )

    def _stored_bytes(self, table: str) -> int:
        if table == outbox.EVENTS.name:
            return 0  # gone after a week
        description = self.world.engine.execute("DescribeTable", {"TableName": table})["Table"]
        size: int = description["TableSizeBytes"] + _ITEM_OVERHEAD_BYTES * description["ItemCount"]
        return size

    def _execute(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        self._round_trips += 1
        return self.world.engine.execute(operation, request)

    def _websocket(self, handler: Any, event: dict[str, Any]) -> dict[str, Any]:
        self._invocations += 1
        logger.setLevel(_WEBSOCKET_LOG_LEVEL)
        answer: dict[str, Any] = handler(event, None)
        before = self._all()
        self.world.ctx.afterwards.settle()  # once per invocation, as in Lambda
        self._logged = self._logged.plus(self._all()).plus(before, times=-1)
        return answer

    def _invoke(self, name: str, payload: Any) -> Any:
        self._invocations += 1
        logger.setLevel(_JOB_LOG_LEVEL)
        return self._functions[name](payload, None)

    def _relay(self, event: dict[str, Any]) -> dict[str, Any]:
        self._invocations += 1
        logger.setLevel(_JOB_LOG_LEVEL)
        answer: dict[str, Any] = relay.outbox_relay(event, None)
        return answer


def measure() -> dict[str, Usage]:
    """The usage of each action in the middle of a charger's day, in the order of a session."""
    settings = Settings(
        session_state_machine_arn=machine_arn("SessionStateMachine"),
        settlement_state_machine_arn=machine_arn("SettlementStateMachine"),
    )
    with closing(worlds.build(settings=settings)) as world, closing(Rig(world)) as rig:
        _session(rig, {})  # warms what a process remembers
        rig.disconnect()
        used: dict[str, Usage] = {}
        _session(rig, used)
        with rig.counting(used, "disconnect"):
            rig.disconnect()
        return used


def _session(rig: Rig, used: dict[str, Usage]) -> None:
    """Frames as far apart as a charger's are: a minute between readings, nine between heartbeats."""
    script, world = rig.script, rig.world
    with rig.counting(used, "connect"):
        rig.connect()
    with rig.counting(used, "boot"):
        rig.call(script.boot())
    with rig.counting(used, "after the boot"):
        rig.settle()
        rig.tell_configuration()
        rig.settle()
    rig.call(script.status())
    with rig.counting(used, "status, within a minute"):
        rig.call(script.status())
    world.advance(540)
    with rig.counting(used, "heartbeat"):
        rig.call('[2,"h","Heartbeat",{}]')
    rig.call(script.authorize())
    with rig.counting(used, "authorize"):
        rig.call(script.authorize())
    with rig.counting(used, "start"):
        rig.start()
    with rig.counting(used, "after the start"):
        rig.settle()
    with rig.counting(used, "meter values"):
        for _ in range(METER_VALUES_PER_SESSION):
            world.advance(60)
            rig.call(script.meter_values())
    used["meter values"] = Usage().plus(used["meter values"], 1 / METER_VALUES_PER_SESSION)
    world.advance(60)
    with rig.counting(used, "status, later"):
        rig.call(script.status("Charging"))
    with rig.counting(used, "stop"):
        rig.call(script.stop())
    with rig.counting(used, "after the stop"):
        rig.settle()


def session(used: dict[str, Usage], meter_values: float) -> Usage:
    """A charging session by card with so many MeterValues, from Authorize to the receipt."""
    total = Usage()
    for action in ("authorize", "start", "after the start", "stop", "after the stop"):
        total = total.plus(used[action])
    return total.plus(used["meter values"], meter_values)


def _expect(condition: bool, otherwise: str) -> None:
    if not condition:
        raise RuntimeError(otherwise)


def _logical_id(function_name: str) -> str:
    return "".join(part.capitalize() for part in function_name.replace("-", "_").split("_"))
