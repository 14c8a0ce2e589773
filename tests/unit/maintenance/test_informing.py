"""What a charger remembers of a customer: all of it, in order, and not for long."""

from __future__ import annotations

from chalicelib.maintenance import service
from chalicelib.maintenance.model.customers import MAX_PART, MAX_SEQ_NO
from tests.unit.maintenance.conftest import Told
from tests.unit.maintenance.test_inventories import asked


def report(told: Told, seq_no: int, data: str, last: bool = False, request_id: int = 5) -> None:
    told.tell(service.report_customer_information, request_id, data, seq_no, last)


def test_parts_in_any_order_are_one_text(told: Told) -> None:
    for seq_no, data, last in ((0, "one ", False), (2, "three", True), (1, "two ", False)):
        report(told, seq_no, data, last)
    whole = told.see("customer-information", request_id=5)
    assert (whole["text"], whole["parts"], whole["is_complete"]) == ("one two three", 3, True)


def test_a_missing_part_is_missed(told: Told) -> None:
    report(told, 0, "one ")
    assert not told.see("customer-information", request_id=5)["is_complete"]
    report(told, 2, "three", last=True)
    assert not told.see("customer-information", request_id=5)["is_complete"]


def test_the_command_says_how_far_it_is(told: Told) -> None:
    command = asked(told, 5)
    for _ in range(2):
        report(told, 0, "one ")
        report(told, 1, "two", last=True)
    assert told.progress(command) == ["reporting", "reported (2 parts)"]


def test_requests_are_not_mixed(told: Told) -> None:
    report(told, 0, "five", last=True)
    report(told, 0, "fifty-one", last=True, request_id=51)
    assert told.see("customer-information", request_id=5)["text"] == "five"


def test_it_is_bounded_and_expires(told: Told) -> None:
    for seq_no in (-1, MAX_SEQ_NO + 1):
        report(told, seq_no, "never")
    report(told, MAX_SEQ_NO, "x" * (MAX_PART + 1))
    [row] = told.rows()
    assert len(row["data"]["S"]) == MAX_PART
    assert 29 * 86400 < int(row["expires_at"]["N"]) - told.world.ctx.now().timestamp() < 31 * 86400


def test_what_was_never_told(told: Told) -> None:
    status, _ = told.world.rest.get(
        "/v1/chargers/CP-001/customer-information", token=told.token, query={"request_id": 9}
    )
    assert status == 404
