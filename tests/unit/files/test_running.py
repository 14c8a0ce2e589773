"""However deliveries break off, repeat or meet others, a file's rows land once or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.drivers import service as drivers
from chalicelib.files import jobs, service
from chalicelib.files.kinds import IMPORT_KINDS, Created
from chalicelib.files.model import InputRow
from chalicelib.files.service import running
from chalicelib.files.store import IMPORTS, import_key
from chalicelib.kernel.errors import DomainError, conflict
from chalicelib.kernel.http import Request
from chalicelib.kernel.outbox import Event
from chalicelib.kernel.unit_of_work import UnitOfWork
from infra.local import aws_hooks
from tests.unit.drivers.conftest import add_driver
from tests.unit.files.conftest import Files
from tests.world import World

ROWS = 250


def cards(count: int = ROWS) -> str:
    return "id_token\r\n" + "".join(f"C{number:05}\r\n" for number in range(count))


def begun(files: Files, **options: Any) -> str:
    reply = files.begin("id_tokens", cards(), **options)
    assert reply.status == 202, reply.body
    return str(reply.body["import_id"])


def step(files: Files, import_id: str, turn: int = 0) -> Any:
    """One commit of a delivery that then breaks off; the import as it is after it."""
    files.world.commit(lambda uow: service.advance_import(uow, import_id, turn, is_last=False))
    return job_of(files, import_id)


def job_of(files: Files, import_id: str) -> Any:
    return IMPORTS.get(files.world.ctx, *import_key(import_id))


def present(files: Files) -> int:
    found, cursor = 0, None
    while True:
        page = drivers.list_operator_cards(files.world.ctx, files.operator.operator_id, limit=200, cursor=cursor)
        found, cursor = found + len(page.data), page.next_cursor
        if cursor is None:
            return found


def add_card(files: Files, id_token: str) -> None:
    files.world.commit(lambda uow: drivers.add_card(uow, id_token=id_token, operator_id=None, driver=None))


@contextmanager
def before_commit_with(world: World, text: str, interfere: Callable[[], None]) -> Iterator[None]:
    """Once, right before a transaction that mentions `text` reaches the store."""
    waiting = [interfere]

    def watched(operation: str, request: dict[str, Any]) -> Any:
        if waiting and operation == "TransactWriteItems" and text in str(request):
            waiting.pop()()
        return world.engine.execute(operation, request)

    restore = aws_hooks.register("dynamodb", watched)
    yield
    restore()


@pytest.mark.parametrize("mode", ["all_or_nothing", "best_effort"])
@pytest.mark.parametrize("steps", [1, 2])
def test_a_delivery_that_broke_off_is_gone_on_with(files: Files, mode: str, steps: int) -> None:
    import_id = begun(files, mode=mode)
    for _ in range(steps):
        step(files, import_id)
    assert not job_of(files, import_id).is_over
    files.world.run_events()
    job = job_of(files, import_id)
    assert (job.state, job.rows_ok, job.created, present(files)) == ("done", ROWS, ROWS, ROWS)


def test_a_delivery_that_broke_off_while_writing(files: Files) -> None:
    import_id = begun(files)
    for _ in range(5):
        step(files, import_id)
    job = job_of(files, import_id)
    assert (job.phase, 0 < job.position < ROWS) == ("apply", True)
    assert present(files) == job.position
    files.world.run_events()
    assert (job_of(files, import_id).state, present(files)) == ("done", ROWS)


def test_events_that_come_again_change_nothing(files: Files) -> None:
    import_id = begun(files, mode="best_effort")
    files.world.run_events()
    after = job_of(files, import_id)
    for turn in range(after.turn + 2):
        event = Event("evt_1", "import.queued", import_id, {"turn": turn}, files.world.ctx.now())
        jobs.on_import_queued(files.world.ctx, event)
    assert job_of(files, import_id) == after
    jobs.on_import_queued(files.world.ctx, Event("evt_2", "import.queued", "imp_gone", {"turn": 0}, after.created_at))


def test_an_old_event_between_changes_nothing(files: Files) -> None:
    reply = files.begin("id_tokens", cards(600), mode="best_effort")
    import_id = reply.body["import_id"]
    event = Event("evt_1", "import.queued", import_id, {"turn": 0}, files.world.ctx.now())
    jobs.on_import_queued(files.world.ctx, event)
    between = job_of(files, import_id)
    assert (between.state, between.turn) == ("running", 1)
    jobs.on_import_queued(files.world.ctx, event)
    assert job_of(files, import_id) == between


def test_a_row_that_is_refused_after_its_first_write_writes_nothing(files: Files) -> None:
    import_id = begun(files, mode="best_effort")

    def create(req: Request, operator_id: str, values: Any) -> Created:
        name = values["id_token"]
        drivers.add_card(req.uow, id_token=name, operator_id=operator_id, driver=None)
        if name == "C00001":
            raise conflict("too.late", "Refused.")
        return Created(name)

    kind = replace(IMPORT_KINDS["id_tokens"], create=create)
    rows = [InputRow(number, {"id_token": f"C{number:05}"}) for number in range(3)]
    uow = UnitOfWork(files.world.ctx)
    found = running._apply(uow, job_of(files, import_id), kind, rows)
    assert ([made.object_id for made in found.made], found.errors[0].code) == (["C00000", "C00002"], "too.late")
    uow.commit()
    assert present(files) == 2


def test_two_deliveries_at_once_do_not_write_twice(files: Files) -> None:
    import_id = begun(files, mode="best_effort")
    slower = UnitOfWork(files.world.ctx)
    service.advance_import(slower, import_id, 0, is_last=False)
    step(files, import_id)
    with pytest.raises(DomainError):
        slower.commit()
    files.world.run_events()
    job = job_of(files, import_id)
    assert (job.rows_ok, job.rows_failed, present(files)) == (ROWS, 0, ROWS)


def test_a_row_that_loses_a_race_is_reported_and_the_others_land(files: Files) -> None:
    """Somebody adds the same card between our look and our commit: the commit fails as a whole, and is taken apart."""
    import_id = begun(files, mode="best_effort")
    with before_commit_with(files.world, "C00120", lambda: add_card(files, "C00120")):
        files.world.run_events()
    job = job_of(files, import_id)
    assert (job.state, job.rows_ok, job.rows_failed) == ("done", ROWS - 1, 1)
    [error] = service.import_errors(files.world.ctx, import_id, limit=10, cursor=None).data
    assert (error.row, error.code) == (122, "id_token.exists")


def test_all_or_nothing_takes_back_what_it_wrote(files: Files) -> None:
    import_id = begun(files)
    while job_of(files, import_id).position < 150 or job_of(files, import_id).phase == "check":
        step(files, import_id)
    assert present(files) >= 150
    add_card(files, "C00200")
    files.world.run_events()
    job = job_of(files, import_id)
    assert (job.state, job.failure_code, job.created, job.rows_ok) == ("failed", "import.refused", 0, 0)
    assert present(files) == 0
    assert drivers.require_card(files.world.ctx, "C00200").operator_id is None
    [error] = service.import_errors(files.world.ctx, import_id, limit=10, cursor=None).data
    assert (error.row, error.code) == (202, "id_token.exists")
    assert files.get(f"/v1/imports/{import_id}/result").body == "\ufeffrow,id_token\r\n"


def test_what_was_used_meanwhile_stays_and_is_reported(files: Files) -> None:
    import_id = begun(files)
    while job_of(files, import_id).position < 100 or job_of(files, import_id).phase == "check":
        step(files, import_id)
    for name in ("C00000", "C00042"):
        card = drivers.require_card(files.world.ctx, name)
        files.world.commit(lambda uow, card=card: drivers.change_card(uow, card, {"status": "blocked"}))
    add_card(files, "C00200")
    files.world.run_events()
    shown = files.get(f"/v1/imports/{import_id}").body
    assert (shown["state"], shown["created"], present(files)) == ("failed", 2, 2)
    assert "2 objects could not be taken back" in shown["failure"]["detail"]
    found = sorted((error["row"], error["code"]) for error in shown["errors"])
    assert found == [(2, "import.not_undone"), (44, "import.not_undone"), (202, "id_token.exists")]


@pytest.mark.parametrize("how", ["claimed", "noted"])
def test_a_card_that_somebody_took_or_wrote_on_meanwhile_stays(files: Files, how: str) -> None:
    import_id = begun(files)
    while job_of(files, import_id).position < 100 or job_of(files, import_id).phase == "check":
        step(files, import_id)
    add_card(files, "C00200")
    driver = add_driver(files.world)
    card = drivers.require_card(files.world.ctx, "C00042")
    if how == "claimed":
        files.world.commit(lambda uow: drivers.claim_card(uow, driver, "C00042"))
    else:
        files.world.commit(lambda uow: drivers.change_card(uow, card, {"note": "Spare"}))
    files.world.run_events()
    job = job_of(files, import_id)
    assert (job.state, job.created, present(files)) == ("failed", 1, 1)
    kept = drivers.require_card(files.world.ctx, "C00042")
    assert (kept.driver_id, kept.note) == ((driver.driver_id, None) if how == "claimed" else (None, "Spare"))


def test_a_card_that_is_used_between_look_and_commit_of_taking_back_stays(files: Files) -> None:
    import_id = begun(files)
    while job_of(files, import_id).position < 100 or job_of(files, import_id).phase == "check":
        step(files, import_id)
    add_card(files, "C00200")
    while job_of(files, import_id).phase != "undo":
        step(files, import_id)
    card = drivers.require_card(files.world.ctx, "C00042")

    def block() -> None:
        files.world.commit(lambda uow: drivers.change_card(uow, card, {"status": "blocked"}))

    with before_commit_with(files.world, "C00042", block):
        files.world.run_events()
    job = job_of(files, import_id)
    assert (job.state, job.created, present(files)) == ("failed", 1, 1)


def test_errors_come_in_pages_each_once(files: Files) -> None:
    bad = "id_token\r\n" + "".join(f"bad {number}\r\n" for number in range(ROWS))
    job = files.imported("id_tokens", bad, dry_run=True)
    assert [error["row"] for error in job["errors"]] == list(range(2, 102))
    address, rows, cursor = f"/v1/imports/{job['import_id']}/errors", [], None
    while True:
        query = {"limit": 70} | ({} if cursor is None else {"cursor": cursor})
        page = files.get(address, **query).body
        rows += [error["row"] for error in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert rows == list(range(2, ROWS + 2))
    for wrong in ("eyJwayI6IjEifQ", "e30", "x"):
        assert files.get(address, cursor=wrong).status == 400


def test_what_is_kept_of_a_file_expires_within_a_week(files: Files) -> None:
    begun(files, mode="best_effort")
    files.world.run_events()
    now = files.world.ctx.now().timestamp()
    kept = files.world.engine.execute("Scan", {"TableName": "wattfare-files"})["Items"]
    assert len(kept) > 3
    assert all(now < int(item["expires_at"]["N"]) <= now + 7 * 86_400 for item in kept)
