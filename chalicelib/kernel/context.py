"""The context of a running process: settings, clock, AWS clients, secrets. The only reader of the environment.

A Lambda builds it once per container on first use (`current()`); the local stack and the tests `install` their
own. Nothing below an entry point asks for it: services receive it as their first argument.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.kernel import ids
from chalicelib.kernel.afterwards import Afterwards
from chalicelib.kernel.cache import Cache
from chalicelib.kernel.clock import Clock, SystemClock
from chalicelib.kernel.thrift import make_thrifty


def table_name(capability: str) -> str:
    """Name of a capability's table in this deployment. Read at import: PynamoDB wants it in the class body."""
    return f"{os.environ.get('TABLE_PREFIX', 'wattfare-')}{capability}"


def lambda_runtime_api() -> str | None:
    """Host and port of the runtime API of the Lambda sandbox that this process runs in; None anywhere else."""
    return os.environ.get("AWS_LAMBDA_RUNTIME_API")


@dataclass(frozen=True)
class Settings:
    """What a deployment may set. URLs have no trailing slash."""

    region: str = "eu-west-1"
    public_url: str = "http://127.0.0.1:8000"
    ocpp_url: str = "ws://127.0.0.1:8000/ocpp"
    websocket_endpoint: str = "http://127.0.0.1:8000"
    mail_from: str = "no-reply@wattfare.example"
    session_state_machine_arn: str = "arn:aws:states:eu-west-1:000000000000:stateMachine:session"
    settlement_state_machine_arn: str = "arn:aws:states:eu-west-1:000000000000:stateMachine:settlement"
    payment_provider: str = "stripe"
    stripe_api_base: str = "https://api.stripe.com"
    secret_prefix: str = "/wattfare/"
    default_currency: str = "EUR"
    metrics: str = "off"
    webhook_loopback: str = "off"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Each field from the variable of the same name in capitals; AWS_REGION for the region."""
        values = {name: environment[name.upper()] for name in cls.__dataclass_fields__ if name.upper() in environment}
        if "AWS_REGION" in environment:
            values["region"] = environment["AWS_REGION"]
        return cls(**values)


class Context:
    """Settings, clock and lazily made AWS clients, shared by all requests of a process."""

    def __init__(
        self, settings: Settings, clock: Clock | None = None, secrets: Mapping[str, str] | None = None
    ) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self._secrets: dict[str, str] = dict(secrets or {})
        self._clients: dict[str, Any] = {}
        self._caches: dict[str, Cache[Any]] = {}
        self.afterwards = Afterwards(self)

    def now(self) -> datetime:
        return self.clock.now()

    def new_id(self, prefix: str) -> str:
        return ids.new_id(prefix, self.clock.now())

    def cache(self, name: str, *, size: int = 2048, ttl_s: float | None = None) -> Cache[Any]:
        """The process's cache of that name; size and age are those of its first use."""
        if name not in self._caches:
            self._caches[name] = Cache(size, self.clock.now, ttl_s)
        return self._caches[name]

    @property
    def dynamodb(self) -> Any:
        return self.client("dynamodb")

    def client(self, service: str, endpoint_url: str | None = None) -> Any:
        """A botocore client, made once per process (creation costs ~100 ms, a call must not pay it)."""
        key = f"{service} {endpoint_url or ''}"
        if key not in self._clients:
            self._clients[key] = _make_client(service, self.settings.region, endpoint_url)
        return self._clients[key]

    def secret(self, name: str) -> str:
        """A secret from the parameter store (SecureString), read once per process."""
        if name not in self._secrets:
            answer = self.client("ssm").get_parameter(Name=f"{self.settings.secret_prefix}{name}", WithDecryption=True)
            self._secrets[name] = answer["Parameter"]["Value"]
        return self._secrets[name]


def _make_client(service: str, region: str, endpoint_url: str | None) -> Any:
    # botocore alone: importing boto3 doubles the cold start, and nothing here needs it.
    import botocore.session
    from botocore.config import Config

    config = Config(
        # The default user agent is a sixth of the CPU of a call, validation a tenth: our requests are typed.
        user_agent="wattfare",
        parameter_validation=False,
        account_id_endpoint_mode="disabled",
        tcp_keepalive=True,
        connect_timeout=2,
        read_timeout=10,
        retries={"mode": "standard", "total_max_attempts": 3},
    )
    session = botocore.session.get_session()
    if service != "dynamodb":
        return session.create_client(service, region_name=region, endpoint_url=endpoint_url, config=config)
    endpoint_url = endpoint_url or f"https://dynamodb.{region}.amazonaws.com"
    client = session.create_client(service, region_name=region, endpoint_url=endpoint_url, config=config)
    make_thrifty(client)
    return client


_current: Context | None = None


def current() -> Context:
    """The process's context, made from the environment on first use."""
    global _current
    if _current is None:
        _current = Context(Settings.from_environment(os.environ))
    return _current


def install(context: Context | None) -> None:
    """Replaces the process's context (local stack, tests)."""
    global _current
    _current = context
