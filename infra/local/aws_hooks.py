"""In-process stand-ins for AWS services: unmodified botocore clients, answered by a Python function.

Used by the local stack and the tests only; nothing that runs on Lambda imports it. `register` puts a handler
behind a service; every client made afterwards, by anyone (boto3, botocore, PynamoDB), calls it instead of
the network. The handler is looked up at each call, so replacing it also reaches clients that were cached long
ago, and a service without a handler goes where it always went (the network, or moto).

Usage:

    from infra.local import aws_hooks
    from infra.local.aws_hooks import AwsError

    def step_functions(operation: str, request: dict) -> dict:
        # JSON services (dynamodb, stepfunctions, ssm, kms): `request` is the decoded JSON body.
        if operation == "StartExecution":
            return {"executionArn": start(request["name"]), "startDate": clock.now()}
        raise AwsError("UnknownOperationException", f"{operation} is not here")

    def management(operation: str, request: dict) -> dict:
        # REST services (apigatewaymanagementapi, sesv2, scheduler): `request` is botocore's own request:
        # "url_path" (quoted), "query_string", "method", "headers", "body" (bytes).
        if not post(unquote(request["url_path"].rsplit("/", 1)[1]), request["body"]):
            raise AwsError("GoneException", "connection is gone", status=410)
        return {}

    restore = aws_hooks.register("stepfunctions", step_functions)  # the name given to create_client
    ...
    restore()                                     # the handler that was there before is back

Answers hold what botocore would hand to its caller: datetime for timestamps, bytes for blobs.
An `AwsError` becomes the client's typed exception (`client.exceptions.GoneException`), never retried.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import botocore.session
import msgspec

Handler = Callable[[str, dict[str, Any]], dict[str, Any]]

_decode_json = msgspec.json.Decoder().decode
_handlers: dict[str, list[Handler]] = {}
"""The last one of a service answers."""
_lock = threading.Lock()
_HOOK_ID = "infra.local.aws_hooks"
_wrapped = False


class AwsError(Exception):
    """A service's refusal: `code` as in the service model (`GoneException`), HTTP `status`, and the `extra`
    top-level members of the error (`CancellationReasons`, `Item`)."""

    def __init__(self, code: str, message: str, status: int = 400, extra: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.extra = dict(extra or {})


class _HttpResponse(NamedTuple):
    """The part of an HTTP response that botocore's client reads."""

    status_code: int
    headers: dict[str, str]


def register(service_name: str, handler: Handler) -> Callable[[], None]:
    """Answers `service_name`'s calls (as named in `create_client`) with `handler`; returns what undoes it, in whatever
    order several are undone."""
    _wrap_create_client()
    with _lock:
        _handlers[service_name] = [*_handlers.get(service_name, ()), handler]

    def restore() -> None:
        with _lock:
            _handlers[service_name] = [other for other in _handlers[service_name] if other is not handler]

    return restore


def release(client: Any) -> Any:
    """Takes the hook off one client, which then talks to the network (or moto), whatever is registered. Returns it."""
    service_id = client.meta.service_model.service_id.hyphenize()
    client.meta.events.unregister(f"before-call.{service_id}", unique_id=_HOOK_ID)
    return client


def _wrap_create_client() -> None:
    """Makes every new client ask us before it calls. Done once and left: it is inert without a handler."""
    global _wrapped
    with _lock:
        if _wrapped:
            return
        _wrapped = True
        create_client = botocore.session.Session.create_client

        def create_hooked_client(
            session: botocore.session.Session, service_name: str, *args: Any, **kwargs: Any
        ) -> Any:
            client = create_client(session, service_name, *args, **kwargs)
            model = client.meta.service_model
            is_json = model.metadata["protocol"] == "json"
            client.meta.events.register_first(
                f"before-call.{model.service_id.hyphenize()}",
                _before_call(service_name, is_json),
                unique_id=_HOOK_ID,
            )
            return client

        botocore.session.Session.create_client = create_hooked_client


def _before_call(service_name: str, is_json: bool) -> Callable[..., tuple[_HttpResponse, dict[str, Any]] | None]:
    def before_call(model: Any, params: dict[str, Any], **_: Any) -> tuple[_HttpResponse, dict[str, Any]] | None:
        handlers = _handlers.get(service_name)
        if not handlers:
            return None
        handler = handlers[-1]
        try:
            answer = handler(model.name, _decode_body(params["body"]) if is_json else params)
            status = 200
        except AwsError as error:
            status = error.status
            answer = {
                "Error": {"Code": error.code, "Message": error.message},
                "message": error.message,
                **error.extra,
            }
        metadata = {
            "RequestId": "local",
            "HTTPStatusCode": status,
            "HTTPHeaders": {},
            "RetryAttempts": 0,
        }
        return _HttpResponse(status, {}), {**answer, "ResponseMetadata": metadata}

    return before_call


def _decode_body(body: bytes) -> dict[str, Any]:
    try:
        request: dict[str, Any] = _decode_json(body)
    except msgspec.DecodeError as error:  # a lone surrogate, which Python's own encoder lets out
        raise AwsError("SerializationException", f"The request is no JSON: {error}") from error
    return request
