"""The product's price, held by counting: units, transitions and log bytes of each action, and what a month costs.

Counts of the DynamoDB engine are those that AWS bills, and are the same on every machine; nothing here is timed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from bench import cost, prices
from bench.cost import Usage
from tests.contract.ocpp.story import BEGIN_WH, CARD, make
from tests.world import World


@pytest.fixture(scope="module")
def used() -> Iterator[dict[str, Usage]]:
    with pytest.MonkeyPatch.context() as environment:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "test")
        yield cost.measure()


@pytest.mark.parametrize(
    ("action", "most_wru", "most_rru", "most_trips"),
    [
        ("heartbeat", 1, 1, 2),
        ("status, within a minute", 1, 0, 1),
        ("status, later", 2, 1, 2),
        ("meter values", 1.5, 0.4, 2),
        ("authorize", 0, 1, 2),
        ("start", 12, 10.5, 9),
        ("after the start", 1, 3, 5),
        ("stop", 14, 2.5, 4),
        ("after the stop", 0, 4, 6),
        ("boot", 6, 1, 2),  # charger, journal and event in one transaction; a charger boots rarely
        ("after the boot", 1, 7.5, 8),
        ("connect", 4, 2, 3),
        ("disconnect", 1, 1, 2),
    ],
)
def test_an_action_stays_within_its_units(
    used: dict[str, Usage], action: str, most_wru: float, most_rru: float, most_trips: float
) -> None:
    """What it takes today, to the half unit: whoever needs more says so here, and in BENCHMARKS.md why."""
    assert used[action].wru <= most_wru + 0.001
    assert used[action].rru <= most_rru + 0.001
    assert used[action].round_trips <= most_trips


def test_money_is_in_the_measured_session(used: dict[str, Usage]) -> None:
    """Else the budgets of start and stop would be kept by not charging anybody."""
    assert used["start"].wru > 8
    assert used["stop"].wru > 8


def test_a_session_takes_few_state_transitions(used: dict[str, Usage]) -> None:
    assert 0 < cost.session(used, meter_values=60).transitions <= 8


def test_meter_values_move_no_workflow(used: dict[str, Usage]) -> None:
    assert used["meter values"].transitions == 0
    assert used["meter values"].invocations == pytest.approx(1)


def test_a_frame_that_went_well_is_not_logged(used: dict[str, Usage]) -> None:
    frames = ("heartbeat", "status, later", "meter values", "authorize", "start", "stop")
    assert {action: used[action].log_bytes for action in frames} == dict.fromkeys(frames, 0)


@pytest.mark.parametrize(
    ("load", "most_usd"), [(prices.STANDARD, 0.08), (prices.PUSHED, 0.05)], ids=["standard", "pushed"]
)
def test_a_charger_month_stays_affordable(used: dict[str, Usage], load: prices.Load, most_usd: float) -> None:
    items = prices.monthly(used, load)
    assert prices.total(items) <= most_usd


@pytest.mark.parametrize("protocol", ["ocpp2.0.1", "ocpp2.1"])
def test_a_transaction_in_pieces_stays_within_its_units(world: World, protocol: str) -> None:
    """Decision 0019: its begin and its end carry the row of the transaction besides; an update is its reading alone.
    Life signs, which any frame may carry, are left out."""
    story = make(world, world.operator(), protocol)
    world.ctx.afterwards.hold()

    def written(tell: Callable[[], object]) -> float:
        def units() -> float:
            consumed = world.engine.consumed.items()
            return sum(amount for (table, kind), amount in consumed if kind == "write" and "connections" not in table)

        before = units()
        tell()
        return units() - before

    charging = {"state": "Charging", "trigger": "MeterValuePeriodic"}
    begin = written(lambda: story.event("Started", "Authorized", token=CARD, state="Charging", wh=BEGIN_WH))
    update = written(lambda: story.event("Updated", wh=5000, **charging))
    end = written(story.end)
    story.assert_billed()
    assert update == 1
    assert begin <= 16
    assert end <= 18


# -- the message log, which is written after the answer ---------------------------------------------------------------

FRAMES = ("heartbeat", "status, within a minute", "status, later", "meter values", "authorize", "start", "stop", "boot")


def test_a_frame_costs_one_write_more_for_its_entry_in_the_log(used: dict[str, Usage]) -> None:
    assert {action: used[action].message_log_wru for action in FRAMES} == pytest.approx(dict.fromkeys(FRAMES, 1))
    assert {action: used[action].message_log_trips for action in FRAMES} == pytest.approx(dict.fromkeys(FRAMES, 1))


def test_what_is_no_frame_is_not_in_the_log(used: dict[str, Usage]) -> None:
    for action in ("connect", "disconnect", "after the start", "after the stop"):
        assert used[action].message_log_trips == 0


@pytest.mark.parametrize(
    ("load", "most_usd"), [(prices.STANDARD, 0.016), (prices.PUSHED, 0.007)], ids=["standard", "pushed"]
)
def test_a_charger_months_message_log_stays_affordable(
    used: dict[str, Usage], load: prices.Load, most_usd: float
) -> None:
    assert 0 < prices.monthly(used, load)["message log"] <= most_usd
