"""Makes a botocore client of DynamoDB do no work twice: a quarter of the CPU of each call.

Called by `kernel.context` for the client it makes; unmodified clients keep working beside it. The invariant: what goes
over the wire is what botocore itself would have sent; `tests/unit/kernel/test_thrift.py` holds the two against each
other, so that a release that changes the private parts used here is noticed before it ships.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

_encode: Final = msgspec.json.Encoder().encode


def make_thrifty(client: Any) -> None:
    """`client` is one of DynamoDB with an endpoint of its own and `parameter_validation=False`."""
    # The endpoint is fixed: botocore need not work its rules for every call (it then takes `endpoint_url`).
    client._ruleset_resolver = None
    client._serializer = _Serializer(client.meta.service_model)


class _Serializer:
    """Requests of DynamoDB's JSON protocol. Our parameters have the wire's form already (a table's rows are attribute
    maps), so they are encoded as they are, instead of being copied along the service's model."""

    def __init__(self, service_model: Any) -> None:
        self._target: str = service_model.metadata["targetPrefix"]
        self._content_type = f"application/x-amz-json-{service_model.metadata['jsonVersion']}"

    def serialize_to_request(self, parameters: dict[str, Any], operation_model: Any) -> dict[str, Any]:
        return {
            "url_path": "/",
            "query_string": "",
            "method": "POST",
            "headers": {
                "X-Amz-Target": f"{self._target}.{operation_model.name}",
                "Content-Type": self._content_type,
            },
            "body": _encode(parameters),
        }
