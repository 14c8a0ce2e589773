"""Least privilege: each function's role allows what its code does, on named tables, and nothing else.

Three ways to see it: the file is what `python -m infra.iam` reads from today's code; no statement is wide; real flows
run under the roles, and are refused nothing.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from types import FunctionType
from typing import Any

import pytest
from chalice.utils import to_cfn_resource_name

import app as product
from chalicelib.charging import jobs as charging_jobs
from chalicelib.charging.model import ChargingSession
from chalicelib.charging.service import paying
from chalicelib.kernel.context import Context, table_name
from chalicelib.kernel.table import Table
from chalicelib.ledger.store import LINES
from chalicelib.ocpp import intents
from chalicelib.settlement import jobs as settlement_jobs
from infra.iam import needs
from infra.iam.functions import REST, entry_points
from infra.iam.reach import Part, part_of, reach
from infra.iam.roles import ROLES_PATH, render
from tests.architecture.guard import Guard, allowed, roles
from tests.contract.ocpp.wire import Wire
from tests.site import CARD, CHARGER_ID, Site

CHARGER_PASSWORD = "a-good-password-of-20"
POLICY_LIMIT = 10_240
"""Characters of all inline policies of a role, without white space (IAM quotas)."""
UNNAMED_YET = ("/live/POST/@connections/*", "/live/DELETE/@connections/*", "/aws/lambda/${AWS::StackName}-*")


def test_the_roles_are_what_the_code_of_the_day_needs() -> None:
    assert ROLES_PATH.read_text() == render(), "run `python -m infra.iam` and review what changed"


def test_every_function_has_a_role_of_its_own() -> None:
    assert set(roles()) == set(entry_points())


@pytest.mark.parametrize("name", sorted(entry_points()))
def test_nothing_is_wide(name: str) -> None:
    for statement in roles()[name]:
        assert statement["Effect"] == "Allow"
        assert not any("*" in action for action in statement["Action"])
        text = json.dumps(statement["Resource"])
        assert text.count("*") == sum(text.count(ending) for ending in UNNAMED_YET), f"too wide: {text}"
        if any(action.startswith("dynamodb:") for action in statement["Action"]):
            assert "Table" in text
            assert "*" not in text


@pytest.mark.parametrize("name", sorted(entry_points()))
def test_a_policy_fits_its_role(name: str) -> None:
    assert len(json.dumps(roles()[name]).replace(" ", "")) * 1.5 < POLICY_LIMIT, "ARNs are longer than references"


def test_only_jobs_scan() -> None:
    scanning = {name for name, permissions in allowed().items() for action, _ in permissions if action.endswith("Scan")}
    assert scanning == {"OfflineAlerts", "ExpireCommands", "ProveLedger"}


def test_money_is_out_of_reach_of_what_does_not_move_it() -> None:
    for name in ("WsConnect", "WsDisconnect", "OfflineAlerts", "SessionAwait", "Settlement"):
        assert not {resource for _, resource in allowed()[name]} & {"ledger", "wallets", "payments"}, name


# -- the reading itself ---------------------------------------------------------------------------------------


def hands_on(ctx: Context) -> Any:
    return _reads_some(ctx, LINES)


def _reads_some(ctx: Context, table: Table[Any]) -> Any:
    return table.get(ctx, "a", "b")


def hides(ctx: Context) -> Any:
    chosen = {"lines": LINES}["lines"]
    return chosen.get(ctx, "a", "b")


def writes_out(ctx: Context) -> Any:
    return ctx.dynamodb.update_item(TableName="wattfare-" + "ledger", Key={})


def test_a_table_that_is_hidden_is_an_error_and_not_a_gap() -> None:
    for function in (hides, hands_on, writes_out):
        with pytest.raises(needs.Unreadable):
            needs.needs_of([part_named(function)], table_name(""))


def part_named(function: Callable[..., Any]) -> Part:
    assert isinstance(function, FunctionType)
    return part_of(function)


def imports_itself(ctx: Context) -> Any:
    import chalicelib.wallets.store
    import chalicelib.wallets.store as wallet_rows
    from chalicelib.ledger import store
    from chalicelib.ledger.store import PROOFS as PAGES

    chalicelib.wallets.store.TOPUPS.batch_get(ctx, [])
    wallet_rows.TOPUPS.get(ctx, "a", "b")
    return PAGES.query(ctx, "a"), store.LINES.scan_all(ctx)


def test_what_a_function_imports_itself_is_read_like_all_else() -> None:
    found = needs.needs_of([part_named(imports_itself)], table_name(""))
    assert found == {
        ("dynamodb:BatchGetItem", "wallets"),
        ("dynamodb:GetItem", "wallets"),
        ("dynamodb:Query", "ledger"),
        ("dynamodb:Scan", "ledger"),
    }


def test_what_is_loaded_late_is_reached_all_the_same() -> None:
    """By an import within a function; by a name of a package that loads its modules when they are asked for."""
    parts = {part.name for part in reach([paying.release, intents.INTENTS])}
    assert "chalicelib.payments.service.capturing.request_release" in parts
    assert "chalicelib.charging.service.freshening.handle_trigger_answer" in parts


# -- real flows under the roles -------------------------------------------------------------------------------


@pytest.fixture
def guard(site: Site) -> Any:
    guard = Guard(site.world)
    restore = guard.install()
    yield guard
    restore()


def charge_with_card(site: Site, guard: Guard) -> None:
    wire = Wire(site.world, CHARGER_ID)
    with guard.acting("WsConnect"):
        assert wire.connect(password="wrong-password-of-the-20")[0] == 401
        assert wire.connect(identity="nobody")[0] == 404
        assert wire.connect(password=CHARGER_PASSWORD)[0] == 200
        assert wire.connect(password=CHARGER_PASSWORD)[0] == 200
    with guard.acting("WsMessage"):
        assert wire.boot()["status"] == "Accepted"
        wire.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"})
        assert wire.call("Authorize", {"idTag": CARD})["idTagInfo"]["status"] == "Accepted"
        start = {"connectorId": 1, "idTag": CARD, "meterStart": 1000, "timestamp": moment(site)}
        transaction_id = wire.call("StartTransaction", start)["transactionId"]
        sample = {"timestamp": moment(site), "sampledValue": [{"value": "1100"}]}
        wire.call("MeterValues", {"connectorId": 1, "transactionId": transaction_id, "meterValue": [sample]})
        wire.call("Heartbeat", {})
        site.advance(1)
        stop = {"transactionId": transaction_id, "meterStop": 1200, "timestamp": moment(site)}
        wire.call("StopTransaction", stop)
    relay(site, guard)


def charge_from_app(site: Site, guard: Guard) -> ChargingSession:
    """By REST, with the command's answer; left charging."""
    wire = Wire(site.world, CHARGER_ID)
    with guard.acting("WsConnect"):
        wire.connect(password=CHARGER_PASSWORD)
    with guard.acting("WsMessage"):
        wire.boot()
    with guard.acting(REST):
        token = site.world.driver_token(site.driver.driver_id)
        body = {"charger_id": CHARGER_ID, "evse_no": 1, "amount": {"amount": 500, "currency": "EUR"}}
        reply = site.world.rest.post("/v1/driver/sessions", body, token=token, key="k-1")
        assert reply.status in (201, 202), reply
    relay(site, guard)
    [session] = [found for found in site.sessions() if found.state == "requested"]
    posted = [json.loads(text) for text in site.world.posted(wire.connection_id)]
    with guard.acting("SessionAwait"):
        awaits(session, "start")
    with guard.acting("WsMessage"):
        wire.reply(posted[-1], {"status": "Accepted"})
        start = {"connectorId": 1, "idTag": session.id_token, "meterStart": 1, "timestamp": moment(site)}
        assert wire.call("StartTransaction", start)["idTagInfo"]["status"] == "Accepted"
    relay(site, guard)
    with guard.acting("SessionAwait"):
        awaits(session, "end")
    return session


