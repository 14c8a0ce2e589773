"""What chargers are set to: recorded as they tell it, compared with what is expected, brought to it.

The state machine is `model.configuring`; here it is loaded, given what happened, and saved with the command that its
next step is. A step queues one command; the answer's unit of work ends that command already, so the step after it
waits for an event. A charger's state is saved under its revision: two events at once are decided one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from pynamodb.expressions.update import Action

from chalicelib.chargers.model import Charger, Command, ConfigurationPart, Variable, variable_key
from chalicelib.chargers.model import configuring as machine
from chalicelib.chargers.model.built_in import BUILT_IN
from chalicelib.chargers.model.configuration import by_part, index_of, of_version, told
from chalicelib.chargers.model.configuration import part_of as storage_part
from chalicelib.chargers.model.configuring import Cause, Configuring, Outcome, Result
from chalicelib.chargers.model.templates import (
    ChargerTemplate,
    Expected,
    Setting,
    basis_of,
    check_room,
    check_setting,
    expected_settings,
    heartbeat_interval_s,
)
from chalicelib.chargers.service.commanding import queue_command
from chalicelib.chargers.service.connecting import get_link
from chalicelib.chargers.service.finding import get_charger
from chalicelib.chargers.service.templating import template_for
from chalicelib.chargers.store.configuration import (
    CONFIGURING,
    PART_PREFIX,
    PARTS,
    ConfiguringRow,
    PartRow,
    configuring_key,
    part_key,
)
from chalicelib.chargers.store.places import CHARGERS, ChargerRow, charger_pk, charger_row_key
from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, conflict, not_found
from chalicelib.kernel.unit_of_work import UnitOfWork

REQUESTED_BY: Final = "configuration"
_OUTCOMES: Final[dict[str, Outcome]] = {
    "accepted": "accepted",
    "reboot_required": "reboot_required",
    "rejected": "rejected",
    "not_supported": "not_supported",
}


@dataclass(frozen=True)
class ConfigurationFacts:
    """A charger's configuration, as it is expected and as it is known. `known` holds the variables that are expected,
    or (from `get_configuration`) all of its version."""

    charger: Charger
    protocol: str
    template: ChargerTemplate | None
    expected: dict[str, Expected]
    known: dict[str, Variable]
    state: Configuring

    @property
    def firmware(self) -> str:
        return self.charger.firmware_version or ""

    @property
    def basis(self) -> str:
        return basis_of(self.expected, self.firmware, self.protocol)

    @property
    def drift_count(self) -> int:
        return machine.drift_count(self.state, self.expected, self.known)


# -- what chargers tell ---------------------------------------------------------------------------------------------


def record_configuration(uow: UnitOfWork, charger: Charger, variables: Sequence[Variable]) -> None:
    """Keeps what the charger told of its variables, some or all of them: once per unit of work.

    One write per part that changed; what was known already costs none. Secrets come in without their value.
    """
    _record(uow, charger.charger_id, variables)


def get_configuration(ctx: Context, charger: Charger) -> ConfigurationFacts:
    """Everything that is known of a charger's configuration, in the names of the version that it speaks."""
    facts = _facts(ctx, charger)
    parts = PARTS.query_all(ctx, charger_pk(charger.charger_id), PartRow.sk.startswith(PART_PREFIX), consistent=True)
    return replace(facts, known=of_version(index_of(parts), facts.protocol))


# -- what sets it going ---------------------------------------------------------------------------------------------


def handle_boot(uow: UnitOfWork, charger_id: str, at: datetime) -> None:
    """The charger has booted: counted against what was just written, and an occasion to look at its configuration. One
    that boots again within minutes costs a read."""
    state = _state(uow.ctx, charger_id)
    if machine.is_boot_idle(state, uow.ctx.now()):
        return
    facts = _facts_of(uow.ctx, charger_id, state)
    if facts is not None:
        _save(uow, facts, _begun(uow, replace(facts, state=machine.booted(facts.state, at)), "boot"))


def apply_expected(uow: UnitOfWork, charger_id: str, cause: Cause) -> None:
    """What is expected may have changed: a run begins, now or when the present one has ended."""
    facts = _facts_of(uow.ctx, charger_id)
    if facts is not None:
        _save(uow, facts, _begun(uow, facts, cause))


def continue_configuration(uow: UnitOfWork, charger_id: str) -> None:
    """Asks what the run under way wants to know next, or begins the one that is owed."""
    facts = _facts_of(uow.ctx, charger_id)
    if facts is None:
        return
    if facts.state.next_step is not None:
        _save(uow, facts, _ask_or_wait(uow, facts.state))
    elif facts.state.run is None and facts.state.owed:
        _save(uow, facts, _begun(uow, facts, "override"))


