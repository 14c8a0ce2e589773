"""What a charger has, as far as it told or accepted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.maintenance.model.inventories import (
    MAX_BYTES,
    MAX_ENTRIES,
    Entry,
    Inventory,
    certificate_key,
    with_entries,
)
from chalicelib.ocpp import outbound
from tests.unit.maintenance.conftest import Told
from tests.world import START


def message(number: int, text: str = "Hello") -> dict[str, Any]:
    return {"id": number, "priority": "NormalCycle", "message": {"format": "UTF8", "content": text}}


def profile(number: int, *, purpose: str = "TxDefaultProfile", level: int = 0, **more: Any) -> dict[str, Any]:
    return {"chargingProfileId": number, "chargingProfilePurpose": purpose, "stackLevel": level, **more}


def messages(told: Told) -> dict[int, str]:
    return {seen["message_id"]: seen["message"]["message"]["content"] for seen in told.see("display-messages")["data"]}


def profiles(told: Told) -> list[int]:
    return sorted(seen["profile_id"] for seen in told.see("charging-profiles")["data"])


# -- display messages ---------------------------------------------------------------------------------------------


def test_an_accepted_message_is_shown_until_it_is_cleared(told: Told) -> None:
    told.tell(maintenance.record_display_message, message(1))
    told.tell(maintenance.record_display_message, message(2, "Free today"))
    assert messages(told) == {1: "Hello", 2: "Free today"}
    told.tell(maintenance.record_display_message, message(1, "Changed"))
    told.tell(maintenance.forget_display_message, 2)
    assert messages(told) == {1: "Changed"}


def test_what_changes_nothing_writes_nothing(told: Told) -> None:
    told.tell(maintenance.record_display_message, message(1))
    for change in (
        lambda uow: maintenance.record_display_message(uow, told.charger, message(1)),
        lambda uow: maintenance.forget_display_message(uow, told.charger, 9),
        lambda uow: maintenance.forget_monitors(uow, told.charger, [1, 2]),
    ):
        uow = UnitOfWork(told.world.ctx)
        change(uow)
        assert uow.writes == []


def test_two_frames_at_once_lose_nothing(told: Told) -> None:
    """Both read the same row: the second decides again."""
    uow = UnitOfWork(told.world.ctx)
    maintenance.record_display_message(uow, told.charger, message(1))
    told.tell(maintenance.record_display_message, message(2))
    with pytest.raises(Exception, match="concurrent_change"):
        uow.commit()
    told.tell(maintenance.record_display_message, message(1))
    assert sorted(messages(told)) == [1, 2]


# -- reports in parts ---------------------------------------------------------------------------------------------


def asked(told: Told, request_id: int) -> Any:
    """A command that reports with this number belong to, as a 2.x charger would have accepted it."""
    from chalicelib.chargers import service as chargers

    command = told.wire.queue("ClearCache", {})
    link = chargers.get_link(told.world.ctx, told.charger.charger_id)
    assert link is not None
    told.world.commit(lambda uow: chargers.mark_sent(uow, link, command, topic=f"request#{request_id}"))
    return command


def test_parts_are_counted_for_the_command(told: Told) -> None:
    command = asked(told, 17)
    for number in (1, 2, 3):
        told.tell(maintenance.report_display_messages, 17, [message(number)], number == 3)
    assert sorted(messages(told)) == [1, 2, 3]
    assert told.progress(command) == ["reporting", "reported (3 parts)"]


def test_one_part_is_a_report(told: Told) -> None:
    command = asked(told, 17)
    told.tell(maintenance.report_display_messages, 17, [], True)
    assert told.progress(command) == ["reported (1 part)"]


def test_a_part_told_twice_is_counted_once(told: Told) -> None:
    command = asked(told, 17)
    told.tell(maintenance.report_display_messages, 17, [message(1)], False)
    before = told.rows()
    told.tell(maintenance.report_display_messages, 17, [message(1)], False)
    assert told.rows() == before
    for _ in range(2):
        told.tell(maintenance.report_display_messages, 17, [message(2)], True)
    assert told.progress(command) == ["reporting", "reported (2 parts)"]


def test_a_new_report_counts_anew(told: Told) -> None:
    told.tell(maintenance.report_display_messages, 17, [message(1)], True)
    command = asked(told, 18)
    told.tell(maintenance.report_display_messages, 18, [message(1)], True)
    assert told.progress(command) == ["reported (1 part)"]


def test_a_report_that_nobody_asked_for_is_kept(told: Told) -> None:
    told.tell(maintenance.report_display_messages, None, [message(1)], True)
    assert messages(told) == {1: "Hello"}


# -- monitors -----------------------------------------------------------------------------------------------------

MONITOR = {"id": 5, "transaction": False, "value": 80, "type": "UpperThreshold", "severity": 4}
PLACE = {"component": {"name": "Connector"}, "variable": {"name": "Temperature"}}


def test_monitors_of_a_report_are_shown_one_by_one(told: Told) -> None:
    groups = [{**PLACE, "variableMonitoring": [MONITOR, {**MONITOR, "id": 6, "value": 90}]}]
    told.tell(maintenance.report_monitors, 3, groups, True)
    seen = told.see("monitors")["data"]
    assert [(monitor["monitor_id"], monitor["monitor"]["value"]) for monitor in seen] == [(5, 80), (6, 90)]
    assert seen[0]["monitor"]["variable"] == {"name": "Temperature"}
    assert seen[0]["source"] == "reported"


def test_only_accepted_monitors_are_there(told: Told) -> None:
    results = [{"status": "Accepted", **MONITOR, **PLACE}, {"status": "Rejected", **PLACE}, {"status": "Duplicate"}]
    told.tell(maintenance.record_monitors_set, results)
    assert [monitor["monitor_id"] for monitor in told.see("monitors")["data"]] == [5]
    told.tell(maintenance.forget_monitors, [5])
    assert told.see("monitors")["data"] == []


# -- charging profiles --------------------------------------------------------------------------------------------


def test_a_profile_takes_the_place_of_its_like(told: Told) -> None:
    """Same EVSE, purpose and stack level: the charger keeps the newer one (OCPP 1.6 5.16.2)."""
    told.tell(maintenance.record_charging_profile, 1, profile(1))
    told.tell(maintenance.record_charging_profile, 1, profile(2, level=1))
    told.tell(maintenance.record_charging_profile, 2, profile(3))
    told.tell(maintenance.record_charging_profile, 1, profile(4))
    assert profiles(told) == [2, 3, 4]


@pytest.mark.parametrize(
    ("criteria", "left"),
    [
        ({}, []),
        ({"profile_id": 2}, [1, 3]),
        ({"profile_id": 9, "evse_no": 1}, [1, 2, 3]),
        ({"evse_no": 1}, [3]),
        ({"purpose": "TxDefaultProfile"}, [2]),
        ({"stack_level": 1}, [1, 3]),
        ({"evse_no": 1, "purpose": "TxDefaultProfile"}, [2, 3]),
        ({"evse_no": 0}, [1, 2, 3]),
    ],
    ids=str,
)
def test_clearing_takes_what_meets_all_criteria(told: Told, criteria: dict[str, Any], left: list[int]) -> None:
    told.tell(maintenance.record_charging_profile, 1, profile(1))
    told.tell(maintenance.record_charging_profile, 1, profile(2, purpose="ChargePointMaxProfile", level=1))
    told.tell(maintenance.record_charging_profile, 2, profile(3))
    told.tell(maintenance.forget_charging_profiles, **criteria)
    assert profiles(told) == left


def test_profiles_that_are_over_are_not_shown(told: Told) -> None:
    told.tell(maintenance.record_charging_profile, 1, profile(1, validTo="2026-03-02T09:00:00Z"))
    told.tell(maintenance.record_charging_profile, 1, profile(2, purpose="TxProfile"))
    told.tell(maintenance.record_charging_profile, 1, profile(3, level=5, validTo="sometime"))
    assert profiles(told) == [1, 2, 3]
    told.world.advance(2 * 3600)
    assert profiles(told) == [2, 3]
    told.world.advance(timedelta(days=2).total_seconds())
    assert profiles(told) == [3]


def test_reported_profiles_of_both_versions(told: Told) -> None:
    told.tell(maintenance.report_charging_profiles, 4, 1, "CSO", [profile(1)], False)
    newer = {"id": 2, "stackLevel": 0, "chargingProfilePurpose": "ChargingStationExternalConstraints"}
    told.tell(maintenance.report_charging_profiles, 4, 0, "EMS", [newer, {"no": "id"}], True)
    seen = {
        view["profile_id"]: (view["evse_no"], view["limit_source"]) for view in told.see("charging-profiles")["data"]
    }
    assert seen == {1: (1, "CSO"), 2: (0, "EMS")}


# -- certificates -------------------------------------------------------------------------------------------------


def named(serial_number: str, kind: str = "V2GRootCertificate") -> dict[str, Any]:
    return {
        "kind": kind,
        "hash_algorithm": "SHA256",
        "issuer_name_hash": "aa" * 32,
        "issuer_key_hash": "bb" * 32,
        "serial_number": serial_number,
    }


def certificates(told: Told) -> list[tuple[str, str]]:
    return sorted((seen["kind"], seen["serial_number"]) for seen in told.see("certificates")["data"])


def test_what_is_told_of_a_kind_is_all_of_it(told: Told) -> None:
    told.tell(maintenance.record_installed_certificates, [named("01"), named("02"), named("03", "MORootCertificate")])
    told.tell(maintenance.record_installed_certificates, [named("02")])
    assert certificates(told) == [("MORootCertificate", "03"), ("V2GRootCertificate", "02")]


def test_none_of_a_kind_is_told_by_asking_for_it(told: Told) -> None:
    told.tell(maintenance.record_installed_certificates, [named("01"), named("03", "MORootCertificate")])
    told.tell(maintenance.record_installed_certificates, [], kinds=["V2GRootCertificate"])
    assert certificates(told) == [("MORootCertificate", "03")]


def test_an_installed_root_is_the_one_that_is_reported_and_deleted(told: Told) -> None:
    [root] = maintenance.authority_roots(told.world.ctx, "v2g")
    told.tell(maintenance.record_certificate_installed, "V2GRootCertificate", root)
    [seen] = told.see("certificates")["data"]
    assert seen["pem"] == root
    assert seen["subject"] == "CN=Wattfare test root"
    reported = {
        "kind": "V2GRootCertificate",
        "hashAlgorithm": "SHA256",
        "issuerNameHash": seen["issuer_name_hash"].upper(),
        "issuerKeyHash": seen["issuer_key_hash"].upper(),
        "serialNumber": "00" + seen["serial_number"].upper(),
    }
    told.tell(maintenance.record_installed_certificates, [reported])
    [again] = told.see("certificates")["data"]
    assert (again["pem"], again["source"]) == (root, "reported")
    told.tell(maintenance.forget_certificate, reported["serialNumber"], reported["issuerKeyHash"])
    assert told.see("certificates")["data"] == []


def test_a_certificate_that_nobody_can_read_is_kept_once(told: Told) -> None:
    for _ in range(2):
        told.tell(maintenance.record_certificate_installed, "ManufacturerRootCertificate", "not a certificate")
    assert certificates(told) == [("ManufacturerRootCertificate", "")]


@pytest.mark.parametrize("text", ["0A", "00a", "a"])
def test_serial_numbers_are_compared_as_numbers(text: str) -> None:
    assert certificate_key(text, "BB") == certificate_key("a", "bb")


# -- bounds -------------------------------------------------------------------------------------------------------


def entry(number: int, text: str = "") -> Entry:
    return Entry(str(number), {"text": text}, START, "reported")


def test_the_oldest_make_room() -> None:
    known = with_entries(Inventory("C", "monitor"), [entry(number) for number in range(MAX_ENTRIES)])
    assert not known.is_cut
    again = with_entries(known, [entry(0), entry(MAX_ENTRIES)])
    assert again.is_cut
    assert len(again.entries) == MAX_ENTRIES
    assert "1" not in again.entries
    assert {"0", str(MAX_ENTRIES)} <= again.entries.keys()


def test_a_row_never_outgrows_the_store(told: Told) -> None:
    large = [{**message(number, "x" * 7_000)} for number in range(60)]
    told.tell(maintenance.report_display_messages, 1, large, True)
    [row] = [row for row in told.rows() if row["sk"]["S"] == "inventory#display_message"]
    assert MAX_BYTES / 2 < len(row["entries"]["S"]) < 2 * MAX_BYTES
    assert 59 in messages(told)


def test_the_queue_is_not_needed_for_any_of_it(told: Told) -> None:
    told.tell(maintenance.record_display_message, message(1))
    outbound.send_next(told.world.ctx, told.charger.charger_id)
    assert told.wire.commands() == []
