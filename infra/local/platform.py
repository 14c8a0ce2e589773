"""The whole platform in one process: this module puts the parts of the local stack together.

It reads what is deployed to AWS (app.py's Chalice metadata, `infra/template.yaml`, the ASL files, the Lambda
handlers) and serves it on one port. `python -m infra.local` and the e2e tests start it; nothing imports it that ships.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.identity import service as identity
from chalicelib.kernel import context, outbox
from chalicelib.kernel.clock import VirtualClock
from chalicelib.kernel.context import Context, Settings, table_name
from infra.local import aws_hooks, demo, template
from infra.local.aws_hooks import AwsError
from infra.local.dynamodb import hook as dynamodb_hook
from infra.local.dynamodb.engine import Engine
from infra.local.events import StreamPump
from infra.local.gateway import management
from infra.local.gateway.invocation import LambdaContext
from infra.local.gateway.rest import RestApi
from infra.local.gateway.server import ServerHandle, build_application, serve
from infra.local.gateway.websocket import WebSocketApi
from infra.local.local_api import LocalApi
from infra.local.messages import Outbox
from infra.local.payments.fake import StripeFake
from infra.local.payments.routes import add_routes as add_payment_routes
from infra.local.payments.webhooks import HttpDelivery
from infra.local.scheduler.scheduler import Scheduler
from infra.local.settings import LocalSettings
from infra.local.simulators.fleet import Fleet
from infra.local.stepfunctions import hook as stepfunctions_hook
from infra.local.stepfunctions.dataflow import machine_arn
from infra.local.stepfunctions.runner import Runner
from infra.local.worker import Source, Worker

JOB_LIMIT_S = 900.0
TTL_SWEEP = timedelta(minutes=1)
DELIVERY_WAIT_S = 60.0
CLOCK_FILE = "clock.json"


@dataclass(frozen=True)
class Started:
    """What a caller may want to print: addresses, and the administrator's password if it was made just now."""

    server: ServerHandle
    admin_email: str
    new_admin_password: str | None