def awaits(session: ChargingSession, awaited: str) -> None:
    charging_jobs.session_await({"session_id": session.session_id, "awaited": awaited, "task_token": awaited}, None)


def moment(site: Site) -> str:
    return site.world.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def relay(site: Site, guard: Guard) -> None:
    with guard.acting("OutboxRelay"):
        site.world.run_events()


def test_a_charge_with_a_card(site: Site, guard: Guard) -> None:
    site.wants_receipts()
    charge_with_card(site, guard)
    with guard.acting("WsDisconnect"):
        Wire(site.world, CHARGER_ID, connection_id="conn-1=").close()
    [session] = site.sessions()
    relay(site, guard)
    assert session.state == "settled"
    assert guard.refused == set()
    assert ("dynamodb:PutItem", "ledger") in guard.used["WsMessage"]
    assert ("ses:SendEmail", "") in guard.used["OutboxRelay"]


def test_a_charge_from_the_app_that_is_given_up(site: Site, guard: Guard) -> None:
    session = charge_from_app(site, guard)
    site.advance(24 * 60)
    for action in ("look", "give_up"):
        with guard.acting("SessionClose"):
            charging_jobs.session_close({"session_id": session.session_id, "action": action}, None)
        relay(site, guard)
    assert guard.refused == set()
    assert ("states:SendTaskSuccess", "session") in guard.used["OutboxRelay"]
    assert ("execute-api:ManageConnections", "POST") in guard.used["OutboxRelay"]


