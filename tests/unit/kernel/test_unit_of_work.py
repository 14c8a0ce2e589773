"""The unit of work: all or nothing, each failed condition under its own name, a lost race decided again."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.kernel.errors import DomainError, Kind, StaleRead, conflict
from chalicelib.kernel.unit_of_work import DECIDE_ATTEMPTS, MAX_WRITES, UnitOfWork, decide_and_commit
from infra.local import aws_hooks
from infra.local.aws_hooks import AwsError
from tests.unit.kernel.things import THINGS, Thing, ThingRow, key, stored
from tests.world import World

TAKEN = conflict("thing.taken", "The thing is taken.")
POOR = conflict("thing.poor", "Not enough.")
GONE = conflict("thing.gone", "The thing is gone.")


class Spy:
    """Stands before the engine: counts operations, may answer the next ones with an error."""

    def __init__(self, world: World) -> None:
        self.operations: list[str] = []
        self.errors: list[AwsError] = []
        self._engine = world.engine

    def __call__(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        self.operations.append(operation)
        if self.errors:
            raise self.errors.pop(0)
        return self._engine.execute(operation, request)


@pytest.fixture
def spy(things: World) -> Any:
    spy = Spy(things)
    restore = aws_hooks.register("dynamodb", spy)
    yield spy
    restore()


def _uow(world: World) -> UnitOfWork:
    return UnitOfWork(world.ctx)


def test_one_write_is_sent_plain_and_several_as_one_transaction(things: World, spy: Spy) -> None:
    _uow(things).commit()
    assert spy.operations == []
    for number, count in enumerate((1, 2)):
        uow = _uow(things)
        for item in range(count):
            uow.create(THINGS, Thing(f"t{number}{item}"))
        uow.commit()
    assert spy.operations == ["PutItem", "TransactWriteItems"]


def test_a_lone_condition_check_is_still_checked(things: World, spy: Spy) -> None:
    uow = _uow(things)
    uow.check(THINGS, key("t1"), ThingRow.pk.exists(), GONE)
    with pytest.raises(DomainError) as caught:
        uow.commit()
    assert caught.value is GONE
    assert spy.operations == ["TransactWriteItems"]


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda uow: uow.create(THINGS, Thing("t1"), TAKEN), TAKEN),
        (
            lambda uow: uow.update(
                THINGS, key("t1"), [ThingRow.amount.add(-9)], condition=ThingRow.amount >= 9, on_conflict=POOR
            ),
            POOR,
        ),
        (lambda uow: uow.delete(THINGS, key("t9"), condition=ThingRow.pk.exists(), on_conflict=GONE), GONE),
        (lambda uow: uow.check(THINGS, key("t9"), ThingRow.pk.exists(), GONE), GONE),
    ],
    ids=["put", "update", "delete", "check"],
)
def test_a_failed_condition_raises_its_own_error_and_nothing_lands(
    things: World, write: Any, expected: DomainError, alone: bool
) -> None:
    things.commit(lambda uow: uow.put(THINGS, Thing("t1", amount=5)))
    uow = _uow(things)
    if not alone:
        uow.put(THINGS, Thing("before"))
    write(uow)
    if not alone:
        uow.put(THINGS, Thing("after"))
    with pytest.raises(DomainError) as caught:
        uow.commit()
    assert caught.value is expected
    assert stored(things, "t1") == Thing("t1", amount=5)
    assert stored(things, "before") is stored(things, "after") is None


def test_the_first_of_two_failed_conditions_is_told(things: World) -> None:
    uow = _uow(things)
    uow.check(THINGS, key("t1"), ThingRow.pk.exists(), GONE)
    uow.delete(THINGS, key("t2"), condition=ThingRow.pk.exists(), on_conflict=POOR)
    with pytest.raises(DomainError) as caught:
        uow.commit()
    assert caught.value is GONE


def test_all_kinds_of_writes_land_together(things: World) -> None:
    things.commit(lambda uow: uow.put(THINGS, Thing("old")))
    things.commit(lambda uow: uow.put(THINGS, Thing("counted", amount=1)))
    uow = _uow(things)
    uow.create(THINGS, Thing("new"))
    uow.update(THINGS, key("counted"), [ThingRow.amount.add(2), ThingRow.note.set("n")])
    uow.delete(THINGS, key("old"))
    uow.check(THINGS, key("never"), ThingRow.pk.does_not_exist(), TAKEN)
    uow.commit()
    counted = stored(things, "counted")
    assert counted is not None
    assert (counted.amount, counted.note) == (3, "n")
    assert stored(things, "new") is not None
    assert stored(things, "old") is None


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize(
    ("code", "error"),
    [("TransactionConflictException", StaleRead), ("ProvisionedThroughputExceededException", DomainError)],
)
def test_contention_and_throttling_are_told_apart(
    things: World, spy: Spy, code: str, error: type[DomainError], alone: bool
) -> None:
    uow = _uow(things)
    for number in range(1 if alone else 2):
        uow.put(THINGS, Thing(f"t{number}"))
    spy.errors = [AwsError(code, "busy")] * 5
    with pytest.raises(error) as caught:
        uow.commit()
    assert caught.value.kind is (Kind.CONFLICT if error is StaleRead else Kind.UNAVAILABLE)


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        (["None", "TransactionConflict"], "concurrent_change"),
        (["None", "ThrottlingError"], "store.busy"),
        (["TransactionConflict", "ConditionalCheckFailed"], "thing.taken"),
    ],
)
def test_reasons_of_a_cancelled_transaction(things: World, spy: Spy, reasons: list[str], expected: str) -> None:
    uow = _uow(things)
    uow.put(THINGS, Thing("t1"))
    uow.create(THINGS, Thing("t2"), TAKEN)
    cancelled = {"CancellationReasons": [{"Code": reason} for reason in reasons]}
    spy.errors = [AwsError("TransactionCanceledException", "cancelled", extra=cancelled)]
    with pytest.raises(DomainError) as caught:
        uow.commit()
    assert caught.value.code == expected


def test_a_mistake_of_ours_is_not_dressed_up(things: World, spy: Spy) -> None:
    spy.errors = [AwsError("ValidationException", "no such table")]
    uow = _uow(things)
    uow.put(THINGS, Thing("t1"))
    with pytest.raises(ClientError):
        uow.commit()


def test_a_unit_of_work_commits_once_and_within_limits(things: World) -> None:
    uow = _uow(things)
    uow.commit()
    with pytest.raises(RuntimeError):
        uow.commit()
    large = _uow(things)
    for number in range(MAX_WRITES + 1):
        large.put(THINGS, Thing(f"t{number}"))
    with pytest.raises(RuntimeError):
        large.commit()


def test_what_comes_after_a_commit_comes_only_after_a_commit(things: World) -> None:
    done: list[str] = []
    good, bad = _uow(things), _uow(things)
    for uow, name in ((good, "good"), (bad, "bad")):
        uow.create(THINGS, Thing("t1"), TAKEN)
        uow.then(lambda name=name: done.append(name))
    good.commit()
    with pytest.raises(DomainError):
        bad.commit()
    assert done == ["good"]


def test_a_lost_race_is_decided_again_from_a_fresh_read(things: World) -> None:
    things.commit(lambda uow: uow.put(THINGS, Thing("t1", amount=1)))
    seen: list[int] = []

    def decide(uow: UnitOfWork) -> int:
        known = stored(things, "t1")
        assert known is not None
        seen.append(known.amount)
        if len(seen) == 1:
            things.commit(lambda other: other.put(THINGS, Thing("t1", amount=10)))
        uow.update(
            THINGS, key("t1"), [ThingRow.amount.set(known.amount + 1)], condition=ThingRow.amount == known.amount
        )
        return known.amount + 1

    assert decide_and_commit(things.ctx, decide) == 11
    assert seen == [1, 10]


def test_a_race_that_is_never_won_ends(things: World) -> None:
    tries: list[int] = []

    def decide(uow: UnitOfWork) -> None:
        tries.append(1)
        uow.delete(THINGS, key("t1"), condition=ThingRow.pk.exists())

    with pytest.raises(StaleRead):
        decide_and_commit(things.ctx, decide)
    assert len(tries) == DECIDE_ATTEMPTS


def test_a_refusal_is_not_decided_again(things: World) -> None:
    tries: list[int] = []

    def decide(uow: UnitOfWork) -> None:
        tries.append(1)
        uow.check(THINGS, key("t1"), ThingRow.pk.exists(), GONE)

    with pytest.raises(DomainError) as caught:
        decide_and_commit(things.ctx, decide)
    assert caught.value is GONE
    assert len(tries) == 1
