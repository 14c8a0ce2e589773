"""What a charger is set to, what it is expected to be set to, and where the two differ."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from chalicelib.chargers import service
from chalicelib.chargers.api_operator.common import api
from chalicelib.chargers.api_operator.templates import SettingName, SettingShape, ValueText, setting_shape
from chalicelib.chargers.model import Charger, Variable, is_secret
from chalicelib.chargers.model.configuring import Configuring, drifts, target_of, trial_of, trials_of
from chalicelib.chargers.model.templates import Expected, Setting
from chalicelib.chargers.scope import owned_charger
from chalicelib.chargers.service import ConfigurationFacts
from chalicelib.kernel.errors import DomainError, Kind
from chalicelib.kernel.http import PageQuery, Request, Shape
from chalicelib.kernel.pages import decode_cursor, encode_cursor

Activity = Literal["idle", "reading", "writing"]
SourceText = Annotated[
    str,
    msgspec.Meta(
        description="Who expects the value: the `platform`'s template, the operator's `template`, or the `charger`'s "
        "own settings."
    ),
]


class ConfigurationQuery(PageQuery):
    """`drift=true`: only what has another value than expected (`false`: only what has not). `search`: in the name."""

    drift: bool | None = None
    search: Annotated[str, msgspec.Meta(max_length=100)] | None = None


class WriteView(Shape):
    """The last attempt to write the expected value: accepted, reboot_required, rejected, not_supported (the charger
    does not have the variable, or says so), unanswered, failed (it answered with an error)."""

    value: str
    outcome: str
    attempts: int
    at: datetime


class VariableView(Shape):
    """`value` is what the charger last told, null also for secrets (`secret`), which are never kept. `expected` is
    null where nothing is. `drift`: the charger has another value than expected. The last four are told by OCPP 2.x."""

    name: str
    value: str | None
    readonly: bool | None
    secret: bool
    expected: str | None
    source: SourceText | None
    drift: bool
    last_write: WriteView | None
    reported_at: datetime | None
    mutability: str | None
    data_type: str | None
    unit: str | None
    values_list: str | None


class ConfigurationView(Shape):
    """A page of a charger's variables by name.

    `template_id` is the operator's template that applies; the platform's applies below it. `overrides` are the
    charger's own settings. `checked_at`: when all that is expected was last compared; `last_result`: how that went
    (done, refused or unanswered by the charger, unreachable, unstable: it rebooted again and again).
    """

    charger_id: str
    template_id: str | None
    template_name: str | None
    overrides: list[SettingShape]
    drift_count: int
    activity: Activity
    checked_at: datetime | None
    last_result: str | None
    data: list[VariableView]
    has_more: bool
    next_cursor: str | None = None


class RefreshView(Shape):
    charger_id: str
    activity: Activity


class OverridePut(Shape):
    """A `value` of null: the charger keeps what it has, whatever its template says."""

    name: SettingName
    value: ValueText | None


class OverrideQuery(Shape):
    name: str


@api.get("/v1/chargers/{charger_id}/configuration", "chargers:read")
def get_charger_configuration(req: Request, charger_id: str, query: ConfigurationQuery) -> ConfigurationView:
    """What the charger is set to, as it told it, beside what is expected of it."""
    facts = service.get_configuration(req.ctx, owned_charger(req, charger_id))
    after = None if query.cursor is None else _place(query.cursor)
    search = (query.search or "").lower()
    chosen = [
        (key, view)
        for key, view in sorted(_views(facts).items())
        if (after is None or key > after) and search in key and query.drift in (None, view.drift)
    ]
    page, has_more = chosen[: query.limit], len(chosen) > query.limit
    return ConfigurationView(
        charger_id=facts.charger.charger_id,
        template_id=facts.template.template_id if facts.template else None,
        template_name=facts.template.name if facts.template else None,
        overrides=[setting_shape(setting) for setting in facts.state.overrides],
        drift_count=facts.drift_count,
        activity=_activity(facts.state),
        checked_at=facts.state.checked_at,
        last_result=facts.state.result,
        data=[view for _, view in page],
        has_more=has_more,
        next_cursor=encode_cursor({"name": {"S": page[-1][0]}}) if has_more else None,
    )


@api.post("/v1/chargers/{charger_id}/configuration/refresh", "chargers:command", status=202)
def refresh_charger_configuration(req: Request, charger_id: str) -> RefreshView:
    """Reads the configuration from the charger again; an offline charger is asked within a day, once it is back.

    Nothing is written. While the configuration is being read or written already, nothing more is asked.
    """
    charger = owned_charger(req, charger_id)
    state = service.refresh_configuration(req.uow, charger)
    view = RefreshView(charger_id=charger.charger_id, activity=_activity(state))
    req.audit("configuration", charger.charger_id, owner_id=charger.operator_id, after=view)
    return view


@api.put("/v1/chargers/{charger_id}/configuration/overrides", "chargers:write")
def put_configuration_override(req: Request, charger_id: str, body: OverridePut) -> SettingShape:
    """Gives one charger a value of its own, over its template's.

    It is written at once, or when the charger is back. Putting it again tries a value again that the charger refused.
    """
    setting, charger = Setting(body.name, body.value), owned_charger(req, charger_id)
    former = service.get_override(req.ctx, charger, body.name)
    service.set_override(req.uow, charger, setting)
    _audit_override(req, charger, former, setting)
    return setting_shape(setting)


@api.delete("/v1/chargers/{charger_id}/configuration/overrides", "chargers:write")
def delete_configuration_override(req: Request, charger_id: str, query: OverrideQuery) -> None:
    """Takes a charger's own value away: its template's is expected again, and written."""
    charger = owned_charger(req, charger_id)
    former = service.get_override(req.ctx, charger, query.name)
    service.remove_override(req.uow, charger, query.name)
    _audit_override(req, charger, former, None)


def _audit_override(req: Request, charger: Charger, former: Setting | None, current: Setting | None) -> None:
    req.audit(
        "configuration_override",
        charger.charger_id,
        owner_id=charger.operator_id,
        before=None if former is None else setting_shape(former),
        after=None if current is None else setting_shape(current),
    )


def _views(facts: ConfigurationFacts) -> dict[str, VariableView]:
    return {
        key: _view(facts.state, facts.known.get(key), facts.expected.get(key))
        for key in {*facts.known, *facts.expected}
    }


def _view(state: Configuring, variable: Variable | None, expected: Expected | None) -> VariableView:
    shown = variable or Variable(expected.name if expected else "")
    trials = trials_of(state, expected) if expected else ()
    trial = trial_of(state, expected) if expected else None
    return VariableView(
        name=shown.name,
        value=shown.value,
        readonly=shown.readonly,
        secret=is_secret(shown.name),
        expected=target_of(expected, trials) if expected else None,
        source=expected.source if expected else None,
        drift=expected is not None and drifts(expected, variable, trials),
        last_write=None
        if trial is None
        else WriteView(value=trial.value, outcome=trial.outcome, attempts=trial.attempts, at=trial.at),
        reported_at=shown.reported_at,
        mutability=shown.mutability,
        data_type=shown.data_type,
        unit=shown.unit,
        values_list=shown.values_list,
    )


def _activity(state: Configuring) -> Activity:
    if state.run is None:
        return "idle"
    return "reading" if state.run.step.write is None else "writing"


def _place(cursor: str) -> str:
    """The name after which the list goes on."""
    place = decode_cursor(cursor).get("name", {}).get("S")
    if place is None:
        raise DomainError("cursor.invalid", "The cursor is not one that this list gave out.", Kind.INVALID)
    return str(place)
