"""Puts an engine behind every botocore client of the process: boto3, botocore and PynamoDB run unmodified."""

from __future__ import annotations

from collections.abc import Callable

from infra.local import aws_hooks
from infra.local.dynamodb.engine import Engine


def install(engine: Engine) -> Callable[[], None]:
    """Makes `engine` answer all DynamoDB calls; returns what puts the engine before it (or none) back.

    Clients made before the first install of the process stay as they were; all later ones follow the current
    engine, so that a test may bring its own while cached clients live on.
    """
    return aws_hooks.register("dynamodb", engine.execute)
