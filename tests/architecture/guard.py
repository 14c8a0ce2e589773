"""IAM for tests: a stand-in before the tables that refuses what the current function's role does not allow."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from chalicelib.kernel.context import table_name
from infra.iam.roles import ROLES_PATH
from infra.local import aws_hooks
from infra.local.aws_hooks import AwsError
from infra.local.template import load_template
from tests.world import World

Permission = tuple[str, str]
"""Action and resource: a table (`ledger`), an index (`ledger/by_period`), a workflow; otherwise empty."""

_IN_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}
_NAMED_BY_WORKFLOW = re.compile(r":stateMachine:\$\{TablePrefix\}(\w+)")
_INDEX = re.compile(r"\$\{(\w+)Table\.Arn\}/index/(\w+)")
_METHOD = re.compile(r"/live/(\w+)/@connections/")


def roles() -> dict[str, Any]:
    """The policy statements of each function's role, by the function's logical id."""
    resources = load_template(ROLES_PATH)["Resources"]
    return {
        name: resources[resource["Properties"]["Role"]["Fn::GetAtt"][0]]["Properties"]["Policies"][0]["PolicyDocument"][
            "Statement"
        ]
        for name, resource in resources.items()
        if "Type" not in resource
    }


def allowed() -> dict[str, set[Permission]]:
    """What each function may do."""
    found: dict[str, set[Permission]] = {}
    for name, statements in roles().items():
        found[name] = {
            (action, _resource(statement["Resource"])) for statement in statements for action in statement["Action"]
        }
    return found


def _resource(resource: dict[str, Any]) -> str:
    if "Fn::GetAtt" in resource:
        logical_id, attribute = resource["Fn::GetAtt"]
        return str(logical_id).removesuffix("Table").lower() if attribute == "Arn" else attribute
    text = str(resource["Fn::Sub"])
    if index := _INDEX.search(text):
        return f"{index[1].lower()}/{index[2]}"
    if named := _NAMED_BY_WORKFLOW.search(text) or _METHOD.search(text):
        return named[1]
    return ""


@dataclass
class Guard:
    """`with guard.acting("WsMessage"): ...` holds what happens in it against that function's role."""

    world: World
    used: dict[str, set[Permission]] = field(default_factory=lambda: defaultdict(set))
    refused: set[tuple[str, str, str]] = field(default_factory=set)
    _allowed: dict[str, set[Permission]] = field(default_factory=allowed)
    _function: str | None = None

    def install(self) -> Any:
        return aws_hooks.register("dynamodb", self._execute)

    @contextmanager
    def acting(self, function: str) -> Iterator[None]:
        self._function = function
        calls, mails = len(self.world.calls), len(self.world.mails())
        try:
            yield
        finally:
            self.world.ctx.afterwards.settle()
            for call in self.world.calls[calls:]:
                self._check(*_other_permission(call.service, call.operation, call.request))
            if len(self.world.mails()) > mails:
                self._check("ses:SendEmail", "")
            self._function = None

    def _execute(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        for action, resource in _table_permissions(operation, request):
            self._check(f"dynamodb:{action}", resource)
        answer: dict[str, Any] = self.world.engine.execute(operation, request)
        return answer

    def _check(self, action: str, resource: str) -> None:
        if self._function is None:
            return
        self.used[self._function].add((action, resource))
        if (action, resource) not in self._allowed[self._function]:
            self.refused.add((self._function, action, resource))
            raise AwsError("AccessDeniedException", f"{self._function} may not {action} on {resource}")


def _table_permissions(operation: str, request: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if operation in ("TransactWriteItems", "TransactGetItems"):
        for item in request["TransactItems"]:
            for verb, part in item.items():
                yield _IN_TRANSACTION[verb], _capability(part["TableName"])
    elif operation in ("BatchGetItem", "BatchWriteItem"):
        for name in request["RequestItems"]:
            yield operation, _capability(name)
    else:
        index = request.get("IndexName")
        yield operation, _capability(request["TableName"]) + (f"/{index}" if index else "")


def _capability(name: str) -> str:
    return name.removeprefix(table_name(""))


def _other_permission(service: str, operation: str, request: dict[str, Any]) -> tuple[str, str]:
    if service == "apigatewaymanagementapi":
        return "execute-api:ManageConnections", "POST" if operation == "PostToConnection" else "DELETE"
    workflow = request.get("stateMachineArn", ":session").rsplit(":", 1)[1]
    return f"states:{operation}", workflow
