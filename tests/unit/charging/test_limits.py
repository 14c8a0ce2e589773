"""What ends a charge besides its amount, and the fresh values of a charge that is watched."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.charging import lookup, service, views
from chalicelib.charging.model import STOP_TIMEOUT, ChargingSession, Limits, MeterSample
from chalicelib.drivers import service as drivers
from chalicelib.kernel.money import Money
from chalicelib.ocpp import jobs as ocpp
from tests.site import Site
from tests.unit.charging.teller import Teller

OTHER_CARD = "0BADCAFE01"


def request(site: Site, limits: Limits | None, amount: int = 2000) -> ChargingSession:
    site.advance_s(1)
    session: ChargingSession = site.world.commit(
        lambda uow: service.request_session(
            uow,
            session_id=site.world.ctx.new_id("ses"),
            driver_id=site.driver.driver_id,
            charger_id="CP-001",
            evse_no=1,
            amount=Money(amount, "EUR"),
            limits=limits,
        )
    )
    return session


def asked(site: Site, action: str) -> list[dict[str, Any]]:
    page = chargers.list_commands(site.world.ctx, "CP-001", action=action, limit=50, cursor=None)
    return [command.payload for command in page.data[::-1]]


def meter(site: Site, transaction_id: int, **values: Any) -> None:
    sample = MeterSample(site.world.clock.now(), **values)
    site.world.commit(
        lambda uow: service.record_meter_values(
            uow, charger=site.charger, evse_no=1, transaction_id=transaction_id, samples=[sample]
        )
    )


@pytest.mark.parametrize(
    ("limits", "below", "reached", "minutes"),
    [
        (Limits(energy_wh=500), {"energy_wh": 1499}, {"energy_wh": 1500}, 1),
        (Limits(soc_percent=80), {"soc_percent": 79}, {"soc_percent": 80}, 1),
        (Limits(duration_s=600), {"energy_wh": 1100}, {"energy_wh": 1101}, 11),
        (Limits(duration_s=600, soc_percent=80), {"soc_percent": 10}, {"soc_percent": 81}, 1),
    ],
)
def test_the_first_limit_that_is_reached_ends_it_once(
    site: Site, limits: Limits, below: dict[str, int], reached: dict[str, int], minutes: float
) -> None:
    session = request(site, limits)
    outcome = site.start_from_app(meter_wh=1000)
    meter(site, outcome.transaction_id, **below)
    assert site.session(session.session_id).state == "charging"
    site.advance(minutes)
    for _ in range(2):
        meter(site, outcome.transaction_id, **reached)
        site.advance_s(1)
    assert site.session(session.session_id).state == "stopping"
    assert asked(site, "stop_session") == [{"transaction_id": outcome.transaction_id}]


@pytest.mark.parametrize(
    ("limits", "below", "reached", "minute"),
    [
        (Limits(energy_wh=500), {"energy_wh": 1499}, {"energy_wh": 1500}, 5),
        (Limits(soc_percent=80), {"energy_wh": 1100, "soc_percent": 79}, {"energy_wh": 1200, "soc_percent": 80}, 5),
        (Limits(duration_s=600), {"energy_wh": 1100}, {"energy_wh": 1101}, 11),
    ],
)
def test_a_charger_that_tells_in_pieces_is_stopped_once_too(
    site: Site, limits: Limits, below: dict[str, Any], reached: dict[str, Any], minute: int
) -> None:
    session = request(site, limits)
    teller = Teller(site)
    token = drivers.app_token(site.driver.driver_id)
    teller.tell(teller.started(id_token=token, id_token_kind="Central", remote_start_id=session.remote_start_id))
    for number, values in ((1, below), (minute, reached), (minute + 1, reached)):
        at = teller.began + timedelta(minutes=number)
        teller.tell(teller.updated(None, number, samples=[MeterSample(at, **values)], at=at))
        assert site.session(session.session_id).state == ("charging" if number == 1 else "stopping")
    assert asked(site, "stop_session") == [{"transaction_id": "TX-1"}]


def test_a_limit_that_the_charger_tells_nothing_of_is_said_to_be_none(site: Site) -> None:
    session = request(site, Limits(soc_percent=80))
    outcome = site.start_from_app(meter_wh=1000)
    assert seen_by_driver(site, session)["limits_not_reported"] == []
    meter(site, outcome.transaction_id, energy_wh=1100)
    assert seen_by_driver(site, session)["limits_not_reported"] == ["soc_percent"]
    site.advance(1)
    meter(site, outcome.transaction_id, soc_percent=50)
    site.advance(1)
    meter(site, outcome.transaction_id, energy_wh=1200)
    view = seen_by_driver(site, session)
    assert (view["limits_not_reported"], view["soc_percent"], view["energy_wh"]) == ([], 50, 200)


def seen_by_driver(site: Site, session: ChargingSession) -> dict[str, Any]:
    shown = views.session_detail(site.world.ctx, site.session(session.session_id))
    return {name: getattr(shown, name) for name in ("limits_not_reported", "soc_percent", "energy_wh")}


def test_a_charger_that_refuses_is_asked_again_but_not_with_every_frame(site: Site) -> None:
    session = request(site, Limits(energy_wh=100))
    outcome = site.start_from_app(meter_wh=1000)

    def refuse() -> None:
        site.world.commit(
            lambda uow: service.handle_remote_stop_answer(uow, session_id=session.session_id, accepted=False)
        )

    for number in range(4):
        meter(site, outcome.transaction_id, energy_wh=1200 + number)
        refuse()
        site.advance_s(STOP_TIMEOUT.total_seconds() / 3 + 1)
    assert len(asked(site, "stop_session")) == 2


def test_the_intent_names_the_limits_and_the_amount(site: Site) -> None:
    session = request(site, Limits(energy_wh=100, soc_percent=80), amount=700)
    assert asked(site, "start_session") == [
        {
            "evse_no": 1,
            "id_token": drivers.app_token(site.driver.driver_id),
            "remote_start_id": session.remote_start_id,
            "limits": {"energy_wh": 100, "soc_percent": 80, "cost": 700, "currency": "EUR"},
        }
    ]


@pytest.mark.parametrize("id_token", [OTHER_CARD, ""])
def test_a_charger_that_goes_on_although_it_was_told_not_to_is_told_to_stop_once(site: Site, id_token: str) -> None:
    outcome = site.start(id_token, meter_wh=1000)
    assert outcome.authorization.status == "invalid"
    site.meter(outcome.transaction_id, 1000)
    assert asked(site, "stop_session") == []
    site.meter(outcome.transaction_id, 1100)
    [session] = site.sessions()
    assert session.state == "stopping"
    site.world.commit(lambda uow: service.handle_remote_stop_answer(uow, session_id=session.session_id, accepted=False))
    site.advance(30)
    site.meter(outcome.transaction_id, 1200)
    assert len(asked(site, "stop_session")) == 1
    site.stop(outcome.transaction_id, 1300)
    assert [(s.state, s.energy_wh, s.captured) for s in site.sessions()] == [("settled", 300, 0)]


# -- a driver watches -------------------------------------------------------------------------------------------------


def look(site: Site, session: ChargingSession) -> None:
    now = site.session(session.session_id)
    reading = lookup.latest_reading(site.world.ctx, now)
    service.ask_for_fresh_values(site.world.ctx, now, reading)


def watched(site: Site) -> tuple[ChargingSession, int]:
    """A charge that runs, everything that was asked for done."""
    session = site.request(500)
    outcome = site.start_from_app(meter_wh=1000)
    settle_commands(site)
    site.advance_s(1)
    site.meter(outcome.transaction_id, 1100)
    return session, outcome.transaction_id


def settle_commands(site: Site, accepted: bool = True) -> None:
    """Sends what waits, and the charger answers."""
    ctx = site.world.ctx
    site.world.run_events({"command.queued": (ocpp.on_command_queued,)})
    link = chargers.get_link(ctx, "CP-001")
    if link is None or link.inflight_command_id is None:
        return
    command = chargers.get_command(ctx, link.inflight_command_id)
    assert command is not None
    site.world.commit(lambda uow: chargers.finish_command(uow, command, "accepted" if accepted else "rejected", {}))


def test_an_old_reading_is_refreshed_now_and_then(site: Site) -> None:
    session, transaction_id = watched(site)
    look(site, session)
    assert asked(site, "trigger_meter_values") == []
    site.advance_s(21)
    for _ in range(4):  # looked at every second
        look(site, session)
        settle_commands(site)
        site.advance_s(1)
    before = dict(site.world.engine.consumed)
    look(site, session)
    after = site.world.engine.consumed
    assert all(after[key] == before.get(key) for key in after if key[1] == "write"), "who looks too early pays nothing"
    assert asked(site, "trigger_meter_values") == [{"evse_no": 1, "transaction_id": transaction_id}]
    site.advance_s(15)
    look(site, session)
    assert len(asked(site, "trigger_meter_values")) == 2


def test_a_charger_that_knows_no_trigger_is_left_alone_for_a_while(site: Site) -> None:
    session, _ = watched(site)
    site.advance_s(21)
    look(site, session)
    site.world.commit(lambda uow: service.handle_trigger_answer(uow, session_id=session.session_id, accepted=False))
    settle_commands(site)
    for _ in range(9):
        site.advance(1)
        look(site, session)
    assert len(asked(site, "trigger_meter_values")) == 1
    site.advance(2)
    look(site, session)
    assert len(asked(site, "trigger_meter_values")) == 2


def test_a_charger_that_is_gone_or_busy_or_done_is_not_asked(site: Site) -> None:
    session, transaction_id = watched(site)
    site.advance_s(21)
    site.world.commit(lambda uow: chargers.close_connection(uow, "conn-1="))
    look(site, session)
    site.connect()
    charger_id = site.charger.charger_id
    site.world.commit(
        lambda uow: chargers.queue_command(
            uow, charger_id=charger_id, action="ClearCache", payload={}, requested_by="usr"
        )
    )
    look(site, session)
    settle_commands(site)
    site.stop(transaction_id, 1200)
    look(site, session)
    assert asked(site, "trigger_meter_values") == []


def test_two_who_look_at_one_moment_ask_once_and_neither_fails(site: Site) -> None:
    session, _ = watched(site)
    site.advance_s(21)
    seen = site.session(session.session_id)
    for _ in range(2):  # both have read the session before either has asked
        service.ask_for_fresh_values(site.world.ctx, seen, None)
        settle_commands(site)
    assert len(asked(site, "trigger_meter_values")) == 1


def test_stopping_is_a_matter_of_the_session_not_of_who_watched(site: Site) -> None:
    """The question writes to the session's row; what the session decides goes on from there."""
    session, transaction_id = watched(site)
    site.advance_s(21)
    look(site, session)
    settle_commands(site)
    site.stop(transaction_id, 1200)
    ended = site.session(session.session_id)
    assert (ended.state, ended.energy_wh) == ("settled", 200)
