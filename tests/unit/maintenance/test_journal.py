"""The journal: everything a charger reports of itself, each thing once, and within bounds."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.maintenance.model.journal import (
    CRITICAL_SECURITY_EVENTS,
    MAX_DATA_BYTES,
    MAX_STEPS,
    MAX_SUMMARY,
    Procedure,
    advance,
    make_event,
    procedure_severity,
)
from tests.unit.maintenance.conftest import Told
from tests.world import START


def record(told: Told, **changes: object) -> None:
    values = {"kind": "device", "at": told.world.ctx.now(), "summary": "Overheated", "data": {"c": 91}}
    told.tell(maintenance.record_event, **(values | changes))


def summaries(told: Told, **query: object) -> list[str]:
    return [event["summary"] for event in told.see("events", **query)["data"]]


def test_an_event_is_one_write_without_a_read(told: Told) -> None:
    uow = UnitOfWork(told.world.ctx)
    maintenance.record_event(uow, told.charger, kind="device", at=START, summary="Hot", data={})
    assert [write.operation for write in uow.writes] == ["Put"]


def test_what_is_told_twice_is_there_once(told: Told) -> None:
    at = told.world.ctx.now()
    for _ in range(2):
        record(told, at=at)
        told.world.advance(60)
    assert summaries(told) == ["Overheated"]


def test_what_differs_at_the_same_moment_stays_apart(told: Told) -> None:
    at = told.world.ctx.now()
    record(told, at=at)
    record(told, at=at, data={"c": 92})
    record(told, at=at, kind="network")
    assert len(summaries(told)) == 3


def test_newest_first_and_by_kind_and_time(told: Told) -> None:
    for hour, kind in enumerate(["device", "network", "device"]):
        record(told, at=START + timedelta(hours=hour), summary=f"at {hour}", kind=kind)
    assert summaries(told) == ["at 2", "at 1", "at 0"]
    assert summaries(told, kind="device") == ["at 2", "at 0"]
    first, second = (to_rfc3339(START + timedelta(hours=hour)) for hour in (1, 2))
    assert summaries(told, date_from=first) == ["at 2", "at 1"]
    assert summaries(told, date_to=second) == ["at 1", "at 0"]
    assert summaries(told, date_from=first, date_to=second) == ["at 1"]


def test_pages_go_on_where_they_ended(told: Told) -> None:
    for minute in range(5):
        record(told, at=START + timedelta(minutes=minute), summary=f"at {minute}")
    page = told.see("events", limit=3)
    assert page["has_more"]
    rest = told.see("events", limit=3, cursor=page["next_cursor"])
    seen = [event["summary"] for event in [*page["data"], *rest["data"]]]
    assert seen == [f"at {minute}" for minute in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize("year", [1, 1970, 2099, 9999])
def test_a_charger_whose_clock_is_wrong(told: Told, year: int) -> None:
    """It is shown with its own time and ours, and does not go before its time, or never."""
    at = datetime(year, 6, 1, tzinfo=START.tzinfo)
    record(told, at=at)
    [event] = told.see("events")["data"]
    assert event["received_at"] == to_rfc3339(told.world.ctx.now()).replace(".000Z", "Z")
    [row] = [row for row in told.rows() if row["sk"]["S"].startswith("event#")]
    kept_s = int(row["expires_at"]["N"]) - told.world.ctx.now().timestamp()
    assert 89 * 86400 < kept_s < 91 * 86400


def test_too_much_data_is_cut_and_says_so(told: Told) -> None:
    record(told, data={"report": 'quote" ' * 20_000}, summary="s" * 5_000)
    [event] = told.see("events")["data"]
    assert event["data"]["note"].startswith("cut: ")
    assert event["data"]["beginning"].startswith('{"report":')
    assert len(event["summary"]) == MAX_SUMMARY
    [row] = [row for row in told.rows() if row["sk"]["S"].startswith("event#")]
    assert len(row["data"]["S"]) <= MAX_DATA_BYTES + 100


def test_data_up_to_the_limit_is_whole(told: Told) -> None:
    data = {"report": "x" * (MAX_DATA_BYTES - len('{"report":""}'))}
    record(told, data=data)
    assert told.see("events")["data"][0]["data"] == data


def test_a_kind_that_nobody_could_look_for() -> None:
    with pytest.raises(ValueError, match="gossip"):
        make_event(charger_id="C", operator_id="O", kind="gossip", at=START, received_at=START, summary="", data={})


# -- security events ----------------------------------------------------------------------------------------------


def test_security_events_are_known_by_type_and_time(told: Told) -> None:
    at = told.world.ctx.now()
    for tech_info in (None, "the same, told with more words"):
        told.tell(maintenance.report_security_event, event_type="ResetOrReboot", at=at, tech_info=tech_info)
    told.tell(maintenance.report_security_event, event_type="InvalidMessages", at=at, tech_info="x")
    told.tell(
        maintenance.report_security_event, event_type="ResetOrReboot", at=at + timedelta(seconds=1), tech_info=None
    )
    events = told.see("events", kind="security")["data"]
    assert [event["data"]["event_type"] for event in events] == [
        "ResetOrReboot",
        "InvalidMessages",
        "ResetOrReboot",
    ] or [event["data"]["event_type"] for event in events] == ["ResetOrReboot", "ResetOrReboot", "InvalidMessages"]
    assert told.see("events", severity="critical")["data"] == [
        event for event in events if event["data"]["event_type"] == "ResetOrReboot"
    ]


@pytest.mark.parametrize("event_type", sorted(CRITICAL_SECURITY_EVENTS))
def test_what_is_critical(told: Told, event_type: str) -> None:
    told.tell(maintenance.report_security_event, event_type=event_type, at=START, tech_info=None)
    assert told.see("events")["data"][0]["severity"] == "critical"


@pytest.mark.parametrize("event_type", ["InvalidMessages", "AttemptedReplayAttacks", "VendorThing"])
def test_what_is_not(told: Told, event_type: str) -> None:
    told.tell(maintenance.report_security_event, event_type=event_type, at=START, tech_info=None)
    assert told.see("events")["data"][0]["severity"] == "warning"


# -- procedures ---------------------------------------------------------------------------------------------------


def firmware(told: Told, status: str, request_id: int | None = None) -> None:
    told.world.advance(1)
    told.tell(
        maintenance.report_firmware_status, status=status, request_id=request_id, at=told.world.ctx.now(), detail=""
    )


def test_a_firmware_update_from_command_to_end(told: Told) -> None:
    command = told.ask(
        "UpdateFirmware", {"location": "https://files.example/fw", "retrieveDate": "2026-03-02T09:00:00Z"}
    )
    for status in ("Downloading", "Downloading", "Downloaded", "Installing", "Installed"):
        firmware(told, status)
    assert told.progress(command) == ["Downloading", "Downloaded", "Installing", "Installed"]
    [procedure] = told.see("procedures")["data"]
    assert (procedure["kind"], procedure["status"], procedure["request_id"]) == ("firmware", "Installed", None)
    assert [step["status"] for step in procedure["steps"]] == ["Downloading", "Downloaded", "Installing", "Installed"]
    assert summaries(told, kind="firmware") == ["Installed", "Installing", "Downloaded", "Downloading"]


def test_a_repeat_writes_nothing(told: Told) -> None:
    firmware(told, "Downloading", 7)
    before = told.rows()
    firmware(told, "Downloading", 7)
    assert told.rows() == before


def test_numbered_procedures_are_told_apart(told: Told) -> None:
    firmware(told, "Downloading", 7)
    firmware(told, "DownloadFailed", 8)
    found = {procedure["request_id"]: procedure["status"] for procedure in told.see("procedures")["data"]}
    assert found == {7: "Downloading", 8: "DownloadFailed"}
    assert told.see("events")["data"][0]["severity"] == "warning"


def test_without_numbers_a_new_one_begins_after_an_end(told: Told) -> None:
    for status in ("Downloading", "DownloadFailed", "Downloading"):
        firmware(told, status)
    [procedure] = told.see("procedures")["data"]
    assert [step["status"] for step in procedure["steps"]] == ["Downloading"]


def test_a_log_upload_finds_its_command(told: Told) -> None:
    command = told.ask("GetDiagnostics", {"location": "https://files.example/logs"})
    told.tell(maintenance.report_log_status, status="Uploading", request_id=None, at=START)
    told.tell(maintenance.report_log_status, status="UploadFailed", request_id=None, at=START, detail="disk")
    assert told.progress(command) == ["Uploading", "UploadFailed"]
    assert summaries(told, kind="log")[0] in ("UploadFailed: disk", "Uploading")


def test_steps_are_bounded() -> None:
    known: Procedure | None = None
    for number in range(3 * MAX_STEPS):
        said = Procedure("C", "firmware", f"Step {number}", "", START, START, request_id=7)
        known = advance(known, said, START)
        assert known is not None
    assert known is not None
    assert len(known.steps) == MAX_STEPS
    assert known.steps[-1].status == f"Step {3 * MAX_STEPS - 1}"


@pytest.mark.parametrize(
    ("status", "severity"),
    [
        ("Installed", "info"),
        ("Uploaded", "info"),
        ("InstallationFailed", "warning"),
        ("InvalidSignature", "warning"),
        ("PermissionDenied", "warning"),
        ("UploadFailure", "warning"),
        ("BadMessage", "warning"),
    ],
)
def test_trouble_is_a_warning(status: str, severity: str) -> None:
    assert procedure_severity(status) == severity
