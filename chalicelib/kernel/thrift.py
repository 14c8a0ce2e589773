"""Makes a botocore client of DynamoDB do no work twice: a third of the CPU of each call.

Called by `kernel.context` for the client it makes; unmodified clients keep working beside it. The invariant: what goes
over the wire is what botocore itself would have sent; `tests/unit/kernel/test_thrift.py` holds the two against each
other, so that a release that changes the private parts used here is noticed before it ships.
"""

from __future__ import annotations

import uuid
from typing import Any, Final, NamedTuple

import msgspec

_encode: Final = msgspec.json.Encoder().encode


def make_thrifty(client: Any) -> None:
    """`client` is one of DynamoDB with an endpoint and a user agent of its own and `parameter_validation=False`."""
    client._make_api_call = _Caller(client)


class _Operation(NamedTuple):
    """What is the same in all its calls."""

    model: Any
    headers: dict[str, str]
    tokens: list[str]
    """Parameters that recognise a call that is sent again: botocore makes them up where the caller has none."""
    before_call: str
    after_call: str


class _Caller:
    """In the place of the client's `_make_api_call`. Our parameters have the wire's form already (a table's rows are
    attribute maps), so they are encoded as they are instead of being copied along the service's model; the endpoint is
    fixed, so that no rules are worked for it; headers, context and events' names are those of the operation. Signing,
    sending and retrying stay botocore's, and so do the events before and after a call."""

    def __init__(self, client: Any) -> None:
        model = client.meta.service_model
        self._client = client
        self._url = f"{client.meta.endpoint_url.rstrip('/')}/"
        self._target: str = model.metadata["targetPrefix"]
        self._content_type = f"application/x-amz-json-{model.metadata['jsonVersion']}"
        self._service_id: str = model.service_id.hyphenize()
        self._operations: dict[str, _Operation] = {}

    def __call__(self, operation_name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Raises botocore's ClientError, and what its endpoint raises."""
        operation = self._operations.get(operation_name) or self._operation(operation_name)
        for token in operation.tokens:
            parameters.setdefault(token, str(uuid.uuid4()))
        context = self._context(operation.model)
        request = {
            "url_path": "/",
            "query_string": "",
            "method": "POST",
            "headers": operation.headers.copy(),
            "body": _encode(parameters),
            "url": self._url,
            "context": context,
        }
        parsed: dict[str, Any]
        http, parsed = self._answer(operation, request, context)
        if http.status_code >= 300:
            code = context.get("error_code_override") or parsed.get("Error", {}).get("Code")
            raise self._client.exceptions.from_code(code)(parsed, operation_name)
        return parsed

    def _answer(self, operation: _Operation, request: dict[str, Any], context: dict[str, Any]) -> tuple[Any, Any]:
        events = self._client.meta.events
        _, answered = events.emit_until_response(
            operation.before_call,
            model=operation.model,
            params=request,
            request_signer=self._client._request_signer,
            context=context,
        )
        if answered is not None:
            http, parsed = answered
            return http, parsed
        http, parsed = self._client._endpoint.make_request(operation.model, request)
        events.emit(operation.after_call, http_response=http, parsed=parsed, model=operation.model, context=context)
        return http, parsed

    def _context(self, model: Any) -> dict[str, Any]:
        """A new one for each call: signing and retrying note there what they do."""
        client = self._client
        return {
            "client_region": client.meta.region_name,
            "client_config": client.meta.config,
            "has_streaming_input": False,
            "auth_type": model.resolved_auth_type,
            "unsigned_payload": model.unsigned_payload,
            "auth_options": client.meta.service_model.metadata.get("auth"),
        }

    def _operation(self, name: str) -> _Operation:
        model = self._client.meta.service_model.operation_model(name)
        headers = {
            "X-Amz-Target": f"{self._target}.{name}",
            "Content-Type": self._content_type,
            "User-Agent": self._client._user_agent_creator.to_string(),
        }
        event = f"{self._service_id}.{name}"
        operation = _Operation(model, headers, model.idempotent_members, f"before-call.{event}", f"after-call.{event}")
        self._operations[name] = operation
        return operation
