"""The unit of work: named writes that land together or not at all.

An entry point opens one, services add writes to it, the entry point commits once. One write is sent as it is; two
or more as one TransactWriteItems. A write whose condition fails raises the domain error that it was given, so that
"duplicate" and "insufficient funds" stay apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from botocore.exceptions import ClientError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action, Update

from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, Kind, StaleRead
from chalicelib.kernel.table import Table, flip

Result = TypeVar("Result")

MAX_WRITES = 100
DECIDE_ATTEMPTS = 6

_SINGLE_OPERATIONS = {"Put": "put_item", "Update": "update_item", "Delete": "delete_item"}


@dataclass(frozen=True)
class Write:
    name: str
    operation: str  # Put | Update | Delete | ConditionCheck
    request: dict[str, Any]
    on_conflict: DomainError


@dataclass
class UnitOfWork:
    """Collects writes; `commit` sends them. Not reusable after a commit."""

    ctx: Context
    writes: list[Write] = field(default_factory=list)
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    committed: bool = False

    def put(
        self,
        table: Table[Any],
        entity: Any,
        *,
        condition: Condition | None = None,
        on_conflict: DomainError | None = None,
        name: str = "",
    ) -> None:
        """Writes the whole entity. Without a condition it replaces what was there."""
        self._add("Put", table, {"Item": table.to_item(entity)}, condition, on_conflict, name)

    def create(self, table: Table[Any], entity: Any, on_conflict: DomainError | None = None) -> None:
        """Writes an entity that must not exist yet."""
        self.put(table, entity, condition=table.row.pk.does_not_exist(), on_conflict=on_conflict)

    def update(
        self,
        table: Table[Any],
        key: tuple[str, str],
        actions: list[Action],
        *,
        condition: Condition | None = None,
        on_conflict: DomainError | None = None,
        name: str = "",
    ) -> None:
        """Applies PynamoDB update actions to one row (creating it unless the condition forbids)."""
        names: dict[str, str] = {}
        values: dict[str, Any] = {}
        request: dict[str, Any] = {
            "Key": table.key_map(*key),
            "UpdateExpression": Update(*actions).serialize(names, values),
        }
        self._add("Update", table, request, condition, on_conflict, name, names, values)

    def delete(
        self,
        table: Table[Any],
        key: tuple[str, str],
        *,
        condition: Condition | None = None,
        on_conflict: DomainError | None = None,
        name: str = "",
    ) -> None:
        self._add("Delete", table, {"Key": table.key_map(*key)}, condition, on_conflict, name)

    def check(
        self,
        table: Table[Any],
        key: tuple[str, str],
        condition: Condition,
        on_conflict: DomainError,
        name: str = "",
    ) -> None:
        """Asserts something about a row that this unit of work does not write."""
        self._add("ConditionCheck", table, {"Key": table.key_map(*key)}, condition, on_conflict, name)

    def then(self, action: Callable[[], None]) -> None:
        """Runs after a successful commit: cache invalidation and the like, never a business effect."""
        self.after_commit.append(action)

    def commit(self) -> None:
        """Sends all writes atomically. Raises the failed write's DomainError, StaleRead on contention."""
        if self.committed:
            raise RuntimeError("a unit of work commits once")
        self.committed = True
        if len(self.writes) > MAX_WRITES:
            raise RuntimeError(f"{len(self.writes)} writes do not fit one transaction")
        if len(self.writes) == 1 and self.writes[0].operation in _SINGLE_OPERATIONS:
            self._send_single(self.writes[0])
        elif self.writes:
            self._send_transaction()
        for action in self.after_commit:
            action()

    def _send_single(self, write: Write) -> None:
        try:
            getattr(self.ctx.dynamodb, _SINGLE_OPERATIONS[write.operation])(**write.request)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ConditionalCheckFailedException":
                raise write.on_conflict from error
            raise self._translate(code, error) from error

    def _send_transaction(self) -> None:
        items = [{write.operation: write.request} for write in self.writes]
        try:
            self.ctx.dynamodb.transact_write_items(TransactItems=items)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "TransactionCanceledException":
                raise self._cancelled(error) from error
            raise self._translate(code, error) from error

    def _cancelled(self, error: ClientError) -> DomainError:
        reasons = error.response.get("CancellationReasons", [])
        for write, reason in zip(self.writes, reasons, strict=False):
            if reason["Code"] == "ConditionalCheckFailed":
                return write.on_conflict
        return self._translate(next((r["Code"] for r in reasons if r["Code"] != "None"), ""), error)

    @staticmethod
    def _translate(code: str, error: ClientError) -> DomainError:
        if code in {"TransactionConflict", "TransactionConflictException", "TransactionInProgressException"}:
            return StaleRead("The row")
        if code in {
            "ProvisionedThroughputExceededException",
            "ProvisionedThroughputExceeded",
            "ThrottlingException",
            "ThrottlingError",
            "RequestLimitExceeded",
            "InternalServerError",
        }:
            return DomainError("store.busy", "The store is busy.", Kind.UNAVAILABLE, retry_after_s=1)
        raise error

    def _add(
        self,
        operation: str,
        table: Table[Any],
        request: dict[str, Any],
        condition: Condition | None,
        on_conflict: DomainError | None,
        name: str,
        names: dict[str, str] | None = None,
        values: dict[str, Any] | None = None,
    ) -> None:
        names = {} if names is None else names
        values = {} if values is None else values
        request["TableName"] = table.name
        if condition is not None:
            request["ConditionExpression"] = condition.serialize(names, values)
        if names:
            request["ExpressionAttributeNames"] = flip(names)
        if values:
            request["ExpressionAttributeValues"] = values
        label = name or table.row.__name__
        self.writes.append(Write(label, operation, request, on_conflict or StaleRead(label)))


def decide_and_commit(ctx: Context, decide: Callable[[UnitOfWork], Result]) -> Result:
    """Runs `decide` on a fresh unit of work and commits; on a lost race decides again from fresh reads.

    `decide` must have no effect besides its writes. Bounded: after DECIDE_ATTEMPTS the StaleRead goes to the caller.
    """
    for _ in range(DECIDE_ATTEMPTS - 1):
        uow = UnitOfWork(ctx)
        try:
            result = decide(uow)
            uow.commit()
            return result
        except StaleRead:
            continue
    uow = UnitOfWork(ctx)
    result = decide(uow)
    uow.commit()
    return result
