"""A charger of OCPP 2.x and its template at the wire: the same run, in the words of the device model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from chalicelib.chargers.model.built_in import BUILT_IN
from chalicelib.ocpp.v201.variable_names import address_of, name_of
from tests.contract.ocpp.wire import Wire
from tests.integration.ocpp.street import CHARGER_PASSWORD
from tests.site import Site

EXPECTED = {s.name: s.value or "" for s in BUILT_IN.settings if "/" in s.name}
SAMPLES = "SampledDataCtrlr/TxUpdatedInterval"
HOUR_S = 3600


@dataclass
class Station:
    """`variables` by name; `statuses` what SetVariables answers where it is not Accepted."""

    site: Site
    wire: Wire
    variables: dict[str, str] = field(default_factory=lambda: dict(EXPECTED))
    statuses: dict[str, str] = field(default_factory=dict)
    reads: list[list[str]] = field(default_factory=list)
    writes: list[tuple[str, str]] = field(default_factory=list)
    reports: list[int] = field(default_factory=list)

    @property
    def _answers(self) -> dict[str, Callable[[Any], Any]]:
        return {
            "GetVariables": self._get_variables,
            "SetVariables": self._set_variables,
            "GetBaseReport": self._get_base_report,
        }

    def boot(self) -> None:
        assert self.wire.boot()["status"] == "Accepted"
        self.serve()

    def serve(self) -> None:
        for _ in range(60):
            self.site.world.run_events()
            fresh = self.wire.commands()
            if not fresh:
                return
            for command in fresh:
                self.site.world.advance(1)
                self.wire.reply(command, self._answers[command[2]](command[3]))
        raise AssertionError("the platform never ends asking")

    def _get_variables(self, payload: Any) -> Any:
        asked = [name_of(data["component"], data["variable"]) for data in payload["getVariableData"]]
        self.reads.append(asked)
        return {"getVariableResult": [self._told(name) for name in asked]}

    def _told(self, name: str) -> Any:
        if name not in self.variables:
            return {**(address_of(name) or {}), "attributeStatus": "UnknownVariable"}
        return {**(address_of(name) or {}), "attributeStatus": "Accepted", "attributeValue": self.variables[name]}

    def _set_variables(self, payload: Any) -> Any:
        [data] = payload["setVariableData"]
        name, value = name_of(data["component"], data["variable"]), data["attributeValue"]
        self.writes.append((name, value))
        status = self.statuses.get(name, "Accepted")
        if status == "Accepted":
            self.variables[name] = value
        return {"setVariableResult": [{**(address_of(name) or {}), "attributeStatus": status}]}

    def _get_base_report(self, payload: Any) -> Any:
        self.reports.append(payload["requestId"])
        return {"status": "Accepted"}

    def report(self, per_part: int) -> None:
        """NotifyReports with all variables, as a FullInventory asks for them."""
        names = sorted(self.variables)
        starts = range(0, len(names), per_part)
        for seq_no, start in enumerate(starts):
            data = [
                {
                    **(address_of(name) or {}),
                    "variableAttribute": [{"value": self.variables[name], "mutability": "ReadOnly"}],
                    "variableCharacteristics": {"dataType": "string", "supportsMonitoring": False},
                }
                for name in names[start : start + per_part]
            ]
            payload = {
                "requestId": self.reports[-1],
                "generatedAt": "2026-03-02T08:00:00Z",
                "seqNo": seq_no,
                "tbc": start + per_part < len(names),
                "reportData": data,
            }
            assert self.wire.call("NotifyReport", payload) == {}

    def view(self, **query: Any) -> Any:
        world, email = self.site.world, self.site.operator.user.email
        path = f"/v1/chargers/{self.wire.charger_id}/configuration"
        status, body = world.rest.get(path, token=world.access_token(email), query=query)
        assert status == 200, body
        return body


@pytest.fixture(params=["ocpp2.0.1", "ocpp2.1"])
def station(site: Site, request: pytest.FixtureRequest) -> Station:
    wire = Wire(site.world, site.charger.charger_id, protocol=request.param)
    assert wire.connect(password=CHARGER_PASSWORD)[0] == 200
    return Station(site, wire)


def test_read_once_write_the_differences_and_find_none_at_the_next_boot(station: Station) -> None:
    station.variables |= {SAMPLES: "10", "AlignedDataCtrlr/Interval": "900"}
    station.boot()
    assert len(station.reads) == 1
    assert {*EXPECTED} <= {*station.reads[0]}
    assert sorted(station.writes) == [("AlignedDataCtrlr/Interval", "0"), (SAMPLES, "60")]
    station.site.world.advance(HOUR_S - 300)
    station.boot()
    assert len(station.reads) == 1, "not an hour yet"
    station.site.world.advance(HOUR_S)
    station.boot()
    assert len(station.reads) == 2
    assert len(station.writes) == 2


def test_what_the_device_model_lacks_is_learnt(station: Station) -> None:
    del station.variables["AuthCtrlr/OfflineTxForUnknownIdEnabled"]
    station.boot()
    [variable] = station.view(search="offlinetx")["data"]
    assert (variable["value"], variable["drift"]) == (None, False)
    assert variable["last_write"]["outcome"] == "not_supported"
    assert station.writes == []


@pytest.mark.parametrize(
    ("status", "outcome", "attempts"),
    [
        ("Rejected", "rejected", 1),
        ("RebootRequired", "reboot_required", 2),
        ("UnknownVariable", "not_supported", 1),
        ("NotSupportedAttributeType", "not_supported", 1),
    ],
)
def test_a_refusal_is_told_and_bounded(station: Station, status: str, outcome: str, attempts: int) -> None:
    station.variables[SAMPLES] = "10"
    station.statuses[SAMPLES] = status
    station.boot()
    for _ in range(4):
        station.site.world.advance(HOUR_S + 700)
        station.boot()
    assert station.writes == [(SAMPLES, "60")] * attempts
    [variable] = station.view(drift="true")["data"]
    assert (variable["name"], variable["last_write"]["outcome"]) == (SAMPLES, outcome)


def test_a_refresh_asks_for_the_whole_inventory_which_comes_in_parts(station: Station) -> None:
    station.variables |= {f"Component{n // 20}@1/Variable{n % 20}": str(n) for n in range(400)}
    station.variables["SecurityCtrlr/BasicAuthPassword"] = "hunter2-hunter2-hunter2"
    path = f"/v1/chargers/{station.wire.charger_id}/configuration/refresh"
    assert station.site.world.rest.post(path, token=station.site.operator.access_token).status == 202
    station.serve()
    assert len(station.reports) == 1
    station.report(per_part=25)
    seen: list[Any] = []
    page: Any = {"next_cursor": None, "has_more": True}
    while page["has_more"]:
        page = station.view(limit=150, **({"cursor": page["next_cursor"]} if seen else {}))
        seen += page["data"]
    assert len(seen) == len(station.variables)
    assert len({variable["name"] for variable in seen}) == len(seen)
    [secret] = station.view(search="BasicAuthPassword")["data"]
    assert (secret["value"], secret["secret"]) == (None, True)
    assert station.view(search="component3@1/variable7")["data"][0]["mutability"] == "ReadOnly"
    assert station.writes == []


def test_a_station_that_was_upgraded_is_shown_in_its_new_words(station: Station) -> None:
    site = station.site
    old = Wire(site.world, site.charger.charger_id)
    assert old.connect(password=CHARGER_PASSWORD)[0] == 200
    old.boot()
    site.world.run_events()
    [command] = old.commands()
    keys = [{"key": "HeartbeatInterval", "readonly": False, "value": "540"}]
    old.reply(command, {"configurationKey": keys, "unknownKey": []})
    assert station.wire.connect(password=CHARGER_PASSWORD)[0] == 200
    site.world.advance(600)
    station.boot()
    assert station.reads, "another version is another charger"
    assert all("/" in variable["name"] for variable in station.view()["data"])