def refresh_configuration(uow: UnitOfWork, charger: Charger) -> Configuring:
    """Reads everything from the charger again; writes nothing. While a run is under way, nothing more is asked.

    Raises charger.never_connected (409), command.queue_full.
    """
    facts = get_configuration(uow.ctx, charger)
    if not facts.protocol:
        raise conflict("charger.never_connected", "The charger has never been connected: nobody knows its version.")
    now = uow.ctx.now()
    if not machine.is_due(facts.state, "refresh", facts.basis, now):
        return facts.state
    pages = machine.pages_of_all(facts.known.values(), facts.protocol, facts.state.result)
    state = _ask(uow, machine.begin(facts.state, "refresh", pages, facts.basis, facts.firmware, now))
    _save(uow, facts, state)
    return state


def set_override(uow: UnitOfWork, charger: Charger, setting: Setting) -> None:
    """This charger is to have its own value (None: left alone), whatever its template says. Setting it again tries
    again what was refused. Raises what `check_setting` and `check_room` do."""
    check_setting(setting, "")
    state = _state(uow.ctx, charger.charger_id)
    key = variable_key(setting.name)
    others = [known for known in state.overrides if variable_key(known.name) != key]
    check_room([*others, setting], "")
    trials = {name: trials for name, trials in state.trials.items() if name != key}
    _store(uow, state, replace(state, overrides=[*others, setting], trials=trials))
    outbox.emit(uow, "charger.settings_changed", charger.charger_id, {"charger_id": charger.charger_id})


def get_override(ctx: Context, charger: Charger, name: str) -> Setting | None:
    """The charger's own value, over its template's."""
    key = variable_key(name)
    overrides = _state(ctx, charger.charger_id).overrides
    return next((setting for setting in overrides if variable_key(setting.name) == key), None)


def remove_override(uow: UnitOfWork, charger: Charger, name: str) -> None:
    """The charger is to have again what its template says. Raises override.not_found."""
    state = _state(uow.ctx, charger.charger_id)
    kept = [setting for setting in state.overrides if variable_key(setting.name) != variable_key(name)]
    if len(kept) == len(state.overrides):
        raise not_found("override", name)
    _store(uow, state, replace(state, overrides=kept))
    outbox.emit(uow, "charger.settings_changed", charger.charger_id, {"charger_id": charger.charger_id})


# -- what the commands of a run bring -------------------------------------------------------------------------------


def handle_configuration_read(
    uow: UnitOfWork, command: Command, *, accepted: bool, timed_out: bool, answer: dict[str, Any]
) -> None:
    """The answer to `read_configuration`: `{"variables": [{name, value, readonly}], "unknown": [names]}`.

    What an answer tells is kept, also when the run that asked is over."""
    heard = [Variable(said["name"], said.get("value"), said.get("readonly")) for said in answer.get("variables", ())]
    fresh = _record(uow, command.charger_id, heard)
    facts = _asking(uow.ctx, command, fresh)
    if facts is None:
        return
    if accepted:
        unknown, now = answer.get("unknown", ()), uow.ctx.now()
        _advance(uow, facts, machine.page_read(facts.state, unknown, facts.expected, facts.known, now))
    else:
        _advance(uow, facts, machine.read_failed(facts.state, _why_unread(command, timed_out)))


def handle_configuration_write(uow: UnitOfWork, command: Command, *, timed_out: bool, answer: dict[str, Any]) -> None:
    """The answer to `write_configuration`: `{"outcome": "accepted|reboot_required|rejected|not_supported"}`, or none.

    An accepted value is known as the charger's from now on; its next boot verifies that."""
    outcome: Outcome | None = _OUTCOMES.get(str(answer.get("outcome")), "failed")
    if timed_out:
        outcome = None if command.state == "queued" else "unanswered"
    written = [Variable(str(command.payload["name"]), str(command.payload["value"]))] if outcome == "accepted" else []
    fresh = _record(uow, command.charger_id, written)
    facts = _asking(uow.ctx, command, fresh)
    if facts is not None:
        _advance(uow, facts, machine.value_written(facts.state, outcome, facts.expected, facts.known, uow.ctx.now()))


def is_write_wanted(ctx: Context, command: Command) -> bool:
    """Not when the run that queued it is over: what it wanted to write may be wrong by now."""
    return command.requested_by != REQUESTED_BY or _state(ctx, command.charger_id).asks(command.command_id)


# -- inside ---------------------------------------------------------------------------------------------------------


def _record(uow: UnitOfWork, charger_id: str, variables: Sequence[Variable]) -> dict[str, Variable]:
    """The parts that were touched, as they will be, by the key of the name."""
    heard = by_part(variables)
    known = {part.part: part for part in PARTS.batch_get(uow.ctx, [part_key(charger_id, name) for name in heard])}
    fresh: list[ConfigurationPart] = []
    for name, said in heard.items():
        before = known.get(name)
        after = told(before or ConfigurationPart(charger_id, name), said, uow.ctx.now())
        fresh.append(after)
        if before is None:
            uow.create(PARTS, after)
        elif after is not before:
            uow.put(PARTS, after, condition=PartRow.revision == before.revision, name="configuration")
    return index_of(fresh)


def _state(ctx: Context, charger_id: str) -> Configuring:
    return CONFIGURING.get(ctx, *configuring_key(charger_id)) or Configuring(charger_id)


