"""What drivers find around them, and that the index follows the locations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger, Location
from chalicelib.chargers.model.geo import Point
from chalicelib.chargers.service import nearby
from chalicelib.kernel.errors import StaleRead
from chalicelib.kernel.unit_of_work import UnitOfWork
from tests.site import CHARGER_ID, Site, build_site
from tests.unit.chargers.around import BERLIN, away
from tests.world import Reply, World


@dataclass
class Visited(Site):
    """`token`: the driver's sign-in."""

    token: str = ""


@pytest.fixture
def site(world: World) -> Visited:
    built = build_site(world)
    return Visited(**vars(built), token=world.driver_token(built.driver.driver_id))


# -- a search -----------------------------------------------------------------------------------------------------


def add_place(site: Visited, name: str, point: Point, charger_count: int = 1, **fields: Any) -> Location:
    """Another location of the site's operator, with chargers that are only counted."""
    site.advance_s(1)  # what happens in one millisecond has no order
    place = replace(
        site.location,
        location_id=site.world.ctx.new_id("loc"),
        name=name,
        latitude=f"{point.latitude:.7f}",
        longitude=f"{point.longitude:.7f}",
        charger_count=charger_count,
        **fields,
    )
    site.world.commit(lambda uow: chargers.add_location(uow, place))
    return place


def move(site: Visited, point: Point | None) -> Reply:
    coordinates = point and {"latitude": f"{point.latitude:.7f}", "longitude": f"{point.longitude:.7f}"}
    path = f"/v1/locations/{site.location.location_id}"
    return site.world.rest.patch(path, {"coordinates": coordinates}, token=site.operator.access_token)


def look(site: Visited, centre: Point = BERLIN, **query: Any) -> Reply:
    where = {"latitude": str(centre.latitude), "longitude": str(centre.longitude)}
    asked = where | {name: str(value) for name, value in query.items()}
    return site.world.rest.get("/v1/driver/locations", token=site.token, query=asked)


def names(site: Visited, centre: Point = BERLIN, **query: Any) -> list[str]:
    reply = look(site, centre, **query)
    assert reply.status == 200, reply.body
    return [found["name"] for found in reply.body["data"]]


def test_locations_are_found_nearest_first_within_the_radius(site: Visited) -> None:
    add_place(site, "far", away(BERLIN, 1, 9_900))
    add_place(site, "near", away(BERLIN, 4, 100))
    add_place(site, "beyond", away(BERLIN, 2, 10_100))
    assert names(site) == ["near", "far"]
    assert names(site, radius_km=12.5) == ["near", "far", "beyond"]
    assert names(site, radius_km=1) == ["near"]
    [near, far] = look(site).body["data"]
    assert (near["distance_m"], far["distance_m"]) == (100, 9_900)


@pytest.mark.parametrize("centre", [Point(-17.7, 179.99), Point(-17.7, -179.99), Point(89.99, 10), Point(-89.99, 0)])
def test_the_date_line_and_the_poles_are_places_like_others(site: Visited, centre: Point) -> None:
    for number in range(4):
        add_place(site, str(number), away(centre, number * 1.57, 5_000 + number * 100))
    assert names(site, centre) == ["0", "1", "2", "3"]


def test_operators_do_not_matter(site: Visited) -> None:
    add_place(site, "ours", away(BERLIN, 1, 200))
    other = site.world.operator("Ladenetz Süd")
    add_place(site, "theirs", away(BERLIN, 1, 100), operator_id=other.operator_id)
    found = look(site).body["data"]
    assert [(place["name"], place["operator_name"]) for place in found] == [
        ("theirs", "Ladenetz Süd"),
        ("ours", site.operator.organization.name),
    ]


def test_without_chargers_it_is_no_place_for_drivers(site: Visited) -> None:
    empty = add_place(site, "empty", BERLIN, charger_count=0)
    assert names(site) == []
    assert place_of(site, empty.location_id).status == 404


def pages(site: Visited, **query: Any) -> Iterator[list[str]]:
    cursor: dict[str, Any] = {}
    while True:
        body = look(site, **query, **cursor).body
        yield [found["name"] for found in body["data"]]
        assert body["has_more"] is (body["next_cursor"] is not None)
        if not body["has_more"]:
            return
        cursor = {"cursor": body["next_cursor"]}


def test_pages_follow_each_other_also_at_one_distance(site: Visited) -> None:
    for number in range(5):
        add_place(site, str(number), away(BERLIN, 1, 100 if number < 4 else 200))
    assert list(pages(site, limit=2)) == [["0", "1"], ["2", "3"], ["4"]]
    assert list(pages(site, limit=5)) == [["0", "1", "2", "3", "4"]]


