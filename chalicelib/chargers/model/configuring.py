"""How a charger is brought to what is expected of it: one run at a time, read before write, only differences. Pure.

A run reads (in pages) and then writes, one variable at a time; each function takes the state and what happened and
gives the state after it. What the charger is to be asked next is `state.next_step`. The bounds: a value that was
refused is not tried again, one that does not stick is tried MAX_ATTEMPTS times, a boot right after a write counts
against it, a run ends after MAX_STRIKES boots or silences; all until the firmware or the expected value changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from chalicelib.chargers.model.configuration import (
    Variable,
    has_components,
    is_component_name,
    same_value,
    variable_key,
)
from chalicelib.chargers.model.templates import Expected, Setting

MAX_ATTEMPTS: Final = 2
MAX_STRIKES: Final = 2
REBOOT_WINDOW: Final = timedelta(minutes=10)
"""A boot this soon after a write was perhaps caused by it."""
CHECK_INTERVAL: Final = timedelta(hours=1)
"""A charger that boots more often is not read each time."""
HASTE_INTERVAL: Final = timedelta(minutes=5)
"""Nor this soon, whatever it says about its firmware."""
RUN_PATIENCE: Final = timedelta(hours=25)
"""Longer than any command of a run lives: one that has not moved since was lost, and one whose next question is not
even queued after HASTE_INTERVAL."""
PAGE_SIZE: Final = 20
"""Names in one question: 20 values of 500 characters (1.6) with their names are 11 KB."""
SMALL_PAGE: Final = 5
"""Where a charger refused a larger question."""
MAX_ANSWER_BYTES: Final = 16_000
_ANSWER_OVERHEAD: Final = 45  # {"key":"","readonly":false,"value":""},
LIMIT_NAMES: Final = ("GetConfigurationMaxKeys", "DeviceDataCtrlr/ItemsPerMessage.GetVariables")
"""What tells how many names a charger takes at once: in 1.6, in 2.x."""
_MAX_TRIALS: Final = 4

Cause = Literal["boot", "template", "override", "refresh"]
Outcome = Literal["accepted", "reboot_required", "rejected", "not_supported", "unanswered", "failed"]
Result = Literal["done", "refused", "unanswered", "unreachable", "unstable"]
"""How a run ended: `refused` and `unanswered` the reading, `unreachable` the charger was away for a day, `unstable` it
rebooted or fell silent again and again."""

_FINAL: Final = frozenset({"rejected", "not_supported"})


@dataclass(frozen=True)
class Trial:
    """What became of writing `value`: the last outcome, and how many attempts it has cost."""

    value: str
    outcome: Outcome
    at: datetime
    attempts: int = 1


@dataclass(frozen=True)
class Step:
    """What a charger is asked: these names (none: all that it has), or (`write`) to take a value."""

    names: list[str] = field(default_factory=list)
    write: Setting | None = None


@dataclass(frozen=True)
class Run:
    """`pages` are still to be read; `command_id` is the command that asks `step`, None until it is queued. `written`
    are the keys and values that this run has written already."""

    cause: Cause
    started_at: datetime
    moved_at: datetime
    step: Step
    pages: list[list[str]] = field(default_factory=list)
    command_id: str | None = None
    written: list[str] = field(default_factory=list)
    strikes: int = 0


@dataclass(frozen=True)
class Configuring:
    """A charger's own wishes and what was learnt about it. `basis` is what the last run aimed at, `owed` a run that is
    still to come, `loose_write` the key and value whose write a boot may yet be blamed on."""

    charger_id: str
    overrides: list[Setting] = field(default_factory=list)
    basis: str = ""
    firmware: str = ""
    trials: dict[str, list[Trial]] = field(default_factory=dict)
    run: Run | None = None
    owed: bool = False
    begun_at: datetime | None = None
    checked_at: datetime | None = None
    result: Result | None = None
    loose_write: tuple[str, str] | None = None
    revision: int = 0

    @property
    def next_step(self) -> Step | None:
        """What to ask now; None while an answer is awaited, or when nothing is left to do."""
        return None if self.run is None or self.run.command_id is not None else self.run.step

    def asks(self, command_id: str) -> bool:
        """Whether this command is the one that the run waits for: any other answer is an echo of the past."""
        return self.run is not None and self.run.command_id == command_id


# -- when a run begins ----------------------------------------------------------------------------------------------


def is_due(state: Configuring, cause: Cause, basis: str, now: datetime) -> bool:
    """Whether a run begins now. While one is under way none does; `postponed` remembers that it should."""
    if _is_under_way(state, now):
        return False
    if cause in ("override", "refresh") or state.owed or state.begun_at is None:
        return True
    if cause == "template":
        return basis != state.basis
    since = now - state.begun_at
    return since >= CHECK_INTERVAL or (basis != state.basis and since >= HASTE_INTERVAL)


def is_boot_idle(state: Configuring, now: datetime) -> bool:
    """Whether a boot changes nothing here, whatever the charger says of itself: it is being asked, or was a moment ago,
    and no write waits for a boot to be blamed on it. `is_due` and `booted` say the same, and want to know more."""
    if state.loose_write is not None:
        return False
    if state.run is not None or state.owed or state.begun_at is None:
        return _is_under_way(state, now)
    return now - state.begun_at < HASTE_INTERVAL


def _is_under_way(state: Configuring, now: datetime) -> bool:
    """A run that is not lost."""
    run = state.run
    return run is not None and now - run.moved_at <= (HASTE_INTERVAL if run.command_id is None else RUN_PATIENCE)


def begin(
    state: Configuring, cause: Cause, pages: Sequence[Sequence[str]], basis: str, firmware: str, now: datetime
) -> Configuring:
    """A new run that reads these pages (an empty one: everything). New firmware: what the old one refused is tried
    again."""
    first, *rest = [list(page) for page in pages]
    return replace(
        state,
        run=Run(cause, now, now, Step(names=first), rest),
        basis=basis,
        firmware=firmware,
        trials=state.trials if firmware == state.firmware else {},
        begun_at=now,
        owed=False,
    )


def forget_trials(state: Configuring, expected: Mapping[str, Expected]) -> Configuring:
    """What is expected no more may be tried anew should it ever be expected again."""
    kept = {key: trials for key, trials in state.trials.items() if key in expected}
    return state if len(kept) == len(state.trials) else replace(state, trials=kept)


def pages_to_read(names: Sequence[str], known: Mapping[str, Variable], protocol: str) -> list[list[str]]:
    """Names in pages that neither the question nor the longest answer makes longer than a frame may be, and no larger
    than the charger says that it takes. That limit is asked for along the way, where that costs no further question."""
    if not names:
        return []
    limit_name = LIMIT_NAMES[has_components(protocol)]
    told = known.get(variable_key(limit_name))
    size = PAGE_SIZE
    if told is None and len(names) % size:
        names = [*names, limit_name]
    if told is not None and told.value and told.value.isdecimal() and int(told.value) > 0:
        size = min(size, int(told.value))
    return [list(names[start : start + size]) for start in range(0, len(names), size)]


def pages_of_all(known: Iterable[Variable], protocol: str, result: Result | None) -> list[list[str]]:
    """How to read everything: at once where the answer will be short, else by the names that are known.

    A 2.x charger reports in parts of its own (GetBaseReport)."""
    keys = [variable for variable in known if not is_component_name(variable.name)]
    weights = [_ANSWER_OVERHEAD + len(variable.name) + len(variable.value or "") for variable in keys]
    is_short = sum(weights) <= MAX_ANSWER_BYTES and result not in ("refused", "unanswered")
    if has_components(protocol) or not keys or is_short:
        return [[]]
    pages: list[list[str]] = []
    room = 0
    for variable, weight in zip(keys, weights, strict=True):
        if weight > room or len(pages[-1]) == PAGE_SIZE:
            pages.append([])
            room = MAX_ANSWER_BYTES
        pages[-1].append(variable.name)
        room -= weight
    return pages


def postponed(state: Configuring) -> Configuring:
    """A run is wanted and none can begin: the next occasion will do."""
    return state if state.owed else replace(state, owed=True)


def asked(state: Configuring, command_id: str, now: datetime) -> Configuring:
    """The next step is a command now."""
    return state if state.run is None else replace(state, run=replace(state.run, command_id=command_id, moved_at=now))


def names_to_read(state: Configuring, expected: Mapping[str, Expected], firmware: str) -> list[str]:
    """What a run reads: all that is expected but what this firmware does not have."""
    trials = state.trials if firmware == state.firmware else {}
    return [
        setting.name
        for key, setting in expected.items()
        if not any(trial.outcome == "not_supported" and trial.value == setting.value for trial in trials.get(key, ()))
    ]


# -- what happens in a run ------------------------------------------------------------------------------------------


def page_read(
    state: Configuring,
    unknown: Sequence[str],
    expected: Mapping[str, Expected],
    known: Mapping[str, Variable],
    now: datetime,
) -> Configuring:
    """The charger told a page; `known` is with it. Names that it does not have are learnt as not supported."""
    if state.run is None:
        return state
    for key in map(variable_key, unknown):
        if key in expected:
            state = _tried(state, key, Trial(expected[key].value, "not_supported", now))
    return _go_on(state, expected, known, now)


def read_failed(state: Configuring, result: Result) -> Configuring:
    """The charger did not tell. A question that it refused is asked in smaller pieces, once; only who could not be
    reached is owed another run."""
    run = state.run
    if run is not None and result == "refused" and len(run.step.names) > SMALL_PAGE:
        names = [name for page in (run.step.names, *run.pages) for name in page]
        first, *rest = [names[start : start + SMALL_PAGE] for start in range(0, len(names), SMALL_PAGE)]
        return replace(state, run=replace(run, step=Step(names=first), pages=rest, command_id=None))
    return replace(state, run=None, result=result, owed=state.owed or result == "unreachable")


def value_written(
    state: Configuring,
    outcome: Outcome | None,
    expected: Mapping[str, Expected],
    known: Mapping[str, Variable],
    now: datetime,
) -> Configuring:
    """The charger answered a write, fell silent (`unanswered`), or (None) was never reached."""
    run = state.run
    if run is None or run.step.write is None:
        return state
    if outcome is None:
        return read_failed(state, "unreachable")
    key, value = variable_key(run.step.write.name), run.step.write.value or ""
    state = _tried(state, key, Trial(value, outcome, now, attempts_of(state, key, value) + 1))
    state = replace(state, loose_write=None if outcome in _FINAL else (key, value))
    strikes = run.strikes + (outcome == "unanswered")
    state = replace(state, run=replace(run, strikes=strikes, written=[*run.written, f"{key}={value}"]))
    if strikes >= MAX_STRIKES:
        return _ended(state, "unstable", now)
    return _go_on(state, expected, known, now)


def booted(state: Configuring, at: datetime) -> Configuring:
    """A boot soon after a write counts against that write, once; a run bears MAX_STRIKES of them."""
    if state.loose_write is None:
        return state
    key, value = state.loose_write
    trial = next((trial for trial in state.trials.get(key, ()) if trial.value == value), None)
    if trial is None or not trial.at <= at <= trial.at + REBOOT_WINDOW:
        return state
    state = _tried(state, key, replace(trial, attempts=trial.attempts + 1))
    state = replace(state, loose_write=None)
    if state.run is None:
        return state
    run = replace(state.run, strikes=state.run.strikes + 1)
    return replace(state, run=run) if run.strikes < MAX_STRIKES else _ended(state, "unstable", None)


def attempts_of(state: Configuring, key: str, value: str) -> int:
    return next((trial.attempts for trial in state.trials.get(key, ()) if trial.value == value), 0)


# -- what is wanted of a variable -----------------------------------------------------------------------------------


def target_of(setting: Expected, trials: Sequence[Trial]) -> str:
    """The value to aim at. A list of measurands that was rejected is aimed at without its last member: many chargers
    refuse a whole list for one measurand that they do not have."""
    candidates = [setting.value]
    if variable_key(setting.name).endswith(("sampleddata", "aligneddata", "measurands")):
        members = setting.value.split(",")
        candidates += [",".join(members[:count]) for count in range(len(members) - 1, 0, -1)]
    rejected = {trial.value for trial in trials if trial.outcome == "rejected"}
    return next((value for value in candidates if value not in rejected), setting.value)


def drifts(setting: Expected, variable: Variable | None, trials: Sequence[Trial]) -> bool:
    """Whether the charger has the variable and another value. What it does not tell does not drift (a 2.x value may be
    for writing only; a 1.6 key without one is empty)."""
    if variable is None or (variable.value is None and is_component_name(variable.name)):
        return False
    return not same_value(target_of(setting, trials), variable.value)


def drift_count(state: Configuring, expected: Mapping[str, Expected], known: Mapping[str, Variable]) -> int:
    return sum(drifts(setting, known.get(key), state.trials.get(key, ())) for key, setting in expected.items())


def trials_of(state: Configuring, setting: Expected) -> Sequence[Trial]:
    return state.trials.get(variable_key(setting.name), ())


def trial_of(state: Configuring, setting: Expected) -> Trial | None:
    """What became of writing the value that is aimed at."""
    trials = trials_of(state, setting)
    target = target_of(setting, trials)
    return next((trial for trial in trials if trial.value == target), None)


# -- inside ---------------------------------------------------------------------------------------------------------


def _go_on(
    state: Configuring, expected: Mapping[str, Expected], known: Mapping[str, Variable], now: datetime
) -> Configuring:
    run = state.run
    if run is None:
        return state
    if run.pages:
        step: Step | None = Step(names=run.pages[0])
    elif run.cause == "refresh":
        step = None
    else:
        step = _next_write(state, run, expected, known)
    if step is None:
        return _ended(state, "done", now)
    return replace(state, run=replace(run, step=step, pages=run.pages[1:], command_id=None, moved_at=now))


def _next_write(
    state: Configuring, run: Run, expected: Mapping[str, Expected], known: Mapping[str, Variable]
) -> Step | None:
    for key, setting in expected.items():
        variable, trials = known.get(key), state.trials.get(key, ())
        if variable is None or variable.readonly or not drifts(setting, variable, trials):
            continue
        target = target_of(setting, trials)
        trial = next((trial for trial in trials if trial.value == target), None)
        is_spent = trial is not None and (trial.outcome in _FINAL or trial.attempts >= MAX_ATTEMPTS)
        if not is_spent and f"{key}={target}" not in run.written:
            return Step(write=Setting(variable.name, target))
    return None


def _tried(state: Configuring, key: str, trial: Trial) -> Configuring:
    others = [known for known in state.trials.get(key, ()) if known.value != trial.value]
    return replace(state, trials={**state.trials, key: [*others, trial][-_MAX_TRIALS:]})


def _ended(state: Configuring, result: Result, checked_at: datetime | None) -> Configuring:
    return replace(state, run=None, result=result, checked_at=checked_at or state.checked_at)
