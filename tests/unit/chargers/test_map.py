"""The map: what a pin says, and that looking at it again and again costs little."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Evse, Location
from chalicelib.chargers.model.map import evse_status, in_box, parse_box, pin_of
from tests.site import CHARGER_ID, Site, build_site
from tests.world import World

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def site(world: World) -> Site:
    return build_site(world)


def location(latitude: str | None, longitude: str | None) -> Location:
    return Location("loc_1", "org_1", "N", "A", "C", "DE", "Europe/Berlin", NOW, latitude=latitude, longitude=longitude)


@pytest.mark.parametrize(
    ("word", "is_online", "expected"),
    [
        ("Available", True, "AVAILABLE"),
        ("SuspendedEV", True, "CHARGING"),
        ("Occupied", True, "CHARGING"),
        ("Reserved", True, "RESERVED"),
        ("Unavailable", True, "INOPERATIVE"),
        ("Faulted", True, "OUTOFORDER"),
        (None, True, "UNKNOWN"),
        ("Sleeping", True, "UNKNOWN"),
        ("Available", False, "UNKNOWN"),
    ],
)
def test_words_of_chargers_become_those_of_ocpi(word: str | None, is_online: bool, expected: str) -> None:
    assert evse_status(Evse("CP-1", 1, status=word), is_online) == expected


@pytest.mark.parametrize(
    ("box", "place", "inside"),
    [
        ("5,45,15,55", ("52.5", "13.4"), True),
        ("5,45,13,55", ("52.5", "13.4"), False),
        ("170,-50,-170,-10", ("-17.7", "178.0"), True),
        ("170,-50,-170,-10", ("-17.7", "-178.0"), True),
        ("170,-50,-170,-10", ("-17.7", "160.0"), False),
        ("5,45,15,55", (None, None), False),
    ],
)
def test_a_box_may_cross_the_date_line(box: str, place: tuple[str | None, str | None], inside: bool) -> None:
    assert in_box(location(*place), parse_box(box)) is inside


@pytest.mark.parametrize(
    "text", ["", "1,2,3", "a,b,c,d", "0,10,0,-10", "0,-91,0,0", "nan,0,0,0", "181,0,0,0", "1,2,3,4,5"]
)
def test_what_is_no_box_is_refused(text: str) -> None:
    assert parse_box(text) is None


def test_a_location_without_chargers_is_planned() -> None:
    assert pin_of(location("1", "1"), []).status == "PLANNED"


def put_on_the_map(site: Site) -> None:
    site.world.commit(
        lambda uow: chargers.change_location(uow, site.location, {"latitude": "52.52", "longitude": "13.405"})
    )


def report(site: Site, evse_no: int, status: str) -> None:
    site.world.commit(lambda uow: chargers.record_status(uow, CHARGER_ID, evse_no, status, "NoError"))


def look(site: Site, **options: Any) -> Any:
    return site.world.rest.get("/v1/map", token=site.operator.access_token, **options)


def test_a_pin_has_the_worst_status_of_its_connectors(site: Site) -> None:
    put_on_the_map(site)
    report(site, 1, "Available")
    report(site, 2, "Faulted")
    reply = look(site)
    assert reply.headers["content-type"] == "application/geo+json"
    [feature] = reply.body["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [13.405, 52.52]}
    assert feature["properties"]["status"] == "OUTOFORDER"
    assert feature["properties"]["statuses"] == {"AVAILABLE": 1, "OUTOFORDER": 1}
    assert (feature["properties"]["charger_count"], feature["properties"]["online_count"]) == (1, 1)
    assert reply.body["summary"] == {"OUTOFORDER": 1}


def test_locations_without_coordinates_are_counted(site: Site) -> None:
    assert look(site).body["features"] == []
    assert look(site).body["unmapped_count"] == 1


def test_polling_reads_nothing_for_a_few_seconds_and_sends_nothing_while_nothing_changes(site: Site) -> None:
    put_on_the_map(site)
    report(site, 1, "Available")
    first = look(site)
    known = {"If-None-Match": first.headers["etag"]}
    report(site, 1, "Faulted")
    within = look(site, headers=known)
    assert (within.status, within.body) == (304, None)
    site.advance_s(6)
    later = look(site, headers=known)
    assert later.status == 200
    assert later.headers["etag"] != first.headers["etag"]
    assert later.headers["cache-control"].startswith("private, max-age=")


def test_a_box_that_is_none_is_told(site: Site) -> None:
    reply = look(site, query={"bbox": "1,2,3"})
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/bbox")


def test_those_above_see_the_maps_of_all_operators_below(world: World, site: Site) -> None:
    put_on_the_map(site)
    seen = world.rest.get("/v1/map", token=world.platform_admin()).body
    assert [feature["properties"]["operator_id"] for feature in seen["features"]] == [site.operator.operator_id]
    assert world.rest.get("/v1/map", token=world.operator().access_token).body["features"] == []