def test_where_many_stand_around_the_nearest_are_found(site: Visited) -> None:
    for number, how_far in enumerate((300, 2_000, 4_000, 8_000, 16_000)):
        add_place(site, str(number), away(BERLIN, 0, how_far))

    def search(radius_m: float, most: int) -> tuple[list[str], float]:
        options: dict[str, Any] = {"limit": 10, "cursor": None, "max_examined": most}
        found = nearby.find_nearby(site.world.ctx, BERLIN, radius_m, **options)
        return [near.location.name for near in found.page.data], found.radius_m

    assert search(20_000, 5) == (["0", "1", "2", "3", "4"], 20_000)
    assert search(20_000, 3) == (["0", "1", "2"], 5_000)
    assert search(20_000, 1) == (["0"], 1_250)
    assert search(3_000, 3) == (["0", "1"], 3_000)
    assert look(site, radius_km=3).body["radius_km"] == 3


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"radius_km": "51"}, "/radius_km"),
        ({"radius_km": "0.5"}, "/radius_km"),
        ({"latitude": "90.1"}, "/latitude"),
        ({"longitude": "nan"}, "/longitude"),
        ({"limit": "101"}, "/limit"),
    ],
)
def test_a_search_that_is_none_is_told(site: Visited, query: dict[str, str], pointer: str) -> None:
    asked = {"latitude": "1", "longitude": "1"} | query
    reply = site.world.rest.get("/v1/driver/locations", token=site.token, query=asked)
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, pointer)


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "eyJwayI6eyJTIjoiYSJ9fQ",  # {"pk":{"S":"a"}}
        "eyJkaXN0YW5jZV9tIjp7Ik4iOiJ4In0sImxvY2F0aW9uX2lkIjp7IlMiOiJhIn19",  # {"distance_m":{"N":"x"},…
    ],
)
def test_a_cursor_of_another_list_is_refused(site: Visited, cursor: str) -> None:
    reply = look(site, cursor=cursor)
    assert (reply.status, reply.body["code"]) == (400, "cursor.invalid")


# -- the index follows the location -------------------------------------------------------------------------------


def test_a_location_is_found_where_it_is_now(site: Visited) -> None:
    paris = Point(48.8566, 2.3522)
    assert names(site) == []
    assert move(site, BERLIN).status == 200
    assert names(site) == ["Market square"]
    move(site, paris)
    assert (names(site), names(site, paris)) == ([], ["Market square"])
    move(site, None)
    assert names(site, paris) == []


def test_a_closed_location_is_not_found_until_it_opens_again(site: Visited) -> None:
    location_id, token = add_place(site, "Depot", BERLIN, charger_count=0).location_id, site.operator.access_token
    path, ctx = f"/v1/locations/{location_id}", site.world.ctx

    def entries() -> list[str]:
        return [spot.location_id for spot in nearby._entries(ctx, BERLIN, 1_000)]

    assert entries() == [location_id]
    assert site.world.rest.delete(path, token=token).status == 204
    assert entries() == []
    harbour = {"coordinates": {"latitude": "52.5200001", "longitude": "13.405"}}
    assert site.world.rest.patch(path, harbour, token=token).status == 200
    assert entries() == []
    assert site.world.rest.post(f"{path}/restore", token=token).status == 200
    assert entries() == [location_id]


def test_an_entry_that_the_index_has_not_changed_yet_is_passed_over(site: Visited) -> None:
    """It is written a moment after the row (DynamoDB's global indexes are eventually consistent)."""
    place = add_place(site, "Depot", BERLIN)
    [entry] = list(nearby._entries(site.world.ctx, BERLIN, 1_000))
    known = [(0, place.location_id, entry.spot)]
    assert [near.location.name for near, _ in nearby._read(site.world.ctx, known)] == ["Depot"]
    site.world.commit(lambda uow: chargers.change_location(uow, place, {"latitude": "52.6"}))
    assert list(nearby._read(site.world.ctx, known)) == []


def test_who_moves_a_location_while_it_is_closed_decides_again(site: Visited) -> None:
    place = add_place(site, "Depot", BERLIN, charger_count=0)
    moving, opening = UnitOfWork(site.world.ctx), UnitOfWork(site.world.ctx)
    chargers.change_location(moving, place, {"latitude": "1", "longitude": "1"})
    closed = site.world.commit(lambda uow: chargers.close_location(uow, place))
    with pytest.raises(StaleRead):
        moving.commit()
    chargers.restore_location(opening, closed)
    site.world.commit(lambda uow: chargers.change_location(uow, closed, {"latitude": "2", "longitude": "2"}))
    with pytest.raises(StaleRead):
        opening.commit()


# -- what a driver sees -------------------------------------------------------------------------------------------


def report(site: Visited, evse_no: int, status: str) -> None:
    site.world.commit(lambda uow: chargers.record_status(uow, CHARGER_ID, evse_no, status, "NoError"))


def place_of(site: Visited, location_id: str) -> Reply:
    return site.world.rest.get(f"/v1/driver/locations/{location_id}", token=site.token)