class Platform:
    """One platform, on a port that was reserved for it. `start` in a running loop, `stop` in the same one."""

    def __init__(self, settings: LocalSettings, listener: socket.socket) -> None:
        self.settings = settings
        self._listener = listener
        self.clock = VirtualClock(datetime.now(UTC) + self._saved_offset(), running=True)
        self._restores: list[Callable[[], object]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._swept_at = self.clock.now()
        self.secrets = settings.load_secrets()
        self.ctx = Context(self._product_settings(), self.clock, self.secrets)
        context.install(self.ctx)
        self._open_stores()
        self._open_product()

    # -- parts --------------------------------------------------------------------------------------------------

    def _product_settings(self) -> Settings:
        base = f"http://127.0.0.1:{self.settings.port}"
        return Settings(
            region="eu-local-1",
            public_url=base,
            ocpp_url=f"ws://127.0.0.1:{self.settings.port}/ocpp",
            websocket_endpoint=base,
            session_state_machine_arn=machine_arn("SessionStateMachine"),
            settlement_state_machine_arn=machine_arn("SettlementStateMachine"),
            stripe_api_base=f"{base}/_local/stripe",
            webhook_loopback="on",
        )

    def _open_stores(self) -> None:
        now = self.clock.now
        self.engine = Engine(self.settings.file("dynamodb.sqlite3"), now, exclusive=self.settings.data_dir is not None)
        self._restores.append(dynamodb_hook.install(self.engine))
        description = template.load_template()
        values = template.parameters(description) | {"TablePrefix": table_name("")}
        self.engine.create_tables_from_template(template.tables(description, values))
        self.messages = Outbox(now, self.settings.file("messages.sqlite3"))
        self._restores.append(self.messages.install())
        self._restores.append(aws_hooks.register("ssm", _no_parameter))
        self._description = description

    def _open_product(self) -> None:
        # Here, not above: importing the product makes its tables' names and its clients, which need the hooks.
        import app as product
        from chalicelib import relay
        from chalicelib.webhooks.jobs import webhook_send
        from ws_handlers import connect, disconnect, message

        now = self.clock.now
        self.functions = lambda_functions(product.app)
        self.runner = Runner(self.settings.file("stepfunctions.sqlite3"), now, self._invoke)
        self._restores.append(stepfunctions_hook.install(self.runner))
        names = {_logical_id(name): name for name in self.functions}
        for name, definition in template.state_machines(self._description, names).items():
            self.runner.register(name, definition)
        self.scheduler = Scheduler(product.app, now, self._run_job, self.settings.file("scheduler.sqlite3"))
        self.pump = StreamPump(self.engine, outbox.EVENTS.name, lambda event: relay.outbox_relay(event, None))
        self.webhooks = StreamPump(
            self.engine, table_name("webhooks"), lambda event: webhook_send(event, None), reader="webhook_send"
        )
        self.websocket = WebSocketApi(
            connect.handler,
            message.handler,
            disconnect.handler,
            now,
            origin_secret=self.secrets["origin-verify"],
            route_response=True,
        )
        self._restores.append(aws_hooks.register("apigatewaymanagementapi", management.aws_handler(self.websocket)))
        self.rest = RestApi(product.app, now)
        self.payments = StripeFake(
            now,
            HttpDelivery(lambda: f"{self.url}/v1/provider-events/stripe"),
            api_key=self.secrets["stripe-secret-key"],
            webhook_secret=self.secrets["stripe-webhook-secret"],
            path=self.settings.file("stripe.sqlite3"),
        )
        self.fleet = Fleet(now)
        self.worker = Worker(self.clock, self._sources())
        self._restores.append(self.engine.on_stream_write(lambda *_: self.worker.wake()))

    def _sources(self) -> list[Source]:
        return [
            Source("events", self.pump.drain, lambda: None),
            Source("deliveries", self.webhooks.drain, lambda: None),
            Source("workflows", self.runner.run_due, self.runner.next_due),
            Source("schedules", self.scheduler.run_due, self.scheduler.next_due),
            Source("webhooks", self._deliver_webhooks, self.payments.next_due),
            Source("limits", self.websocket.sweep, self.websocket.next_limit_at),
            Source("chargers", self.fleet.run_due, self.fleet.next_due),
            Source("expiry", self._expire_rows, lambda: None),
        ]

    # -- life ---------------------------------------------------------------------------------------------------

    async def start(self) -> Started:
        """Fills in what the first start has to, then answers."""
        self._loop = asyncio.get_running_loop()
        local_api = LocalApi(self).application()
        add_payment_routes(local_api, self.payments, after_click=lambda: asyncio.to_thread(self.worker.settle))
        application = build_application(self.websocket, self.rest, local_api)
        password = self._ensure_admin()
        if self.settings.demo:
            demo.fill(self.ctx)
        self.server = await serve(application, listener=self._listener)
        if self.settings.demo:
            self.fleet.launch(
                demo.simulated_chargers(self.ctx.settings.ocpp_url, self.clock.now, self.settings.data_dir)
            )
        self.ctx.afterwards.start()
        self.worker.start()
        return Started(self.server, self.settings.admin_email, password)

    async def stop(self) -> None:
        """Ends connections, finishes the work at hand, closes the files."""
        await self.fleet.land()
        await self.server.stop()
        await asyncio.to_thread(self.worker.stop)
        await asyncio.to_thread(self.ctx.afterwards.end)
        for restore in reversed(self._restores):
            restore()
        for part in (self.runner, self.scheduler, self.payments, self.messages, self.engine):
            part.close()
        context.install(None)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    def advance(self, seconds: float) -> datetime:
        """Moves the virtual clock; a restart goes on from there, so that time never runs backwards."""
        moment = self.worker.advance(seconds)
        self.ctx.afterwards.settle()
        if self.settings.data_dir is not None:
            offset = (self.clock.now() - datetime.now(UTC)).total_seconds()
            draft = self.settings.data_dir / f"{CLOCK_FILE}.new"
            draft.write_text(json.dumps({"offset_s": offset}))
            draft.replace(self.settings.data_dir / CLOCK_FILE)
        return moment

    # -- the Lambdas --------------------------------------------------------------------------------------------

    def _invoke(self, name: str, payload: Any) -> Any:
        return self.functions[name](payload, LambdaContext(name, JOB_LIMIT_S))

    def _run_job(self, name: str, event: Mapping[str, Any]) -> Any:
        return self._invoke(name, dict(event))

    def _deliver_webhooks(self) -> int:
        if self._loop is None or self._loop.is_closed():
            return 0
        due = self.payments.next_due()
        if due is None or due > self.clock.now():
            return 0
        future = asyncio.run_coroutine_threadsafe(self.payments.deliver_due(), self._loop)
        return future.result(timeout=DELIVERY_WAIT_S)

    def _expire_rows(self) -> int:
        now = self.clock.now()
        if now - self._swept_at < TTL_SWEEP:
            return 0
        self._swept_at = now
        self.engine.prune_streams()
        return self.engine.expire(now)

    # -- first start --------------------------------------------------------------------------------------------

    def _ensure_admin(self) -> str | None:
        """Creates the platform's administrator on the first start; returns a password that was made for it."""
        made = None if self.settings.admin_password else secrets.token_urlsafe(12)
        created = identity.ensure_platform_admin(
            self.ctx, self.settings.admin_email, self.settings.admin_password or made or ""
        )
        return made if created else None

    def _saved_offset(self) -> timedelta:
        if self.settings.data_dir is None:
            return timedelta()
        path = self.settings.data_dir / CLOCK_FILE
        return timedelta(seconds=json.loads(path.read_text())["offset_s"]) if path.exists() else timedelta()


def lambda_functions(app: Any) -> dict[str, Callable[[Any, Any], Any]]:
    """Every function that Chalice deploys beside the API, by name: schedules and plain Lambdas."""
    return dict(app.handler_map)


def _logical_id(function_name: str) -> str:
    """The CloudFormation logical id that Chalice gives a function: `session_await` → `SessionAwait`."""
    return "".join(part.capitalize() for part in function_name.replace("-", "_").split("_"))


def _no_parameter(operation: str, request: dict[str, Any]) -> dict[str, Any]:
    raise AwsError("ParameterNotFound", f"the local stack has no parameter {request.get('Name')}")
