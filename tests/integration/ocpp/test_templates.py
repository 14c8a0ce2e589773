"""A charger and its template at the wire: read before write, differences only, and never a loop (decision 0022)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from chalicelib.chargers import jobs
from chalicelib.chargers import service as chargers
from chalicelib.chargers.model.built_in import BUILT_IN
from chalicelib.ocpp import jobs as ocpp_jobs
from tests.contract.ocpp.wire import Wire
from tests.integration.ocpp.street import CHARGER_PASSWORD
from tests.site import Site
from tests.world import table_definitions

MEASURANDS = "Energy.Active.Import.Register,Power.Active.Import,SoC"
BUILT_IN_KEYS = {s.name: s.value or "" for s in BUILT_IN.settings if "/" not in s.name}
HOUR_S = 3600
Answer = Callable[[str, str], str]


@dataclass
class Device:
    """A 1.6 charger with configuration keys. `answer(key, value)` is the status of a ChangeConfiguration, "" for
    silence; what was accepted is kept unless `forgetful`."""

    site: Site
    keys: dict[str, str] = field(default_factory=lambda: dict(BUILT_IN_KEYS))
    readonly: set[str] = field(default_factory=set)
    answer: Answer = lambda key, value: "Accepted"
    forgetful: bool = False
    reads: list[list[str]] = field(default_factory=list)
    writes: list[tuple[str, str]] = field(default_factory=list)
    wire: Wire = None  # type: ignore[assignment]
    firmware: str = "1.0"

    def __post_init__(self) -> None:
        self.wire = Wire(self.site.world, self.site.charger.charger_id)
        self.connect()

    def connect(self) -> None:
        assert self.wire.connect(password=CHARGER_PASSWORD)[0] == 200

    def boot(self, model: str = "One") -> None:
        payload = {"chargePointVendor": "Wire", "chargePointModel": model, "firmwareVersion": self.firmware}
        assert self.wire.call("BootNotification", payload)["status"] == "Accepted"
        self.serve()

    def serve(self, most: int = 60) -> int:
        """Lets the platform do what it wants to and answers, until it is content; how many CALLs that were."""
        world = self.site.world
        for served in range(most):
            world.run_events()
            fresh = self.wire.commands()
            if not fresh:
                return served
            for command in fresh:
                world.advance(1)
                self._answer(command)
        raise AssertionError("the platform never ends asking")

    def _answer(self, command: Any) -> None:
        _, _, action, payload = command
        if action == "GetConfiguration":
            self.reads.append(payload.get("key", []))
            wanted = payload.get("key") or list(self.keys)
            known = {key.lower(): key for key in self.keys}
            entries = [
                {"key": key, "readonly": key in self.readonly, "value": self.keys[key]}
                for key in (known.get(name.lower()) for name in wanted)
                if key is not None
            ]
            unknown = [name for name in wanted if name.lower() not in known]
            self.wire.reply(command, {"configurationKey": entries, "unknownKey": unknown})
            return
        assert action == "ChangeConfiguration", action
        key, value = payload["key"], payload["value"]
        self.writes.append((key, value))
        status = self.answer(key, value)
        if status in ("Accepted", "RebootRequired") and not self.forgetful:
            self.keys[key] = value
        if status:
            self.wire.reply(command, {"status": status})
        else:
            self.site.world.advance(31)
            self.site.world.run_job(ocpp_jobs.expire_commands)

    @property
    def token(self) -> str:
        """A fresh access token of the operator: days pass in these tests."""
        return self.site.world.access_token(self.site.operator.user.email)

    def view(self, **query: Any) -> Any:
        status, body = self.site.world.rest.get(
            f"/v1/chargers/{self.wire.charger_id}/configuration",
            token=self.token,
            query={"limit": 200, **query},
        )
        assert status == 200, body
        return body

    def variable(self, name: str) -> Any:
        return next(variable for variable in self.view()["data"] if variable["name"] == name)


@pytest.fixture
def device(site: Site) -> Device:
    return Device(site)


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
    assert [len(page) for page in device.reads] == [4, 4, 4]


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
    assert world.pending_events() == []
    template(device, {"LocalPreAuthorize": "true"})
    assert device.serve() == 0


def template(device: Device, settings: dict[str, str | None], **fields: str) -> Any:
    shapes = [{"name": name, "value": value} for name, value in settings.items()]
    status, body = device.site.world.rest.post(
        "/v1/charger-templates", {"name": "T", "settings": shapes, **fields}, token=device.token
    )
    assert status == 201, body
    return body


def test_an_operators_template_lies_over_the_platforms(device: Device) -> None:
    device.boot()
    made = template(device, {"HeartbeatInterval": "300", "WebSocketPingInterval": "0"}, vendor="wi*", model="ONE")
    device.keys["WebSocketPingInterval"] = "30"
    device.serve()
    assert device.writes == [("HeartbeatInterval", "300"), ("WebSocketPingInterval", "0")]
    view = device.view()
    assert view["template_id"] == made["template_id"]
    assert device.variable("HeartbeatInterval")["source"] == "template"
    assert device.variable("LocalPreAuthorize")["source"] == "platform"


def test_a_boot_is_answered_with_the_heartbeat_that_is_expected(device: Device) -> None:
    """Many chargers take the answer for their HeartbeatInterval: another value there would be drift at every boot."""
    boot = {"chargePointVendor": "Wire", "chargePointModel": "One", "firmwareVersion": "1.0"}
    assert device.wire.call("BootNotification", boot)["interval"] == 540
    made = template(device, {"HeartbeatInterval": "300"})
    device.serve()
    assert device.wire.call("BootNotification", boot)["interval"] == 300
    device.serve()
    device.site.world.rest.delete(f"/v1/charger-templates/{made['template_id']}", token=device.token)
    device.serve()
    assert device.wire.call("BootNotification", boot)["interval"] == 540


def test_a_template_of_other_chargers_costs_nothing(device: Device) -> None:
    device.boot()
    template(device, {"HeartbeatInterval": "300"}, vendor="Other")
    assert device.serve() == 0


def test_a_template_that_goes_leaves_the_platforms_values(device: Device) -> None:
    device.boot()
    made = template(device, {"HeartbeatInterval": "300"})
    device.serve()
    device.site.world.rest.delete(f"/v1/charger-templates/{made['template_id']}", token=device.token)
    device.serve()
    assert device.writes == [("HeartbeatInterval", "300"), ("HeartbeatInterval", "540")]


def test_a_charger_of_another_model_gets_another_template_and_keeps_its_own_settings(device: Device) -> None:
    world = device.site.world
    template(device, {"LocalPreAuthorize": "true", "ConnectionTimeOut": "30"}, model="Two")
    device.boot()
    path = f"/v1/chargers/{device.wire.charger_id}/configuration/overrides"
    assert world.rest.put(path, {"name": "ConnectionTimeOut", "value": "77"}, token=device.token).status == 200
    device.serve()
    assert device.writes == [("ConnectionTimeOut", "77")]
    world.advance(HOUR_S)
    device.boot(model="Two")
    assert device.writes[1:] == [("LocalPreAuthorize", "true")]
    assert device.variable("ConnectionTimeOut")["source"] == "charger"
    assert world.rest.delete(path, query={"name": "connectiontimeout"}, token=device.token).status == 204
    device.serve()
    assert device.writes[2:] == [("ConnectionTimeOut", "30")]


def test_left_alone_is_an_expectation_too(device: Device) -> None:
    template(device, {"HeartbeatInterval": None})
    device.keys["HeartbeatInterval"] = "7"
    device.boot()
    assert device.writes == []
    assert "HeartbeatInterval" not in {variable["name"] for variable in device.view()["data"]}


def test_a_change_while_a_run_is_under_way_has_a_run_of_its_own(device: Device) -> None:
    world = device.site.world
    device.wire.call("BootNotification", {"chargePointVendor": "Wire", "chargePointModel": "One"})
    world.run_events()
    template(device, {"LocalPreAuthorize": "true", "LocalAuthorizeOffline": "false"})
    device.keys["LocalAuthorizeOffline"] = "true"
    world.run_events()
    device.serve()
    assert sorted(device.writes) == [("LocalAuthorizeOffline", "false"), ("LocalPreAuthorize", "true")]
    assert device.view()["drift_count"] == 0


def test_refresh_reads_everything_and_writes_nothing(device: Device) -> None:
    world = device.site.world
    device.boot()
    device.keys |= {"VendorKey": "abc", "HeartbeatInterval": "1", "AuthorizationKey": "deadbeef"}
    path = f"/v1/chargers/{device.wire.charger_id}/configuration/refresh"
    reply = world.rest.post(path, token=device.token)
    assert (reply.status, reply.body["activity"]) == (202, "reading")
    assert world.rest.post(path, token=device.token).status == 202, "a second click asks nothing more"
    assert device.serve() == 1
    assert device.reads[-1] == []
    assert device.writes == []
    assert device.variable("VendorKey")["value"] == "abc"
    assert device.variable("AuthorizationKey") | {"value": None, "secret": True} == device.variable("AuthorizationKey")
    [drifted] = device.view(drift="true")["data"]
    assert (drifted["name"], drifted["value"], drifted["expected"]) == ("HeartbeatInterval", "1", "540")
    charger = world.rest.get(f"/v1/chargers/{device.wire.charger_id}", token=device.token).body
    assert charger["drift_count"] == 1


def test_a_charger_that_tells_its_password_tells_nobody_else(device: Device) -> None:
    """The AuthorizationKey is for writing only; firmware that reads it out would show it with the command's answer."""
    world = device.site.world
    device.keys["AuthorizationKey"] = "c0ffee00c0ffee00c0ffee00"
    world.rest.post(f"/v1/chargers/{device.wire.charger_id}/configuration/refresh", token=device.token)
    device.wire.queue("GetConfiguration", {})
    device.serve()
    commands = world.rest.get(f"/v1/chargers/{device.wire.charger_id}/commands", token=device.token).body["data"]
    assert [command["state"] for command in commands] == ["accepted", "accepted"]
    assert all("AuthorizationKey" in str(command["answer"]) for command in commands)
    tables = [definition["TableName"] for definition in table_definitions()]
    kept = [world.engine.execute("Scan", {"TableName": name})["Items"] for name in tables]
    assert "c0ffee" not in str([commands, kept, device.view()])


def test_a_refresh_that_would_be_too_long_is_read_by_names(device: Device) -> None:
    """MicroOcpp#240: an answer of 30 kB; one of 32 KB API Gateway would not let through."""
    world = device.site.world
    device.keys = {f"Key{number:02d}": "x" * 450 for number in range(60)}
    path = f"/v1/chargers/{device.wire.charger_id}/configuration/refresh"
    world.rest.post(path, token=device.token)
    device.serve()
    device.reads.clear()
    world.rest.post(path, token=device.token)
    device.serve()
    assert [len(page) for page in device.reads] == [20, 20, 20]
    assert len(device.view(search="key")["data"]) == 60


def test_a_full_queue_of_commands_does_not_hold_up_the_events(device: Device) -> None:
    for _ in range(20):
        device.wire.queue("ClearCache", {})
    device.wire.call("BootNotification", {"chargePointVendor": "Wire", "chargePointModel": "One"})
    device.site.world.run_events({"charger.booted": (jobs.on_charger_booted,)})
    state = device.view()
    assert (state["activity"], state["last_result"]) == ("idle", "unreachable")
