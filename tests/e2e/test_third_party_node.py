"""Clients that other people wrote for Node: a session by one that checks all payloads, and a suite with opinions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import node
from tests.e2e.people import CARD, CHARGER_ID, CHARGER_PASSWORD, Site
from tests.e2e.sessions import assert_charged_for_200_wh
from tests.e2e.stack import Stack

ANSWER_WAIT_S = 30.0
SUITE_WAIT_S = 120.0


# -- ocpp-rpc ---------------------------------------------------------------------------------------------------------

QUESTIONS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "ocpp1.6": ("GetConfiguration", {"key": ["HeartbeatInterval"]}),
    "ocpp2.0.1": (
        "GetVariables",
        {"getVariableData": [{"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}]},
    ),
}


@pytest.mark.parametrize("protocol", QUESTIONS)
async def test_ocpp_rpc_in_strict_mode_runs_a_session(stack: Stack, site: Site, tmp_path: Path, protocol: str) -> None:
    node.installed()
    told: list[dict[str, Any]] = []
    options = {
        "endpoint": stack.charger_url("").rstrip("/"),
        "identity": CHARGER_ID,
        "password": CHARGER_PASSWORD,
        "protocol": protocol,
        "card": CARD,
    }
    async with node.run(str(node.CLIENTS / "session.cjs"), json.dumps(options), cwd=tmp_path) as process:
        await _read_until(process, "charging", told)
        [session] = await site.operator.get_all("/v1/sessions")
        assert (session["origin"], session["state"]) == ("card", "charging")
        assert (await site.driver.session(session["session_id"]))["energy_wh"] == 120
        action, payload = QUESTIONS[protocol]
        asked = await site.operator.post(f"/v1/chargers/{CHARGER_ID}/commands", {"action": action, "payload": payload})
        await stack.settle()
        await _read_until(process, "asked", told, action)
        command = await _finished(stack, site, asked["command_id"])
        assert (command["state"], "540" in json.dumps(command["answer"])) == ("accepted", True)
        assert process.stdin is not None
        process.stdin.write(b"go on\n")
        await _read_until(process, "done", told)
    assert not [line for line in told if "violation" in line or "failed" in line]
    await assert_charged_for_200_wh(stack, site, session["session_id"])


async def _read_until(
    process: asyncio.subprocess.Process, word: str, told: list[dict[str, Any]], value: Any = True
) -> None:
    """Collects what the client tells until it tells this."""
    assert process.stdout is not None
    assert process.stderr is not None
    while True:
        line = await asyncio.wait_for(process.stdout.readline(), ANSWER_WAIT_S)
        if not line:
            raise AssertionError(f"the client ended: {told[-3:]}\n{(await process.stderr.read()).decode()}")
        told.append(json.loads(line))
        if told[-1].get(word) == value:
            return


async def _finished(stack: Stack, site: Site, command_id: str) -> dict[str, Any]:
    for _ in range(100):
        command = await site.operator.get(f"/v1/commands/{command_id}")
        if command["state"] not in ("queued", "sent"):
            return dict(command)
        await stack.pause(0.05)
    raise AssertionError(f"the command does not end: {command}")


# -- ocpp-ws-cli ------------------------------------------------------------------------------------------------------

_NUMERIC_ID = (
    "OCPP-J asks for a string; chargers that send numbers exist. The frame can be understood, so it is served, and the "
    "number sent back (see `frames._readable_id`)."
)
OPINIONS: Mapping[str, Mapping[str, str]] = {
    "ocpp1.6": {
        "Server enforces MessageId is a string": _NUMERIC_ID,
        "Server rejects missing payload in CALL": (
            "It wants FormatViolation, which is 2.0.1's code. OCPP-J 1.6, table 7: FormationViolation."
        ),
        "Server rejects non-object payload in CALL": (
            "It wants FormatViolation, which is 2.0.1's code. OCPP-J 1.6, table 7: FormationViolation."
        ),
    },
    "ocpp2.0.1": {
        "Server enforces MessageId is a string": _NUMERIC_ID,
        "Server rejects missing payload in CALL": (
            "It wants FormatViolation. Part 4, 4.3: content of the call is not a valid RPC request: RpcFrameworkError."
        ),
    },
}
"""What `ocpp-ws-cli test` finds wrong, and why it stays so."""
CHECKS = 21


async def test_what_ocpp_ws_cli_finds_wrong_is_explained(stack: Stack, site: Site, tmp_path: Path) -> None:
    """A miss that is not explained fails, and so does an explanation that nothing needs any more."""
    chargers = {protocol: f"CLI-{number}" for number, protocol in enumerate(OPINIONS)}
    for charger_id in chargers.values():
        await site.operator.add_charger(charger_id, site.location_id)
    missed = await asyncio.gather(*(_misses(stack, *which, tmp_path) for which in chargers.items()))
    found = dict(zip(chargers, missed, strict=True))
    assert {protocol: set(misses) for protocol, misses in found.items()} == {
        protocol: set(opinions) for protocol, opinions in OPINIONS.items()
    }, found


async def _misses(stack: Stack, protocol: str, charger_id: str, folder: Path) -> dict[str, str]:
    """The checks that failed, with what the suite says about each."""
    program = node.installed() / "ocpp-ws-cli" / "dist" / "index.js"
    report_dir = folder / charger_id
    report_dir.mkdir()
    endpoint = f"ws://{charger_id}:{CHARGER_PASSWORD}@127.0.0.1:{stack.port}/ocpp"
    arguments = ["test", "-e", endpoint, "-i", charger_id, "-p", protocol, "--suite", "all"]
    reporting = ["--report", "json", "--report-dir", str(report_dir)]
    async with node.run(str(program), *arguments, *reporting, cwd=folder) as process:
        output, _ = await asyncio.wait_for(process.communicate(), SUITE_WAIT_S)
    [report] = report_dir.glob("*.json")
    results = json.loads(report.read_text())["testResults"]
    assert len(results) == CHECKS, output.decode(errors="replace")[-2000:]
    return {result["name"]: result.get("issue", "") for result in results if not result["passed"]}
