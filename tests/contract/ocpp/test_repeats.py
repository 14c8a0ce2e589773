"""A frame that is sent again, under the same message id or a new one, is recognised by what it says: it gets the same
answer, and no row changes (docs/decisions/0017)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.kernel.outbox import EVENTS
from chalicelib.ocpp.store import TABLE as PROTOCOL_TABLE
from chalicelib.ocpp.versions import VERSIONS
from tests.contract.ocpp import from_schema
from tests.contract.ocpp.field import Field, field
from tests.world import table_definitions

__all__ = ["field"]
DATED_BY_US = frozenset({"GetCertificateChainStatus"})
"""Their answers say until when they hold."""
CASES = [(protocol, action) for protocol, version in VERSIONS.items() for action in sorted(version.actions)]


def rows(field: Field, action: str) -> dict[str, Any]:
    """Everything that is stored, but for the log of messages and the count of findings.

    A boot carries neither moment nor number: each is one more boot, and its event makes the platform look at the
    configuration again, which changes nothing that is as it should be.
    """
    left_out = {PROTOCOL_TABLE, EVENTS.name} if action == "BootNotification" else {PROTOCOL_TABLE}
    found = {}
    for definition in table_definitions():
        name = definition["TableName"]
        if name not in left_out:
            answer = field.world.engine.execute("Scan", {"TableName": name})
            assert "LastEvaluatedKey" not in answer
            found[name] = sorted(answer["Items"], key=repr)
    return found


@pytest.mark.parametrize("which", ["minimal", "maximal"])
@pytest.mark.parametrize(("protocol", "action"), CASES)
def test_every_action_again(field: Field, protocol: str, action: str, which: str) -> None:
    version = VERSIONS[protocol]
    make = from_schema.minimal if which == "minimal" else from_schema.maximal
    payload = make(version, action + version.request_suffix)
    first = field.result(json.dumps([2, "once", action, payload]))
    before = rows(field, action)
    for message_id in ("once", "again"):
        assert field.result(json.dumps([2, message_id, action, payload])) == first
        assert rows(field, action) == before


@pytest.mark.parametrize(("protocol", "action"), [case for case in CASES if case[1] not in DATED_BY_US])
def test_every_action_again_an_hour_later(field: Field, protocol: str, action: str) -> None:
    """The charger's queue was long. Only what tells our time may differ."""
    version = VERSIONS[protocol]
    payload = from_schema.maximal(version, action + version.request_suffix)
    first = field.result(json.dumps([2, "once", action, payload]))
    field.world.advance(3600)
    again = field.result(json.dumps([2, "once", action, payload]))
    assert {**again, "currentTime": None} == {**first, "currentTime": None}


@pytest.mark.parametrize("timestamp", [None, "", "soon", "1970-01-01T00:00:05Z"])
def test_a_start_whose_moment_cannot_be_read_again_a_minute_later(field: Field, timestamp: Any) -> None:
    """Received twice it has two moments; its message id, its card and its meter say that it is one."""
    payload = {"connectorId": 1, "idTag": "TAG001", "meterStart": 7, "timestamp": timestamp}
    first = field.result(json.dumps([2, "start", "StartTransaction", payload]))
    field.world.advance(60)
    assert field.result(json.dumps([2, "start", "StartTransaction", payload])) == first
    assert field.session().transaction_id == first["transactionId"]
