"""When the store fails: the charger hears InternalError, keeps its message and sends it again. Nothing is half done."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.tariffs import service as tariffs
from chalicelib.tariffs.model import PricePlace
from infra.local import aws_hooks
from infra.local.aws_hooks import AwsError
from tests.contract.ocpp import people
from tests.contract.ocpp.test_actions import MINIMAL
from tests.contract.ocpp.wire import Wire
from tests.world import Operator, World

START = MINIMAL["StartTransaction"]


@pytest.fixture
def break_store(world: World) -> Any:
    """`break_store(code)` makes every request to DynamoDB fail with it, or all but reads; calling what it returns
    repairs it."""
    repairs: list[Callable[[], Any]] = []

    def break_it(code: str, *, reads_work: bool = False) -> Callable[[], None]:
        def fail(operation: str, request: dict[str, Any]) -> dict[str, Any]:
            if reads_work and operation in {"GetItem", "BatchGetItem", "Query"}:
                return world.engine.execute(operation, request)
            raise AwsError(code, "the store is on fire", 400)

        repair = aws_hooks.register("dynamodb", fail)
        repairs.append(repair)
        return repair

    yield break_it
    for repair in repairs:
        repair()


@pytest.mark.parametrize("reads_work", [True, False])
@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServerError", "SomethingUnheardOf"])
def test_a_start_that_could_not_be_stored_is_sent_again(
    wire: Wire, break_store: Any, code: str, reads_work: bool
) -> None:
    wire.boot()
    repair = break_store(code, reads_work=reads_work)
    assert wire.error("StartTransaction", START) == "InternalError"
    repair()
    assert wire.call("StartTransaction", START)["transactionId"] > 0


def test_a_life_sign_that_could_not_be_stored_costs_no_answer(wire: Wire, break_store: Any) -> None:
    wire.boot()
    break_store("ThrottlingException")
    assert "currentTime" in wire.call("Heartbeat", {})


def test_an_answer_that_could_not_be_stored_is_still_not_answered(wire: Wire, break_store: Any) -> None:
    command = wire.queue("ClearCache", {})
    [sent] = wire.commands()
    repair = break_store("ThrottlingException")
    assert wire.send(json.dumps([3, sent[1], {"status": "Accepted"}])) is None
    repair()
    assert wire.outcome(command)[0] == "sent"


def test_handshakes_and_goodbyes_fail_cleanly(wire: Wire, break_store: Any) -> None:
    repair = break_store("ThrottlingException")
    assert wire.connect()[0] == 500
    wire.close()
    repair()
    assert wire.connect()[0] == 200


def test_a_stop_that_some_rule_refuses_is_not_answered_as_if_it_were_stored(
    world: World, operator: Operator, wire: Wire
) -> None:
    """The charger keeps it, and it counts once the trouble is mended: here the price of the session is not there."""
    people.price(world, operator)
    driver = people.driver(world, operator, cents=1000, card="CARD-1")
    wire.boot()
    transaction_id = wire.call("StartTransaction", {**START, "idTag": "CARD-1"})["transactionId"]
    tariff = tariffs.resolve_tariff(world.ctx, place=PricePlace("", None, (), operator.operator_id))
    key = {"pk": {"S": f"tariff#{tariff.tariff_id}"}, "sk": {"S": "v#000001"}}
    table = "wattfare-tariffs"
    version = world.engine.execute("GetItem", {"TableName": table, "Key": key})["Item"]
    world.engine.execute("DeleteItem", {"TableName": table, "Key": key})
    world.ctx._caches.clear()  # a cold Lambda
    stop = {"transactionId": transaction_id, "meterStop": START["meterStart"] + 200, "timestamp": START["timestamp"]}
    assert wire.error("StopTransaction", stop) == "InternalError"
    world.engine.execute("PutItem", {"TableName": table, "Item": version})
    wire.call("StopTransaction", stop)
    assert people.cents_of(world, driver) == 993
