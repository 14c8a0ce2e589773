"""Connections come, go, and are replaced; the link knows which one lives."""

from __future__ import annotations

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger
from chalicelib.kernel.errors import StaleRead
from chalicelib.kernel.unit_of_work import UnitOfWork
from tests.unit.chargers.conftest import Site


def test_a_registered_charger_is_not_connected_before_it_is(site: Site) -> None:
    assert not site.link.is_connected
    assert site.link.last_seen_at is None
    assert not site.link.is_online(site.world.ctx.now())


def test_connect_and_disconnect(site: Site) -> None:
    site.connect("ws-1")
    now = site.world.ctx.now()
    assert (site.link.connection_id, site.link.protocol, site.link.last_seen_at) == ("ws-1", "ocpp1.6", now)
    site.world.advance(10)
    closed = site.disconnect("ws-1")
    assert closed.charger_id == "CP-1"
    assert site.link.connection_id is None
    assert site.link.disconnected_at == site.world.ctx.now()


def test_the_last_connection_wins_and_a_late_goodbye_of_an_older_one_changes_nothing(site: Site) -> None:
    """citrineos#190, EVtivity: the close of the replaced socket must not unregister the live one."""
    site.connect("ws-1")
    site.connect("ws-2")
    assert site.disconnect("ws-1") is None
    assert site.link.connection_id == "ws-2"
    assert site.link.disconnected_at is None


def test_a_reconnect_between_the_decision_and_the_commit_of_a_goodbye_wins(site: Site) -> None:
    site.connect("ws-1")
    late = UnitOfWork(site.world.ctx)
    chargers.close_connection(late, "ws-1")
    site.connect("ws-2")
    with pytest.raises(StaleRead):
        late.commit()
    assert site.disconnect("ws-1") is None, "decided again, it is not the live one any more"
    assert site.link.connection_id == "ws-2"


def test_goodbyes_of_strangers_and_second_goodbyes(site: Site) -> None:
    assert site.disconnect("never-seen") is None
    site.connect("ws-1")
    assert site.disconnect("ws-1") is not None
    assert site.disconnect("ws-1") is None


def test_reconnecting_clears_the_disconnection(site: Site) -> None:
    site.connect("ws-1")
    site.disconnect("ws-1")
    site.connect("ws-2")
    assert site.link.disconnected_at is None


def test_frames_find_their_charger_also_after_the_close(site: Site) -> None:
    site.connect("ws-1")
    connection = chargers.find_connection(site.world.ctx, "ws-1")
    assert connection is not None
    assert (connection.charger_id, connection.operator_id, connection.protocol) == ("CP-1", "org_1", "ocpp1.6")
    assert chargers.find_connection(site.world.ctx, "ws-2") is None
    site.disconnect("ws-1")
    assert chargers.find_connection(site.world.ctx, "ws-1") is connection


def test_a_connection_unknown_at_first_is_found_once_it_is_there(site: Site) -> None:
    assert chargers.find_connection(site.world.ctx, "ws-1") is None
    site.connect("ws-1")
    assert chargers.find_connection(site.world.ctx, "ws-1") is not None


def test_touch_moves_last_seen_and_brings_the_link(site: Site) -> None:
    site.connect("ws-1")
    now = site.world.clock.advance(100)
    link = chargers.touch(site.world.ctx, "cp-1", now)
    assert link == site.link
    assert link is not None
    assert link.last_seen_at == now


def test_touch_of_an_unknown_charger_makes_no_row(site: Site) -> None:
    assert chargers.touch(site.world.ctx, "CP-9", site.world.ctx.now()) is None
    assert chargers.get_link(site.world.ctx, "CP-9") is None


def test_online_means_heard_within_two_heartbeats(site: Site) -> None:
    site.connect("ws-1")
    now = site.world.ctx.now()
    assert site.link.is_online(now)
    assert site.link.is_online(site.world.clock.advance(2 * 540 + 60))
    assert not site.link.is_online(site.world.clock.advance(1))


def test_the_scan_sees_links_of_everybody_and_no_connections(site: Site) -> None:
    other = Charger("CP-2", "org_2", 1, "", site.world.ctx.now())
    site.world.commit(lambda uow: chargers.register_charger(uow, other, None))
    site.connect("ws-1")
    assert {link.charger_id for link in chargers.scan_links(site.world.ctx)} == {"CP-1", "CP-2"}
