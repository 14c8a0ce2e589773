"""A charger and its template at the wire: read before write, differences only, and never a loop (decision 0022)."""

from __future__ import annotations

import json

from chalicelib.chargers import service as chargers
from chalicelib.ocpp import jobs as ocpp_jobs
from tests.integration.ocpp.device import BUILT_IN_KEYS, HOUR_S, MEASURANDS, Device, template


def test_a_charger_that_is_as_it_should_be_is_read_once_and_left_alone(device: Device) -> None:
    device.boot()
    assert len(device.reads) == 1
    assert {*BUILT_IN_KEYS} <= {*device.reads[0]}
    assert device.writes == []
    assert device.view()["drift_count"] == 0
    assert device.view()["last_result"] == "done"


def test_only_differences_are_written_and_the_next_boot_finds_none(device: Device) -> None:
    device.keys |= {"HeartbeatInterval": "300", "MeterValueSampleInterval": "10"}
    device.boot()
    assert device.writes == [("HeartbeatInterval", "540"), ("MeterValueSampleInterval", "60")]
    assert device.view(drift="true")["data"] == []
    device.site.world.advance(HOUR_S)
    device.boot()
    assert len(device.reads) == 2
    assert len(device.writes) == 2


def test_values_that_mean_the_same_are_no_difference(device: Device) -> None:
    device.keys |= {
        "StopTransactionOnInvalidId": "TRUE",
        "HeartbeatInterval": " 0540",
        "MeterValuesSampledData": "SoC, Power.Active.Import, Energy.Active.Import.Register",
    }
    device.boot()
    assert device.writes == []


def test_what_the_charger_does_not_have_or_may_not_change_is_not_written(device: Device) -> None:
    del device.keys["AllowOfflineTxForUnknownId"]
    device.keys["ConnectionTimeOut"] = "60"
    device.readonly.add("ConnectionTimeOut")
    device.boot()
    assert device.writes == []
    assert device.variable("AllowOfflineTxForUnknownId")["last_write"]["outcome"] == "not_supported"
    assert device.variable("ConnectionTimeOut")["drift"] is True
    device.site.world.advance(HOUR_S)
    device.boot()
    assert "AllowOfflineTxForUnknownId" not in device.reads[1]


def test_a_refusal_is_remembered_until_the_firmware_changes(device: Device) -> None:
    device.keys["LocalPreAuthorize"] = "true"
    device.answer = lambda key, value: "Rejected"
    for _ in range(3):
        device.boot()
        device.site.world.advance(2 * HOUR_S)
    assert device.writes == [("LocalPreAuthorize", "false")]
    assert device.variable("LocalPreAuthorize")["last_write"]["outcome"] == "rejected"
    device.firmware, device.answer = "2.0", lambda key, value: "Accepted"
    device.boot()
    assert device.writes[1:] == [("LocalPreAuthorize", "false")]
    assert device.view()["drift_count"] == 0


def test_a_list_of_measurands_that_is_refused_is_offered_shorter(device: Device) -> None:
    """An AC charger has no SoC, and many refuse the whole list for it."""
    device.keys["MeterValuesSampledData"] = "Voltage"
    device.answer = lambda key, value: "Rejected" if "SoC" in value else "Accepted"
    device.boot()
    assert [value for _, value in device.writes] == [MEASURANDS, MEASURANDS.removesuffix(",SoC")]
    assert device.view()["drift_count"] == 0
    device.site.world.advance(2 * HOUR_S)
    device.boot()
    assert len(device.writes) == 2


def test_a_value_that_does_not_stick_is_tried_twice_in_all(device: Device) -> None:
    device.keys["HeartbeatInterval"] = "60"
    device.forgetful = True
    for _ in range(5):
        device.boot()
        device.site.world.advance(2 * HOUR_S)
    assert device.writes == [("HeartbeatInterval", "540")] * 2
    assert device.variable("HeartbeatInterval")["drift"] is True
    assert device.view()["drift_count"] == 1


def test_a_reboot_that_a_write_needs_is_told(device: Device) -> None:
    device.keys["HeartbeatInterval"] = "60"
    device.answer = lambda key, value: "RebootRequired"
    device.forgetful = True
    device.boot()
    assert len(device.writes) == 1, "a second time it would reboot no more than once"
    assert device.variable("HeartbeatInterval")["last_write"]["outcome"] == "reboot_required"
    assert device.variable("HeartbeatInterval")["drift"] is True