def _facts_of(ctx: Context, charger_id: str, state: Configuring | None = None) -> ConfigurationFacts | None:
    """None for a charger that is not accepted yet, or has never been connected: nothing is asked of it."""
    charger = get_charger(ctx, charger_id)
    if charger is None or not charger.is_placed:
        return None
    facts = _facts(ctx, charger, state)
    return facts if facts.protocol else None


def _asking(ctx: Context, command: Command, fresh: Mapping[str, Variable]) -> ConfigurationFacts | None:
    """The facts, with what the answer told, if a run waits for this command."""
    if not _state(ctx, command.charger_id).asks(command.command_id):
        return None
    charger = get_charger(ctx, command.charger_id)
    if charger is None:
        return None
    facts = _facts(ctx, charger)
    return replace(facts, known={**facts.known, **of_version(fresh, facts.protocol)})


def _facts(ctx: Context, charger: Charger, state: Configuring | None = None) -> ConfigurationFacts:
    link = get_link(ctx, charger.charger_id)
    protocol = (link.protocol if link else None) or ""
    template, state = template_for(ctx, charger), state or _state(ctx, charger.charger_id)
    expected: dict[str, Expected] = {}
    if protocol:
        expected = expected_settings(BUILT_IN.settings, template, state.overrides, protocol)
    names = [*(setting.name for setting in expected.values()), *machine.LIMIT_NAMES]
    parts = sorted({part_key(charger.charger_id, storage_part(name)) for name in names})
    known = of_version(index_of(PARTS.batch_get(ctx, parts)), protocol)
    return ConfigurationFacts(charger, protocol, template, expected, known, state)


def _begun(uow: UnitOfWork, facts: ConfigurationFacts, cause: Cause) -> Configuring:
    """The state with a new run and its first question, if one is due and the charger's queue has room."""
    now, basis = uow.ctx.now(), facts.basis
    if not machine.is_due(facts.state, cause, basis, now):
        is_news = facts.state.run is not None and cause != "boot" and basis != facts.state.basis
        return machine.postponed(facts.state) if is_news else facts.state
    state = machine.forget_trials(facts.state, facts.expected)
    names = machine.names_to_read(state, facts.expected, facts.firmware)
    if not names:
        return replace(state, owed=False)
    pages = machine.pages_to_read(names, facts.known, facts.protocol)
    return _ask_or_wait(uow, machine.begin(state, cause, pages, basis, facts.firmware, now))


def _ask_or_wait(uow: UnitOfWork, state: Configuring) -> Configuring:
    """A charger whose queue is full of commands has its configuration looked at another time."""
    try:
        return _ask(uow, state)
    except DomainError as error:
        if error.code != "command.queue_full":
            raise
        return machine.read_failed(state, "unreachable")


def _ask(uow: UnitOfWork, state: Configuring) -> Configuring:
    """Queues the command of the next step. Raises command.queue_full."""
    step = state.next_step
    if step is None:
        return state
    payload: dict[str, Any] = {"names": step.names}
    if step.write is not None:
        payload = {"name": step.write.name, "value": step.write.value or ""}
    command = queue_command(
        uow,
        charger_id=state.charger_id,
        action="read_configuration" if step.write is None else "write_configuration",
        payload=payload,
        requested_by=REQUESTED_BY,
    )
    return machine.asked(state, command.command_id, uow.ctx.now())


def _why_unread(command: Command, timed_out: bool) -> Result:
    if not timed_out:
        return "refused"
    return "unreachable" if command.state == "queued" else "unanswered"


def _advance(uow: UnitOfWork, facts: ConfigurationFacts, state: Configuring) -> None:
    """Saves what an answer led to. An event asks on: this unit of work has the charger's queue in it already."""
    _save(uow, facts, state)
    if state.next_step is not None or (state.run is None and state.owed and state.result == "done"):
        outbox.emit(uow, "charger.configuration_due", state.charger_id, {"charger_id": state.charger_id})


def _save(uow: UnitOfWork, facts: ConfigurationFacts, state: Configuring) -> None:
    """Stores the state, and on the charger what follows: how its boots are answered, how much it drifts after a run."""
    _store(uow, facts.state, state)
    changes: list[Action] = []
    interval_s = heartbeat_interval_s(facts.expected)
    if interval_s != facts.charger.heartbeat_interval_s:
        changes.append(ChargerRow.heartbeat_interval_s.set(interval_s))
    count = machine.drift_count(state, facts.expected, facts.known)
    if state.run is None and facts.state.run is not None and count != facts.charger.drift_count:
        changes.append(ChargerRow.drift_count.set(count))
    if changes:
        key = charger_row_key(state.charger_id)
        uow.update(CHARGERS, key, changes, condition=ChargerRow.pk.exists(), name="charger configuration")


def _store(uow: UnitOfWork, before: Configuring, after: Configuring) -> None:
    if after == before:
        return
    after = replace(after, revision=before.revision + 1)
    if before.revision == 0:
        uow.create(CONFIGURING, after)
    else:
        uow.put(CONFIGURING, after, condition=ConfiguringRow.revision == before.revision, name="configuring")
