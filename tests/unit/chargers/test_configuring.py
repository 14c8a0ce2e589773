"""The state machine that brings a charger to its configuration: its bounds hold whatever a charger answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.chargers.model import Variable
from chalicelib.chargers.model import configuring as machine
from chalicelib.chargers.model.configuring import Configuring, Step, Trial
from chalicelib.chargers.model.templates import Expected, Setting
from tests.world import START

EXPECTED = {key: Expected(key.upper(), "1", "platform") for key in ("a", "b", "c")}
WRONG = {key: Variable(key.upper(), "0", False) for key in EXPECTED}
RIGHT = {key: Variable(key.upper(), "1", False) for key in EXPECTED}
MINUTE = timedelta(minutes=1)


def begun(cause: machine.Cause = "boot", at: datetime = START, basis: str = "b1") -> Configuring:
    return machine.begin(Configuring("CP"), cause, [["A", "B"], ["C"]], basis, "fw", at)


def test_a_run_reads_all_pages_before_it_writes() -> None:
    state = begun()
    assert state.next_step == Step(names=["A", "B"])
    state = machine.asked(state, "cmd_1", START)
    assert state.next_step is None
    assert state.asks("cmd_1")
    assert not state.asks("cmd_0")
    state = machine.page_read(state, [], EXPECTED, WRONG, START)
    assert state.next_step == Step(names=["C"])
    state = machine.page_read(state, [], EXPECTED, WRONG, START)
    assert state.next_step == Step(write=Setting("A", "1"))


def test_a_refresh_writes_nothing() -> None:
    state = replace(begun("refresh"), run=machine.Run("refresh", START, START, Step()))
    ended = machine.page_read(state, [], EXPECTED, WRONG, START)
    assert (ended.run, ended.result, ended.checked_at) == (None, "done", START)


def test_nothing_to_write_ends_the_run() -> None:
    state = machine.page_read(begun(), [], EXPECTED, RIGHT, START)
    state = machine.page_read(state, [], EXPECTED, RIGHT, START + MINUTE)
    assert (state.run, state.result, state.checked_at) == (None, "done", START + MINUTE)


@pytest.mark.parametrize(
    ("cause", "elapsed", "same_basis", "due"),
    [
        ("boot", timedelta(minutes=59), True, False),
        ("boot", timedelta(minutes=60), True, True),
        ("boot", timedelta(minutes=4), False, False),
        ("boot", timedelta(minutes=5), False, True),
        ("template", timedelta(seconds=1), False, True),
        ("template", timedelta(days=9), True, False),
        ("override", timedelta(seconds=1), True, True),
        ("refresh", timedelta(seconds=1), True, True),
    ],
)
def test_when_a_run_is_due(cause: machine.Cause, elapsed: timedelta, same_basis: bool, due: bool) -> None:
    state = machine.read_failed(begun(), "unanswered")
    assert machine.is_due(state, cause, "b1" if same_basis else "b2", START + elapsed) is due


def test_one_run_at_a_time_unless_it_was_lost() -> None:
    state = machine.asked(begun(), "cmd_1", START)
    assert not machine.is_due(state, "override", "b2", START + timedelta(hours=24))
    assert machine.is_due(state, "boot", "b1", START + timedelta(hours=26))


def test_a_run_whose_next_question_was_never_queued_was_lost() -> None:
    assert not machine.is_due(begun(), "override", "b2", START + timedelta(minutes=5))
    assert machine.is_due(begun(), "override", "b2", START + timedelta(minutes=6))


def test_only_who_was_not_reached_is_owed_a_run() -> None:
    assert machine.read_failed(begun(), "unreachable").owed
    assert not machine.read_failed(begun(), "unanswered").owed
    assert machine.is_due(machine.read_failed(begun(), "unreachable"), "boot", "b1", START + MINUTE)


def test_a_question_that_was_refused_is_asked_in_small_pieces_once() -> None:
    names = [f"K{number}" for number in range(12)]
    state = machine.begin(Configuring("CP"), "boot", [names[:10], names[10:]], "b", "fw", START)
    state = machine.read_failed(state, "refused")
    assert state.next_step == Step(names=names[:5])
    assert state.run is not None
    assert state.run.pages == [names[5:10], names[10:]]
    assert machine.read_failed(state, "refused").run is None


@pytest.mark.parametrize("outcome", ["rejected", "not_supported"])
def test_a_refusal_is_final_for_this_value_and_firmware(outcome: machine.Outcome) -> None:
    trials = {key: [Trial("1", outcome, START)] for key in EXPECTED}
    state = replace(begun(), trials=trials)
    state = machine.page_read(state, [], EXPECTED, WRONG, START)
    assert machine.page_read(state, [], EXPECTED, WRONG, START).run is None
    other = {key: replace(setting, value="2") for key, setting in EXPECTED.items()}
    assert machine.page_read(state, [], other, WRONG, START).next_step == Step(write=Setting("A", "2"))
    updated = machine.begin(machine.read_failed(state, "refused"), "boot", [["A"]], "b2", "fw2", START)
    assert updated.trials == {}


def test_names_that_the_firmware_does_not_have_are_read_no_more() -> None:
    state = machine.page_read(begun(), ["A"], EXPECTED, {}, START)
    assert machine.names_to_read(state, EXPECTED, "fw") == ["B", "C"]
    assert machine.names_to_read(state, EXPECTED, "fw2") == ["A", "B", "C"]


def test_what_is_expected_no_more_is_forgotten() -> None:
    state = machine.page_read(begun(), ["A", "B"], EXPECTED, {}, START)
    assert {*machine.forget_trials(state, {"a": EXPECTED["a"]}).trials} == {"a"}


@pytest.mark.parametrize(
    ("minutes", "attempts"), [(-1, 1), (0, 2), (10, 2), (11, 1)], ids=["before", "at once", "soon", "long after"]
)
def test_a_boot_soon_after_a_write_counts_against_it_once(minutes: int, attempts: int) -> None:
    state = replace(Configuring("CP"), trials={"a": [Trial("1", "accepted", START)]}, loose_write=("a", "1"))
    after = machine.booted(state, START + timedelta(minutes=minutes))
    assert machine.attempts_of(after, "a", "1") == attempts
    assert machine.attempts_of(machine.booted(after, START + MINUTE), "a", "1") == 2, "no second boot counts"


def test_a_list_is_aimed_at_without_what_was_rejected() -> None:
    setting = Expected("MeterValuesSampledData", "E,P,S", "platform")
    trials = [Trial("E,P,S", "rejected", START)]
    assert machine.target_of(setting, trials) == "E,P"
    assert machine.target_of(setting, [*trials, Trial("E,P", "rejected", START)]) == "E"
    everything = [Trial(value, "rejected", START) for value in ("E,P,S", "E,P", "E")]
    assert machine.target_of(setting, everything) == "E,P,S"
    assert machine.target_of(Expected("SomeList", "E,P,S", "platform"), trials) == "E,P,S"


@pytest.mark.parametrize(
    ("count", "limit", "pages"),
    [
        (12, None, [13]),
        (20, None, [20]),
        (21, None, [20, 2]),
        (12, "5", [5, 5, 2]),
        (12, "0", [12]),
        (12, "many", [12]),
        (45, "99", [20, 20, 5]),
    ],
)
def test_questions_are_as_large_as_the_charger_takes(count: int, limit: str | None, pages: list[int]) -> None:
    """Its limit is asked for along the way, but never by a question of its own."""
    known = {} if limit is None else {"getconfigurationmaxkeys": Variable("GetConfigurationMaxKeys", limit)}
    names = [f"K{number}" for number in range(count)]
    asked = machine.pages_to_read(names, known, "ocpp1.6")
    assert [len(page) for page in asked] == pages
    assert [name for page in asked for name in page][:count] == names


def test_a_whole_reading_goes_by_names_where_it_would_be_long() -> None:
    short = [Variable("K", "1")]
    long = [Variable(f"K{number}", "x" * 500) for number in range(60)]
    assert machine.pages_of_all([], "ocpp1.6", None) == [[]]
    assert machine.pages_of_all(short, "ocpp1.6", "done") == [[]]
    assert machine.pages_of_all(short, "ocpp1.6", "unanswered") == [["K"]]
    assert machine.pages_of_all(long, "ocpp2.0.1", "unanswered") == [[]]
    pages = machine.pages_of_all(long, "ocpp1.6", None)
    assert [name for page in pages for name in page] == [variable.name for variable in long]
    assert max(len(page) for page in pages) <= machine.PAGE_SIZE


@pytest.mark.parametrize(
    ("state", "elapsed", "idle"),
    [
        (Configuring("CP"), MINUTE, False),
        (replace(begun(), run=None), timedelta(minutes=4, seconds=59), True),
        (replace(begun(), run=None), timedelta(minutes=5), False),
        (replace(begun(), run=None, owed=True), MINUTE, False),
        (replace(begun(), run=None, loose_write=("a", "1")), MINUTE, False),
        (machine.asked(begun(), "cmd_1", START), timedelta(hours=25), True),
        (machine.asked(begun(), "cmd_1", START), timedelta(hours=26), False),
    ],
    ids=["never looked at", "just now", "a while ago", "owed", "after a write", "under way", "lost"],
)
def test_a_boot_changes_nothing_while_it_is_asked_or_was_just_now(
    state: Configuring, elapsed: timedelta, idle: bool
) -> None:
    assert machine.is_boot_idle(state, START + elapsed) is idle


@given(
    answers=st.lists(
        st.sampled_from(
            ["accepted", "forgotten", "reboot_required", "rejected", "not_supported", "unanswered", "failed"]
        ),
        min_size=400,
        max_size=400,
    ),
    boots=st.lists(st.integers(1, 400), min_size=40, max_size=40),
    reboots=st.lists(st.booleans(), min_size=400, max_size=400),
)
@settings(max_examples=60, deadline=None)
def test_no_charger_is_written_to_without_end(answers: list[str], boots: list[int], reboots: list[bool]) -> None:
    """Whatever it answers, forgets, and whenever it boots: MAX_ATTEMPTS writes per value and firmware, no more."""
    state, now, known, writes = Configuring("CP"), START, dict(WRONG), 0
    queue = list(zip(answers, reboots, strict=True))
    for minutes in boots:
        now += timedelta(minutes=minutes)
        if machine.is_boot_idle(state, now):
            assert machine.booted(state, now) == state
            assert not machine.is_due(state, "boot", "another basis", now)
            continue
        state = machine.booted(state, now)
        if not machine.is_due(state, "boot", "b", now):
            continue
        state = machine.begin(state, "boot", [["A", "B", "C"]], "b", "fw", now)
        state = machine.page_read(state, [], EXPECTED, known, now)
        while state.run is not None and state.run.step.write is not None:
            writes += 1
            answer, reboot = queue.pop()
            key = state.run.step.write.name.lower()
            if answer == "accepted":
                known[key] = RIGHT[key]
            outcome: machine.Outcome = "accepted" if answer == "forgotten" else answer  # type: ignore[assignment]
            state = machine.value_written(state, outcome, EXPECTED, known, now)
            if reboot:
                state = machine.booted(state, now)
        assert state.run is None
    assert writes <= len(EXPECTED) * machine.MAX_ATTEMPTS