def test_a_charger_that_reboots_on_a_write_and_forgets_it_is_left_in_peace(device: Device) -> None:
    """go-eCharger#240: a charger that restarts at each ChangeConfiguration would be restarted for ever."""
    world = device.site.world
    device.keys["HeartbeatInterval"] = "60"
    device.forgetful = True
    reboots = 0
    device.boot()
    for _ in range(200):
        if len(device.writes) > reboots:
            reboots = len(device.writes)
            world.advance(20)
            device.connect()
            device.boot()
        else:
            world.advance(HOUR_S)
            device.boot()
    assert device.writes == [("HeartbeatInterval", "540")], "one write, and its boot counts as the second attempt"


def test_a_charger_that_restarts_instead_of_answering_ends_its_run(device: Device) -> None:
    device.keys |= dict.fromkeys(("HeartbeatInterval", "ClockAlignedDataInterval", "ConnectionTimeOut"), "7")
    device.answer = lambda key, value: ""
    device.boot()
    assert len(device.writes) == 2
    assert device.view()["last_result"] == "unstable"
    for _ in range(20):
        device.site.world.advance(2 * HOUR_S)
        device.boot()
    assert len(device.writes) == 6
    assert device.view()["last_result"] == "done"


def test_a_charger_that_boots_every_minute_is_not_read_every_minute(device: Device) -> None:
    for _ in range(59):
        device.boot()
        device.site.world.advance(60)
    assert len(device.reads) == 1
    device.site.world.advance(120)
    device.boot()
    assert len(device.reads) == 2


def test_a_charger_that_does_not_say_what_it_has_is_asked_in_small_pieces_and_then_left(device: Device) -> None:
    asked = []
    device.wire.call("BootNotification", {"chargePointVendor": "Wire", "chargePointModel": "One"})
    for _ in range(10):
        device.site.world.run_events()
        for command in device.wire.commands():
            asked.append(command[3]["key"])
            device.wire.send(json.dumps([4, command[1], "NotSupported", "", {}]))
    assert len(asked) == 2
    assert len(asked[1]) == 5
    assert device.view()["last_result"] == "refused"


def test_a_charger_that_takes_few_keys_at_once_is_asked_so(device: Device) -> None:
    device.keys["GetConfigurationMaxKeys"] = "4"
    device.boot()
    device.site.world.advance(HOUR_S)
    device.reads.clear()
    device.boot()
    assert [len(page) for page in device.reads] == [4, 4, 4, 2]


def test_a_charger_that_is_away_is_asked_when_it_is_back_without_a_boot(device: Device) -> None:
    """A template changed at night; the charger reconnects after two hours, as API Gateway makes it, without a boot."""
    world = device.site.world
    device.boot()
    device.wire.close()
    template(device, {"LocalPreAuthorize": "true"})
    world.run_events()
    world.advance(2 * HOUR_S)
    world.run_job(ocpp_jobs.expire_commands)
    device.connect()
    device.wire.call("Heartbeat", {})
    device.serve()
    assert device.writes == [("LocalPreAuthorize", "true")]


def test_a_charger_that_leaves_in_the_middle_is_not_blamed_and_goes_on_at_its_next_boot(device: Device) -> None:
    world = device.site.world
    device.keys["LocalPreAuthorize"] = "true"
    device.wire.call("BootNotification", {"chargePointVendor": "Wire", "chargePointModel": "One"})
    world.run_events()
    [read] = device.wire.commands()
    device._answer(read)
    device.wire.close()
    world.run_events()
    world.advance(25 * HOUR_S)
    world.run_job(ocpp_jobs.expire_commands)
    view = device.view(search="LocalPre")
    assert (view["activity"], view["last_result"]) == ("idle", "unreachable")
    assert view["data"][0]["last_write"] is None
    device.connect()
    device.boot()
    assert device.writes == [("LocalPreAuthorize", "false")]


def test_putting_an_override_again_tries_again(device: Device) -> None:
    path, body = f"/v1/chargers/{device.wire.charger_id}/configuration/overrides", {"name": "Odd", "value": "1"}
    device.keys["Odd"] = "0"
    device.answer = lambda key, value: "Rejected"
    device.boot()
    for _ in range(2):
        assert device.site.world.rest.put(path, body, token=device.token).status == 200
        device.serve()
        device.site.world.advance(2 * HOUR_S)
        device.boot()
    assert device.writes == [("Odd", "1")] * 2


def test_a_pending_charger_is_not_asked(device: Device) -> None:
    world, site = device.site.world, device.site
    world.commit(lambda uow: chargers.place_charger(uow, site.charger, None))
    payload = {"chargePointVendor": "Wire", "chargePointModel": "One"}
    assert device.wire.call("BootNotification", payload)["status"] == "Pending"
    assert [event for event in world.pending_events() if event.subject == site.charger.charger_id] == []
    template(device, {"LocalPreAuthorize": "true"})
    assert device.serve() == 0
