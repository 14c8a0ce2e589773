"""Wraps every job and Lambda entry: context, logging of the outcome, one error shape.

Chalice middleware does not run for functions deployed from a blueprint (Lambda imports their module, not `app.py`),
so what all entries share is this explicit decorator.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any, TypeVar

from chalicelib.kernel import context, metrics
from chalicelib.kernel.context import Context
from chalicelib.kernel.log import logger

Result = TypeVar("Result")


def entry(function: Callable[[Context, dict[str, Any]], Result]) -> Callable[..., Result]:
    """Turns `(ctx, event) -> result` into a Lambda handler.

    The event is the plain dictionary, also where Chalice hands over its own event object. An exception is logged
    once with the job's name and raised on: Lambda, Step Functions and the stream retry as they are configured.
    """

    @functools.wraps(function)
    def handler(event: Any, _lambda_context: Any = None) -> Result:
        started = time.perf_counter()
        payload: dict[str, Any] = event if isinstance(event, dict) else event.to_dict()
        ctx = context.current()
        try:
            result = function(ctx, payload)
        except Exception:
            logger.exception("job failed", extra={"job": function.__name__})
            metrics.record(ctx, "JobFailed", job=function.__name__)
            raise
        logger.info(
            "job done",
            extra={"job": function.__name__, "duration_ms": round((time.perf_counter() - started) * 1000)},
        )
        return result

    return handler
