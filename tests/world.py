"""A whole platform inside one test: empty tables in memory, a clock that stands still, every AWS service answered here.

Tests ask for the fixture `world` (tests/conftest.py). Nothing of a world outlives its test, and nothing is shared
between two but the botocore clients (100 ms each), so that tests may run in any order and beside each other.
What the product sends to AWS is recorded instead of sent: e-mails, workflow starts, posts to connections.
"""

from __future__ import annotations

import base64
import importlib
import json
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import quote, unquote, urlencode

import chalicelib
from chalicelib.identity import service as identity
from chalicelib.identity.model import Organization, User
from chalicelib.identity.service.access_tokens import encode_access_token
from chalicelib.identity.service.signing_in import claims_of
from chalicelib.kernel import context, outbox
from chalicelib.kernel.clock import VirtualClock
from chalicelib.kernel.context import Context, Settings, table_name
from chalicelib.kernel.outbox import Consumer, Event
from chalicelib.kernel.table import Row
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit
from chalicelib.maintenance.pki.self_signed import make_bundle
from infra.local import aws_hooks
from infra.local.aws_hooks import AwsError
from infra.local.dynamodb import hook
from infra.local.dynamodb.engine import Engine
from infra.local.gateway.invocation import LambdaContext
from infra.local.gateway.rest_events import RestRequest, proxy_event
from infra.local.gateway.routes import RouteTable
from infra.local.messages import Message, Outbox
from infra.local.scheduler.scheduler import scheduled_event

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)  # a Monday
SECRETS = {
    "certificate-authority": make_bundle(START),
    "access-token-key": "test-access-token-key-" + "0123456789abcdef" * 4,
    "charger-password-key": "test-charger-password-key-0123456789",
    "origin-verify": "",
    "stripe-secret-key": "sk_test_world",
    "stripe-webhook-secret": "whsec_world",
    "voucher-key": "test-voucher-key-0123456789",
}
PASSWORD = "correct horse battery"
MAX_EVENT_ROUNDS = 100

_CLIENTS: dict[str, Any] = {}


class WorldContext(Context):
    """A context whose clients are made once per process: the hooks behind them look up the current world.

    What is done after an answer waits for `world.ctx.afterwards.settle()`, so that tests decide when.
    """

    def __init__(self, settings: Settings, clock: VirtualClock, secrets: Mapping[str, str]) -> None:
        super().__init__(settings, clock, secrets)
        self.afterwards.hold()

    def client(self, service: str, endpoint_url: str | None = None) -> Any:
        key = f"{service} {endpoint_url or ''}"
        if key not in _CLIENTS:
            _CLIENTS[key] = super().client(service, endpoint_url)
        return _CLIENTS[key]


@dataclass(frozen=True)
class Reply:
    """What a REST client saw. Unpacks into `status, body`; header names are lower case."""

    status: int
    body: Any
    headers: Mapping[str, str]

    def __iter__(self) -> Iterator[Any]:
        return iter((self.status, self.body))


@dataclass(frozen=True)
class Operator:
    """An operator with its first administrator, signed in."""

    organization: Organization
    user: User
    access_token: str

    @property
    def operator_id(self) -> str:
        return self.organization.organization_id


@dataclass
class AwsCall:
    service: str
    operation: str
    request: dict[str, Any]


