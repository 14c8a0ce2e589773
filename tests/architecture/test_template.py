"""The whole stack as CloudFormation sees it: it lints, it hangs together, and its names agree with the code's."""

from __future__ import annotations

import copy
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from chalice.utils import to_cfn_resource_name

from chalicelib.kernel.context import Settings
from chalicelib.webhooks.store import DELIVERIES
from infra import compose
from infra.compose import Tree
from infra.expand import expand
from infra.iam.functions import entry_points, websocket_handlers
from infra.local.gateway.websocket import WebSocketApi

pytestmark = pytest.mark.package

CONFIG = json.loads((compose.ROOT / ".chalice" / "config.json").read_text())
STAGE = "live"
RUN_LINT = "from cfnlint.runner import main; main()"


def lint(template: Tree, path: Path) -> list[str]:
    """The ids of cfn-lint's errors."""
    path.write_text(json.dumps(template))
    command = [sys.executable, "-c", RUN_LINT, "--format", "json", "--regions", "eu-west-1", "--", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return [found["Rule"]["Id"] for found in json.loads(done.stdout) if found["Level"] == "Error"]


def of_type(template: Tree, kind: str) -> dict[str, Any]:
    return {
        name: part.get("Properties", {}) for name, part in template["Resources"].items() if part.get("Type") == kind
    }


# -- lint -----------------------------------------------------------------------------------------------------


def test_cfn_lint_finds_no_error(cloudformation: Tree, tmp_path: Path) -> None:
    assert lint(cloudformation, tmp_path / "stack.json") == []


def _no_such_function(resources: dict[str, Any]) -> None:
    resources["WsConnectIntegration"]["Properties"]["IntegrationUri"] = {"Fn::Sub": "x/${WsConnectFnX.Arn}"}


def _circle(resources: dict[str, Any]) -> None:
    environment = resources["SessionAwait"]["Properties"]["Environment"]["Variables"]
    environment["SESSION_STATE_MACHINE_ARN"] = {"Ref": "SessionStateMachine"}


def _unused_attribute(resources: dict[str, Any]) -> None:
    resources["LedgerTable"]["Properties"]["AttributeDefinitions"].append(
        {"AttributeName": "nobody", "AttributeType": "S"}
    )


@pytest.mark.parametrize("spoil", [_no_such_function, _circle, _unused_attribute])
def test_the_lint_finds_what_would_stop_a_deployment(
    cloudformation: Tree, tmp_path: Path, spoil: Callable[[dict[str, Any]], None]
) -> None:
    spoiled = copy.deepcopy(cloudformation)
    spoil(spoiled["Resources"])
    assert lint(spoiled, tmp_path / "stack.json") != []


# -- composition ----------------------------------------------------------------------------------------------


def test_the_parts_do_not_contradict_each_other() -> None:
    with pytest.raises(ValueError, match="two parts"):
        compose.merged({"A": {"B": 1}}, {"A": {"B": 2}}, "part.yaml")
    assert compose.merged({"A": {"B": 1}}, {"A": {"C": [2]}}, "part.yaml") == {"A": {"B": 1, "C": [2]}}


def test_a_changed_route_is_a_new_deployment() -> None:
    """API Gateway keeps serving the old snapshot otherwise."""
    template = compose.compose()
    [name] = of_type(template, "AWS::ApiGatewayV2::Deployment")
    [stage] = of_type(template, "AWS::ApiGatewayV2::Stage").values()
    assert stage["DeploymentId"] == {"Ref": name}
    changed = copy.deepcopy(template)
    changed["Resources"]["WsMessageRoute"]["Properties"]["RouteKey"] = "other"
    assert list(of_type(compose.with_named_deployment(changed, name), "AWS::ApiGatewayV2::Deployment")) != [name]


def test_the_yaml_has_no_aliases(artefact: Path) -> None:
    """CloudFormation refuses them."""
    assert not [token for token in yaml.scan((artefact / "template.yaml").read_text()) if _is_alias(token)]


def _is_alias(token: yaml.Token) -> bool:
    return isinstance(token, yaml.AliasToken | yaml.AnchorToken)


# -- functions ------------------------------------------------------------------------------------------------


def test_every_entry_point_is_a_function_with_its_own_role_and_log(cloudformation: Tree) -> None:
    functions = of_type(cloudformation, "AWS::Lambda::Function")
    assert set(functions) == set(entry_points())
    logged = {
        name
        for group in of_type(cloudformation, "AWS::Logs::LogGroup").values()
        for name in re.findall(r"/aws/lambda/\$\{(\w+)\}", json.dumps(group.get("LogGroupName", "")))
    }
    assert logged == set(functions)
    for name, function in functions.items():
        assert function["Role"] == {"Fn::GetAtt": [f"{name}Role", "Arn"]}
        assert function["Runtime"] == f"python{sys.version_info.major}.{sys.version_info.minor}"
        assert function["LoggingConfig"]["LogFormat"] == "JSON"
        assert function["LoggingConfig"]["SystemLogLevel"] == "WARN"


def test_the_settings_of_the_functions_are_the_ones_that_the_context_reads(sam_template: Tree) -> None:
    given = set(sam_template["Globals"]["Function"]["Environment"]["Variables"]) - {"TABLE_PREFIX"}
    fields = {name.upper() for name in Settings.__dataclass_fields__}
    # The region comes from Lambda; the provider and its address are as the defaults say.
    # That webhooks may speak to the machine itself is for the local stack.
    assert fields - given == {"REGION", "PAYMENT_PROVIDER", "STRIPE_API_BASE", "WEBHOOK_LOOPBACK"}
    assert given <= fields


def test_the_config_names_functions_that_exist() -> None:
    configured = CONFIG["stages"][STAGE]["lambda_functions"]
    known = set(entry_points()) - set(websocket_handlers())
    assert {"APIHandler" if name == "api_handler" else to_cfn_resource_name(name) for name in configured} <= known


def test_time_limits(cloudformation: Tree) -> None:
    functions = of_type(cloudformation, "AWS::Lambda::Function")
    for name in ("APIHandler", *websocket_handlers()):
        assert functions[name]["Timeout"] <= 29, "API Gateway answers by itself after 29 s"
    for name in (
        *("ProveLedger", "ReconcileDays", "ReconcilePayments"),
        *("Settlement", "SettlementCompute", "SettlementPost", "Invoices"),
    ):
        assert functions[name]["Timeout"] == 900, "what reads a whole day may take its time"


def test_the_schedules_are_chalices(cloudformation: Tree) -> None:
    rules = of_type(cloudformation, "AWS::Events::Rule")
    assert {target["Arn"]["Fn::GetAtt"][0] for rule in rules.values() for target in rule["Targets"]} == {
        "CloseOrders",
        "OfflineAlerts",
        "ExpireCommands",
        "ForgetGuests",
        "Invoices",
        "LocalLists",
        "ProveLedger",
        "ReconcileDays",
        "ReconcilePayments",
        "RefreshLocalLists",
        "RenewCertificates",
        "RetryWebhooks",
        "Settlement",
        "SweepSessions",
    }


# -- APIs and events ------------------------------------------------------------------------------------------


def test_the_answer_to_a_frame_is_the_route_response(cloudformation: Tree) -> None:
    routes = of_type(cloudformation, "AWS::ApiGatewayV2::Route")
    assert {route["RouteKey"]: name for name, route in routes.items()} == {
        "$connect": "WsConnectRoute",
        "$default": "WsMessageRoute",
        "$disconnect": "WsDisconnectRoute",
    }
    assert routes["WsMessageRoute"]["RouteResponseSelectionExpression"] == "$default"
    [response] = of_type(cloudformation, "AWS::ApiGatewayV2::RouteResponse").values()
    assert (response["RouteId"], response["RouteResponseKey"]) == ({"Ref": "WsMessageRoute"}, "$default")


@pytest.mark.parametrize("route", ["Connect", "Message", "Disconnect"])
def test_a_route_leads_to_its_function_which_may_be_invoked(cloudformation: Tree, route: str) -> None:
    resources = cloudformation["Resources"]
    function = f"Ws{route}"
    assert f"${{{function}.Arn}}" in resources[f"{function}Integration"]["Properties"]["IntegrationUri"]["Fn::Sub"]
    assert resources[f"{function}Route"]["Properties"]["Target"] == {
        "Fn::Sub": f"integrations/${{{function}Integration}}"
    }
    permission = resources[f"{function}Permission"]["Properties"]
    route_key = resources[f"{function}Route"]["Properties"]["RouteKey"]
    assert permission["FunctionName"] == {"Ref": function}
    assert permission["SourceArn"]["Fn::Sub"].endswith(f"${{WebSocketApi}}/{STAGE}/{route_key}")


def test_there_is_one_stage_name_everywhere(cloudformation: Tree) -> None:
    stages = [
        *of_type(cloudformation, "AWS::ApiGatewayV2::Stage").values(),
        *of_type(cloudformation, "AWS::ApiGateway::Stage").values(),
    ]
    assert [stage["StageName"] for stage in stages] == [STAGE, STAGE]
    assert CONFIG["stages"][STAGE]["api_gateway_stage"] == STAGE
    assert f"'/{STAGE}'" in (compose.INFRA / "cloudfront" / "rewrite.js").read_text()
    variables = compose.compose()["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["WEBSOCKET_ENDPOINT"]["Fn::Sub"].endswith(f"/{STAGE}")
    assert inspect.signature(WebSocketApi).parameters["stage"].default == STAGE


def test_what_api_gateway_refuses_is_a_problem_document(cloudformation: Tree) -> None:
    [api] = of_type(cloudformation, "AWS::ApiGateway::RestApi").values()
    for response in api["Body"]["x-amazon-apigateway-gateway-responses"].values():
        headers = response["responseParameters"]
        assert headers["gatewayresponse.header.content-type"] == "'application/problem+json'"
        text = response["responseTemplates"]["application/json"]
        # API Gateway puts its own JSON string in for the message.
        problem = json.loads(text.replace("$context.error.messageString", '"a message"'))
        assert {"type", "title", "code", "detail", "request_id"} <= set(problem)


def test_the_relay_loses_no_event(cloudformation: Tree) -> None:
    mapping = _mapping_of(cloudformation, "OutboxRelay")
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": ["OutboxTable", "StreamArn"]}
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"] == {"Fn::GetAtt": ["RelayFailures", "Arn"]}


def test_new_webhooks_are_sent_by_a_function_of_their_own_that_changes_do_not_wake(cloudformation: Tree) -> None:
    mapping = _mapping_of(cloudformation, "WebhookSend")
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": ["WebhooksTable", "StreamArn"]}
    [filtered] = mapping["FilterCriteria"]["Filters"]
    assert json.loads(filtered["Pattern"]) == {
        "eventName": ["INSERT"],
        "dynamodb": {"NewImage": {"pk": {"S": [{"prefix": DELIVERIES}]}}},
    }


def _mapping_of(cloudformation: Tree, function: str) -> dict[str, Any]:
    mappings = of_type(cloudformation, "AWS::Lambda::EventSourceMapping").values()
    assert {mapping["FunctionName"]["Ref"] for mapping in mappings} == {"OutboxRelay", "WebhookSend"}
    return next(mapping for mapping in mappings if mapping["FunctionName"] == {"Ref": function})


def test_every_alarm_tells_somebody_and_watches_something_that_exists(cloudformation: Tree) -> None:
    alarms = of_type(cloudformation, "AWS::CloudWatch::Alarm")
    assert {"SettlementDisputed", "RelayFailuresWaiting", "FramesFail", "FramesThrottled", "TablesThrottled"} <= set(
        alarms
    )
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]
        assert alarm["TreatMissingData"] == "notBreaching"
        assert len(alarm.get("Metrics", [])) <= 11, "ten metrics and their sum"


def test_whoever_finds_a_fault_of_the_books_is_heard(cloudformation: Tree) -> None:
    sources = {"ProveLedger": "ledger", "OutboxRelay": "wallets"}
    filters = of_type(cloudformation, "AWS::Logs::MetricFilter").values()
    assert {each["LogGroupName"]["Fn::Sub"] for each in filters} == {f"/aws/lambda/${{{name}}}" for name in sources}
    [pattern] = {each["FilterPattern"] for each in filters}
    [message] = re.findall(r'\$\.message = "([^"]+)"', pattern)
    for capability in sources.values():
        source = (compose.ROOT / "chalicelib" / capability / "jobs.py").read_text()
        assert f'logger.error("{message}"' in source


def test_a_scheduled_job_that_fails_wakes_somebody(cloudformation: Tree) -> None:
    alarm = cloudformation["Resources"]["JobsFail"]["Properties"]
    total, *metrics = alarm["Metrics"]
    watched = [metric["MetricStat"]["Metric"]["Dimensions"][0]["Value"]["Ref"] for metric in metrics]
    watched += _watched_alone(cloudformation)
    rules = of_type(cloudformation, "AWS::Events::Rule").values()
    scheduled = {target["Arn"]["Fn::GetAtt"][0] for rule in rules for target in rule["Targets"]}
    assert scheduled
    assert sorted(watched) == sorted(scheduled)
    assert total["Expression"] == "+".join(metric["Id"] for metric in metrics)


def _watched_alone(cloudformation: Tree) -> list[str]:
    """Scheduled jobs whose failure means something of its own."""
    alarms = of_type(cloudformation, "AWS::CloudWatch::Alarm").values()
    failing = (a for a in alarms if (a.get("Namespace"), a.get("MetricName")) == ("AWS/Lambda", "Errors"))
    return [alarm["Dimensions"][0]["Value"]["Ref"] for alarm in failing]


def test_the_expansion_is_repeatable(sam_template: Tree, cloudformation: Tree) -> None:
    assert expand(sam_template) == cloudformation
