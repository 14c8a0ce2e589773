"""The refusals of DynamoDB, with its own codes and words. Raised anywhere in the engine; nothing was changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.local.aws_hooks import AwsError


def validation(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def invalid_parameter(message: str) -> AwsError:
    return AwsError("ValidationException", f"One or more parameter values were invalid: {message}")


def malformed(message: str) -> AwsError:
    """A value of the wrong JSON type, which DynamoDB's own decoder refuses."""
    return AwsError("SerializationException", message)


def table_not_found(name: str | None = None) -> AwsError:
    detail = f": Table: {name} not found" if name else ""
    return AwsError("ResourceNotFoundException", f"Requested resource not found{detail}")


def condition_failed(item: Mapping[str, Any] | None) -> AwsError:
    """`item` is what is stored, given back when the caller asked for ALL_OLD."""
    extra = {"Item": item} if item is not None else None
    return AwsError("ConditionalCheckFailedException", "The conditional request failed", extra=extra)
