"""The expressions of one request with their #names and :values.

Made once per request; hands out the compiled expressions and, at the end, refuses placeholders that none of
them used (`finish`). Nothing has been read or written by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.local.dynamodb.errors import validation
from infra.local.dynamodb.expressions import keys, projections, updates
from infra.local.dynamodb.expressions.conditions import Condition, Values, bind_checks, compile_condition
from infra.local.dynamodb.expressions.keys import KeyCondition
from infra.local.dynamodb.expressions.projections import Projection
from infra.local.dynamodb.expressions.updates import Update
from infra.local.dynamodb.values import normalise

_NO_NAMES: tuple[tuple[str, str], ...] = ()
_LEGACY = frozenset(
    {
        "AttributeUpdates",
        "AttributesToGet",
        "ConditionalOperator",
        "Expected",
        "KeyConditions",
        "QueryFilter",
        "ScanFilter",
    }
)


class Bindings:
    __slots__ = ("_names", "_request", "_unused_names", "_unused_values", "values")

    def __init__(self, request: Mapping[str, Any]) -> None:
        if not _LEGACY.isdisjoint(request):
            legacy = ", ".join(sorted(_LEGACY & request.keys()))
            raise validation(f"Legacy parameters are not supported here, use expressions: {legacy}")
        self._request = request
        names = request.get("ExpressionAttributeNames")
        values = request.get("ExpressionAttributeValues")
        self._names = tuple(names.items()) if names else _NO_NAMES
        self.values: Values = {name: normalise(value)[0] for name, value in values.items()} if values else {}
        self._unused_names: set[str] = set(names or ())
        self._unused_values: set[str] = set(values or ())
        if names is not None and not names:
            raise validation("ExpressionAttributeNames must not be empty")
        if values is not None and not values:
            raise validation("ExpressionAttributeValues must not be empty")

    def condition(self, label: str = "ConditionExpression") -> Condition | None:
        text = self._request.get(label)
        if text is None:
            return None
        condition = compile_condition(text, self._names, label)
        self._use(condition.used_names, condition.used_values, label)
        bind_checks(condition, self.values)
        return condition

    def update(self) -> Update | None:
        text = self._request.get(updates.LABEL)
        if text is None:
            return None
        update = updates.compile_update(text, self._names)
        self._use(update.used_names, update.used_values, updates.LABEL)
        for check in update.checks:
            check(self.values)
        return update

    def projection(self) -> Projection | None:
        text = self._request.get(projections.LABEL)
        if text is None:
            return None
        projection = projections.compile_projection(text, self._names)
        self._unused_names -= projection.used_names
        return projection

    def key_condition(self) -> KeyCondition:
        text = self._request.get(keys.LABEL)
        if text is None:
            raise validation(
                "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
            )
        condition = keys.compile_key_condition(text, self._names)
        self._use(condition.used_names, condition.used_values, keys.LABEL)
        return condition

    def finish(self) -> None:
        if self._unused_names:
            raise _unused("ExpressionAttributeNames", self._unused_names)
        if self._unused_values:
            raise _unused("ExpressionAttributeValues", self._unused_values)

    def _use(self, names: frozenset[str], values: frozenset[str], label: str) -> None:
        self._unused_names -= names
        self._unused_values -= values
        for name in values:
            if name not in self.values:
                raise validation(
                    f"Invalid {label}: An expression attribute value used in expression is not defined; "
                    f"attribute value: {name}"
                )


def _unused(parameter: str, keys_left: set[str]) -> Exception:
    listed = ", ".join(sorted(keys_left))
    return validation(f"Value provided in {parameter} unused in expressions: keys: {{{listed}}}")