def test_a_night(site: Site, guard: Guard) -> None:
    """All schedules after a day with a charge, long enough for the charger to be silent."""
    charge_with_card(site, guard)
    day = site.world.clock.now().date().isoformat()
    token = site.operator.access_token
    with guard.acting(REST):
        settings = {"enabled": True, "timeout_min": 11}
        assert site.world.rest.put("/v1/offline-notification", settings, token=token).status == 200
    Wire(site.world, CHARGER_ID).queue("Reset", {"type": "Soft"})
    site.advance(24 * 60)
    for job in product.app.event_sources:
        module, _, name = job.handler_string.rpartition(".")
        with guard.acting(to_cfn_resource_name(job.name)):
            site.world.run_job(getattr(importlib.import_module(module), name))
        relay(site, guard)
    run = {"operator_id": site.charger.operator_id, "business_day": day}
    with guard.acting("SettlementCompute"):
        settlement_jobs.settlement_compute(run, None)
    with guard.acting("SettlementPost"):
        assert settlement_jobs.settlement_post(run, None)["state"] == "posted"
    relay(site, guard)
    assert guard.refused == set()
    assert ("states:StartExecution", "settlement") in guard.used["OutboxRelay"]
    for name in ("OfflineAlerts", "ProveLedger", "ReconcilePayments", "ExpireCommands", "SettlementPost"):
        assert guard.used[name], name


def test_people_look_at_everything(site: Site, guard: Guard) -> None:
    charge_with_card(site, guard)
    driver = site.world.driver_token(site.driver.driver_id)
    operator = site.operator.access_token
    lists = [
        endpoint
        for api in product.APIS
        for endpoint in api.endpoints
        if endpoint.method == "GET" and not endpoint.path_names
    ]
    assert len(lists) > 20
    for endpoint in lists:
        with guard.acting(REST):
            reply = site.world.rest.get(endpoint.path, token=driver if endpoint.audience == "driver" else operator)
        assert reply.status < 500, (endpoint.path, reply)
    assert guard.refused == set()


def test_the_guard_refuses(site: Site, guard: Guard) -> None:
    """Were it blind, all the above would pass."""
    with guard.acting("WsDisconnect"), pytest.raises(Exception, match="AccessDenied"):
        LINES.get(site.world.ctx, "a", "b")
    assert guard.refused == {("WsDisconnect", "dynamodb:GetItem", "ledger")}
