"""Whose setting counts (the platform's, the operator's template, the charger's own), and looking again on request."""

from __future__ import annotations

from chalicelib.chargers import jobs
from tests.integration.ocpp.device import HOUR_S, Device, template
from tests.world import table_definitions


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