class RestClient:
    """Calls app.py with the events of API Gateway's REST API, as the local gateway does, without a socket."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._count = 0

    def get(self, path: str, **options: Any) -> Reply:
        return self.request("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> Reply:
        return self.request("POST", path, json, **options)

    def put(self, path: str, json: Any = None, **options: Any) -> Reply:
        return self.request("PUT", path, json, **options)

    def patch(self, path: str, json: Any = None, **options: Any) -> Reply:
        return self.request("PATCH", path, json, **options)

    def delete(self, path: str, **options: Any) -> Reply:
        return self.request("DELETE", path, **options)

    def request(
        self,
        method: str,
        path: str,
        json_body: Any = None,
        *,
        token: str | None = None,
        key: str | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
        source_ip: str = "192.0.2.1",
    ) -> Reply:
        """`token` an access token, `key` an Idempotency-Key, `raw` a body that is sent as it is."""
        app, routes = _application()
        body = raw if raw is not None else b"" if json_body is None else json.dumps(json_body).encode()
        sent = {"Content-Type": "application/json", **(headers or {})}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if key is not None:
            sent["Idempotency-Key"] = key
        path, _, inline_query = path.partition("?")
        match = routes.match(path)
        if match is None:
            raise LookupError(f"no route of app.py has {path}")
        self._count += 1
        request = RestRequest(
            method=method,
            path=path,
            query=inline_query or urlencode(query or {}),
            headers=list(sent.items()),
            body=body,
            source_ip=source_ip,
            host="127.0.0.1",
            request_id=f"request-{self._count}",
            received_at=self._world.ctx.now(),
        )
        answer = app(proxy_event(request, match, frozenset(app.api.binary_types)), LambdaContext("api-handler"))
        return _reply(answer)


@dataclass
class World:
    """See the module. `ctx` is installed as the process's context while the world lives."""

    ctx: Context
    clock: VirtualClock
    engine: Engine
    outbox: Outbox
    calls: list[AwsCall] = field(default_factory=list)
    gone_connections: set[str] = field(default_factory=set)
    _sequence: int = 0
    _counter: int = 0
    _silenced: set[str] = field(default_factory=set)
    _restores: list[Callable[[], object]] = field(default_factory=list)

    @property
    def rest(self) -> RestClient:
        return RestClient(self)

    def close(self) -> None:
        context.install(None)
        for restore in reversed(self._restores):
            restore()
        self.outbox.close()
        self.engine.close()

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)

    # -- what the product did -----------------------------------------------------------------------------------

    def commit(self, decide: Callable[[UnitOfWork], Any]) -> Any:
        """Runs a service function as an entry point does: `world.commit(lambda uow: service.verb_noun(uow, ...))`."""
        return decide_and_commit(self.ctx, decide)

    def pending_events(self) -> list[Event]:
        """The events that `run_events` would deliver, oldest first."""
        return [event for _, event in self._new_events()]

    def run_events(self, consumers: Mapping[str, Sequence[Consumer]] | None = None) -> list[Event]:
        """Delivers all outbox events, also those that consumers emit, and returns them.

        A consumer's exception is raised to the test; its event is delivered again by the next call.
        """
        if consumers is None:
            consumers = importlib.import_module("chalicelib.relay").CONSUMERS
        delivered: list[Event] = []
        for _ in range(MAX_EVENT_ROUNDS):
            batch = self._new_events()
            if not batch:
                return delivered
            for sequence, event in batch:
                for consume in consumers.get(event.type, ()):
                    consume(self.ctx, event)
                self._sequence = sequence
                delivered.append(event)
        raise AssertionError("the events never end: some consumer answers each with another")

    def _new_events(self) -> list[tuple[int, Event]]:
        records = self.engine.read_stream(outbox.EVENTS.name, self._sequence, 1000)
        return [
            (int(number), event) for number, event in outbox.events_of(records) if event.subject not in self._silenced
        ]

    def run_job(self, job: Callable[[Any, Any], Any]) -> Any:
        """Invokes a scheduled job as EventBridge does, now, and returns what it returned."""
        return job(dict(scheduled_event("test", self.clock.now())), None)

    def mails(self, to: str | None = None) -> list[Message]:
        """The e-mails that were sent, newest first: `.subject`, `.text`, `.html`, `.to`."""
        return self.outbox.list(to)

    def aws_calls(self, service: str, operation: str | None = None) -> list[dict[str, Any]]:
        """Requests the product made of `stepfunctions` or `apigatewaymanagementapi`, oldest first."""
        return [c.request for c in self.calls if c.service == service and operation in (None, c.operation)]

    def posted(self, connection_id: str) -> list[str]:
        """The texts posted to a connection, oldest first."""
        return [
            request["body"].decode()
            for request in self.aws_calls("apigatewaymanagementapi", "PostToConnection")
            if unquote(request["url_path"].rsplit("/", 1)[1]) == connection_id
        ]

    # -- people -------------------------------------------------------------------------------------------------

    def platform_admin(self) -> str:
        """An access token of the platform's administrator. No password is hashed: that costs 30 ms."""
        identity.ensure_platform_admin(self.ctx, "admin@platform.example", None)
        return self.access_token("admin@platform.example")

    def access_token(self, email: str) -> str:
        """An access token for whoever the address opens, as a sign-in would give."""
        login = identity.find_login(self.ctx, email)
        assert login is not None, f"nobody signs in with {email}"
        person = identity.load_person(self.ctx, login)
        return encode_access_token(self.ctx, claims_of(person, "sgn_world", self.ctx.now()))

    def operator(self, name: str = "", **fields: Any) -> Operator:
        """A new operator in euro, Europe/Berlin, unless `fields` say otherwise, and its administrator."""
        self._counter += 1
        name = name or f"Operator {self._counter}"
        email = f"admin{self._counter}@operator{self._counter}.example"
        values = {"currency": "EUR", "time_zone": "Europe/Berlin", "language": "en", "country": "DE", **fields}
        new = identity.NewOrganization(
            name=name, email=email, admin=identity.NewUser(email=email, full_name="Ada Admin"), **values
        )
        organization, user = self.commit(lambda uow: identity.create_organization(uow, new))
        self._silenced.add(user.user_id)  # the invitation would be in every test's mail
        return Operator(organization, user, self.access_token(email))

    def driver_token(self, driver_id: str, email: str = "") -> str:
        """An access token for a driver, with a sign-in of its own. The driver's row is the caller's to make."""
        email = email or f"{driver_id.lower()}@driver.example"
        self.commit(lambda uow: identity.create_driver_login(uow, email=email, password=None, driver_id=driver_id))
        return self.access_token(email)

    def sign_in(self, email: str, password: str = PASSWORD) -> str:
        """The access token of a real sign-in through REST."""
        status, body = self.rest.post("/v1/auth/sessions", {"email": email, "password": password})
        assert status == 201, body
        return str(body["access_token"])

    # -- AWS ----------------------------------------------------------------------------------------------------

    def _answer_step_functions(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(AwsCall("stepfunctions", operation, request))
        if operation != "StartExecution":
            return {}
        machine = request["stateMachineArn"].replace(":stateMachine:", ":execution:")
        return {"executionArn": f"{machine}:{request.get('name', 'unnamed')}", "startDate": self.ctx.now()}

    def _answer_management(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if unquote(request["url_path"].rsplit("/", 1)[1]) in self.gone_connections:
            raise AwsError("GoneException", "the connection is gone", status=410)
        self.calls.append(AwsCall("apigatewaymanagementapi", operation, request))
        return {}

    def install(self) -> None:
        self._restores = [
            hook.install(self.engine),
            self.outbox.install(),
            aws_hooks.register("stepfunctions", self._answer_step_functions),
            aws_hooks.register("apigatewaymanagementapi", self._answer_management),
            aws_hooks.register("ssm", _no_parameter),
        ]
        context.install(self.ctx)


def build(*, start: datetime = START, settings: Settings | None = None) -> World:
    """A new world, installed; its maker calls `close`."""
    clock = VirtualClock(start)
    engine = Engine(":memory:", clock.now)
    for request in table_definitions():
        engine.execute("CreateTable", request)
    ctx = WorldContext(settings or Settings(), clock, SECRETS)
    world = World(ctx, clock, engine, Outbox(clock.now))
    world.install()
    return world


@cache
def table_definitions() -> list[dict[str, Any]]:
    """A CreateTable request per table, from the rows that the stores declare.

    tests/architecture holds these declarations against infra/template.yaml, so they are what gets deployed.
    """
    for module in pkgutil.walk_packages(chalicelib.__path__, "chalicelib."):
        if module.name.endswith(".store") or ".store." in module.name or module.name.startswith("chalicelib.kernel."):
            importlib.import_module(module.name)
    tables: dict[str, list[type[Row]]] = {}
    for row in Row.__subclasses__():
        if row.__module__.startswith("chalicelib."):
            tables.setdefault(row.Meta.table_name, []).append(row)
    return [table_definition(name, rows) for name, rows in sorted(tables.items())]


def table_definition(name: str, rows: Sequence[type[Row]]) -> dict[str, Any]:
    schemas = [row._get_schema() for row in rows]
    attributes = {a["AttributeName"]: a for schema in schemas for a in schema["attribute_definitions"]}
    indexes = {
        index["index_name"]: {
            "IndexName": index["index_name"],
            "KeySchema": sorted(index["key_schema"], key=lambda key: key["KeyType"]),
            "Projection": index["projection"],
        }
        for schema in schemas
        for index in schema["global_secondary_indexes"]
    }
    definition: dict[str, Any] = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": sorted(schemas[0]["key_schema"], key=lambda key: key["KeyType"]),
        "AttributeDefinitions": list(attributes.values()),
    }
    if indexes:
        definition["GlobalSecondaryIndexes"] = list(indexes.values())
    if name in (outbox.EVENTS.name, table_name("webhooks")):
        definition["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    return definition


@cache
def _application() -> tuple[Any, RouteTable]:
    app = importlib.import_module("app").app
    return app, RouteTable(app.routes)


def _reply(answer: Mapping[str, Any]) -> Reply:
    headers = {name.lower(): value for name, value in (answer.get("headers") or {}).items()}
    text = answer.get("body") or ""
    if answer.get("isBase64Encoded"):
        return Reply(answer["statusCode"], base64.b64decode(text), headers)
    is_json = "/json" in (media_type := headers.get("content-type", "")) or "+json" in media_type
    return Reply(answer["statusCode"], json.loads(text) if is_json and text else text or None, headers)


def _no_parameter(operation: str, request: dict[str, Any]) -> dict[str, Any]:
    raise AwsError("ParameterNotFound", f"no test secret is called {request.get('Name')}")


def encoded(segment: str) -> str:
    """A path segment as a client sends it: `world.rest.get(f"/v1/chargers/{encoded(charger_id)}")`."""
    return quote(segment, safe="")