def test_a_location_says_what_is_free(site: Visited) -> None:
    move(site, BERLIN)
    report(site, 1, "Available")
    report(site, 2, "SuspendedEV")
    [found] = look(site).body["data"]
    assert found["connectors"] == {"available": 1, "total": 2, "statuses": {"AVAILABLE": 1, "CHARGING": 1}}
    assert (found["status"], found["charger_count"], found["app_charging"]) == ("CHARGING", 1, True)
    assert found["coordinates"] == {"latitude": "52.5200000", "longitude": "13.4050000"}


def test_a_location_for_cards_alone_says_so(site: Visited) -> None:
    move(site, BERLIN)
    site.world.commit(lambda uow: chargers.change_charger(uow, site.charger, {"charge_with_qr": False}))
    [found] = look(site).body["data"]
    assert found["app_charging"] is False
    body = place_of(site, site.location.location_id).body
    assert (body["app_charging"], body["chargers"][0]["may_start"]) == (False, False)


def test_a_location_shows_its_chargers_as_they_are_now(site: Visited) -> None:
    location_id = site.location.location_id
    report(site, 1, "Available")
    body = place_of(site, location_id).body
    [charger] = body["chargers"]
    codes = [evse.code for evse in chargers.list_evses(site.world.ctx, CHARGER_ID)]
    assert (charger["charger_id"], charger["online"], charger["may_start"]) == (CHARGER_ID, True, True)
    assert [tuple(connector.values()) for connector in charger["connectors"]] == [
        (1, "A", "AVAILABLE", codes[0]),
        (2, "B", "UNKNOWN", codes[1]),
    ]
    assert (body["operator_name"], body["location"]["name"]) == (site.operator.organization.name, "Market square")
    report(site, 1, "Faulted")
    [charger] = place_of(site, location_id).body["chargers"]
    assert charger["connectors"][0]["status"] == "OUTOFORDER"


def test_a_charger_that_came_after_the_map_was_made_is_shown(site: Visited) -> None:
    location_id = site.location.location_id
    assert len(place_of(site, location_id).body["chargers"]) == 1
    new = Charger("CP-002", site.charger.operator_id, 1, "", site.world.clock.now())
    charger, _, _ = site.world.commit(lambda uow: chargers.register_charger(uow, new, None))
    site.world.commit(lambda uow: chargers.place_charger(uow, charger, site.location))
    assert [c["charger_id"] for c in place_of(site, location_id).body["chargers"]] == [CHARGER_ID, "CP-002"]


@pytest.mark.parametrize("location_id", ["loc_unknown", "x" * 3000])
def test_a_location_that_is_not_there_is_not_found(site: Visited, location_id: str) -> None:
    reply = place_of(site, location_id)
    assert (reply.status, reply.body["code"]) == (404, "location.not_found")


# -- photos -------------------------------------------------------------------------------------------------------


def set_photos(site: Visited, photos: Any) -> Reply:
    path = f"/v1/locations/{site.location.location_id}"
    return site.world.rest.patch(path, {"photos": photos}, token=site.operator.access_token)


def test_drivers_see_the_photos_of_a_location_everywhere(site: Visited) -> None:
    move(site, BERLIN)
    photos = [
        {"url": "https://bücher.example/tür.jpg", "caption": "入口"},
        {"url": "https://p.example", "caption": None},
    ]
    assert set_photos(site, photos).body["photos"] == photos
    location_id = site.location.location_id
    assert look(site).body["data"][0]["photos"] == photos
    assert place_of(site, location_id).body["location"]["photos"] == photos
    scanned = site.world.rest.get(f"/v1/driver/chargers/{CHARGER_ID}", token=site.token).body
    assert scanned["location"]["photos"] == photos
    assert names(site) == ["Market square"]
    assert set_photos(site, None).body["photos"] == []
    assert place_of(site, location_id).body["location"]["photos"] == []


@pytest.mark.parametrize(
    ("photos", "pointer"),
    [
        ([{"url": "http://p.example/x.jpg"}], "/photos/0/url"),
        ([{"url": "https://p.example"}, {"url": "javascript:alert(1)"}], "/photos/1/url"),
        ([{"url": "https:///x.jpg"}], "/photos/0/url"),
        ([{"url": 'https://p.example/"onerror='}], "/photos/0/url"),
        ([{"url": "https://p.example/\n"}], "/photos/0/url"),
        ([{"url": "https://p.example/" + "x" * 490}], "/photos/0/url"),
        ([{"url": "https://p.example", "caption": "x" * 201}], "/photos/0/caption"),
        ([{"url": "https://p.example"}] * 11, "/photos"),
    ],
)
def test_what_is_no_photo_is_refused(site: Visited, photos: Any, pointer: str) -> None:
    reply = set_photos(site, photos)
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, pointer)
    location = chargers.get_location(site.world.ctx, site.location.location_id)
    assert location is not None
    assert location.photos == []


def test_a_search_needs_a_driver(site: Visited) -> None:
    query = {"latitude": "1", "longitude": "1"}
    reply = site.world.rest.get("/v1/driver/locations", token=site.operator.access_token, query=query)
    assert reply.status == 403
