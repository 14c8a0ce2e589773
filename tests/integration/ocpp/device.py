"""A 1.6 charger with configuration keys, which answers what it is asked about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chalicelib.chargers.model.built_in import BUILT_IN
from chalicelib.ocpp import jobs as ocpp_jobs
from tests.contract.ocpp.wire import Wire
from tests.integration.ocpp.street import CHARGER_PASSWORD
from tests.site import Site

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
    wire: Wire = field(init=False)
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


def template(device: Device, settings: dict[str, str | None], **fields: str) -> Any:
    shapes = [{"name": name, "value": value} for name, value in settings.items()]
    status, body = device.site.world.rest.post(
        "/v1/charger-templates", {"name": "T", "settings": shapes, **fields}, token=device.token
    )
    assert status == 201, body
    return body
