"""Imports through REST: what lands, what is told by row, and what is not touched."""

from __future__ import annotations

import io
from typing import Any

import pytest
from openpyxl import load_workbook

from chalicelib.chargers import service as chargers
from chalicelib.drivers import service as drivers
from chalicelib.files.kinds import IMPORT_KINDS
from chalicelib.files.tabular import read_rows
from chalicelib.identity import service as identity
from chalicelib.kernel.errors import DomainError
from tests.unit.files.conftest import Files
from tests.world import table_definitions

CARDS = "id_token;note;expires_at\r\n0042AA;Dana's;2027-01-31\r\n0042BB;'=1+1;\r\n"
PLACE = "name,address,city,country,time_zone,latitude,longitude\r\n"


def stored(files: Files, *tables: str) -> list[Any]:
    """Everything in the tables of these capabilities."""
    return [
        files.world.engine.execute("Scan", {"TableName": definition["TableName"]})["Items"]
        for definition in table_definitions()
        if definition["TableName"].removeprefix("wattfare-") in tables
    ]


def codes(job: Any) -> list[tuple[int, str | None, str]]:
    return [(error["row"], error["column"], error["code"]) for error in job["errors"]]


@pytest.mark.parametrize("mode", ["all_or_nothing", "best_effort"])
def test_cards_land_as_the_endpoint_would_make_them(files: Files, mode: str) -> None:
    job = files.imported("id_tokens", CARDS, mode=mode)
    assert (job["state"], job["rows_total"], job["rows_ok"], job["rows_failed"], job["created"]) == ("done", 2, 2, 0, 2)
    card = files.get("/v1/id-tokens/0042AA").body
    assert (card["note"], card["expires_at"]) == ("Dana's", "2027-01-31T00:00:00Z")
    assert files.get("/v1/id-tokens/0042BB").body["note"] == "=1+1"
    assert job["finished_at"] is not None


def test_a_dry_run_reports_the_same_and_writes_nothing(files: Files) -> None:
    content = CARDS + "0042aa;;\r\nbad id;;\r\n;x;\r\n0042CC;;never\r\n"
    before = stored(files, "drivers", "chargers", "maintenance")
    dry = files.imported("id_tokens", content, dry_run=True)
    assert stored(files, "drivers", "chargers", "maintenance") == before
    real = files.imported("id_tokens", content, mode="best_effort")
    assert (
        codes(dry)
        == codes(real)
        == [
            (4, "id_token", "row.repeated"),
            (5, "id_token", "id_token.invalid"),
            (6, "id_token", "cell.missing"),
            (7, "expires_at", "cell.not_a_moment"),
        ]
    )
    assert (dry["rows_ok"], dry["rows_failed"], dry["created"], dry["state"]) == (2, 4, 0, "done")
    assert (real["rows_ok"], real["rows_failed"], real["created"], real["state"]) == (2, 4, 2, "done")


def test_all_or_nothing_writes_nothing_for_one_bad_row(files: Files) -> None:
    before = stored(files, "drivers")
    job = files.imported("id_tokens", CARDS + "bad id;;\r\n")
    assert (job["state"], job["failure"]["code"], job["created"]) == ("failed", "import.rows_invalid", 0)
    assert codes(job) == [(4, "id_token", "id_token.invalid")]
    assert stored(files, "drivers") == before


def test_a_number_that_exists_is_told_by_its_row(files: Files) -> None:
    files.imported("id_tokens", CARDS)
    job = files.imported("id_tokens", "id_token\r\nNEW1\r\n0042aa\r\n", mode="best_effort")
    assert (job["created"], [error["code"] for error in job["errors"]]) == (1, ["id_token.exists"])


def test_cards_for_drivers_of_the_list_and_of_nobody_else(files: Files) -> None:
    other = Files(files.world, files.world.operator())
    other.imported("drivers", "email,full_name\r\neve@driver.example,Eve\r\n")
    files.imported("drivers", "email,full_name\r\ndana@driver.example,Dana\r\n")
    content = "id_token,driver_email\r\nA1,DANA@driver.example\r\nA2,eve@driver.example\r\nA3,dana@driver.example\r\n"
    job = files.imported("id_tokens", content, mode="best_effort")
    assert codes(job) == [(3, "driver_email", "driver.unknown")]
    login = identity.find_login(files.world.ctx, "dana@driver.example")
    driver = drivers.require_driver(files.world.ctx, login.driver_id)  # type: ignore[union-attr, arg-type]
    assert driver.id_tokens == ["A1", "A3"]


def test_a_driver_gets_no_more_cards_than_one_may_have(files: Files) -> None:
    """Each card changes the driver's row: the later one is decided by what the earlier one left."""
    files.imported("drivers", "email,full_name\r\ndana@driver.example,Dana\r\n")
    rows = "".join(f"B{number},dana@driver.example\r\n" for number in range(42))
    job = files.imported("id_tokens", "id_token,driver_email\r\n" + rows, mode="best_effort")
    assert (job["rows_ok"], {code for _, _, code in codes(job)}) == (40, {"id_token.too_many"})


def test_drivers_in_any_script_sign_in_by_a_forgotten_password(files: Files) -> None:
    content = "email,full_name,city,notify\r\ndana@driver.example,دانا ,Zürich,\r\nli@driver.example,李小龙,,yes\r\n"
    job = files.imported("drivers", content)
    assert (job["state"], job["created"]) == ("done", 2)
    listed = files.get("/v1/drivers").body["data"]
    assert sorted((driver["full_name"], driver["city"]) for driver in listed) == [("دانا", "Zürich"), ("李小龙", None)]
    assert files.world.mails("dana@driver.example") == []
    assert len(files.world.mails("li@driver.example")) == 1
    files.world.rest.post("/v1/auth/verification-codes", {"email": "dana@driver.example", "purpose": "password_reset"})
    files.world.run_events()
    assert len(files.world.mails("dana@driver.example")) == 1


def test_an_address_that_is_a_drivers_is_refused(files: Files) -> None:
    content = "email,full_name\r\ndana@driver.example,Dana\r\n"
    files.imported("drivers", content)
    job = files.imported("drivers", content)
    assert codes(job) == [(2, "email", "driver.email_taken")]


def test_locations_and_chargers_at_them_by_name(files: Files) -> None:
    places = PLACE + "North,Nordweg 1,Kiel,DE,Europe/Berlin,54.3,10.1\r\nSouth,Südweg 1,Kiel,DE,Europe/Berlin,,\r\n"
    assert files.imported("locations", places)["created"] == 2
    content = "charger_id,serial_number,location,evse_count,password\r\nCP-1,001,North,2,\r\n"
    job = files.imported("chargers", content + "CP-2,002,north,1,my-own-password-of-24\r\nCP-3,,,,\r\n")
    assert (job["state"], job["created"]) == ("done", 3)
    charger = files.get("/v1/chargers/CP-1").body
    assert (charger["serial_number"], len(charger["evses"])) == ("001", 2)
    [north] = [p for p in files.get("/v1/locations").body["data"] if p["name"] == "North"]
    assert north["charger_count"] == 2
    assert charger["location_id"] == north["location_id"]


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        ("locations", PLACE + "N,a,c,DE,Europe/Bonn,,\r\n", (2, "time_zone", "time_zone.unknown")),
        ("locations", PLACE + "N,a,c,Germany,Europe/Berlin,,\r\n", (2, "country", "value.invalid")),
        ("locations", PLACE + "N,a,c,DE,Europe/Berlin,91,1\r\n", (2, "latitude", "value.invalid")),
        ("locations", PLACE + "N,a,c,DE,Europe/Berlin,51,\r\n", (2, None, "coordinates.incomplete")),
        ("chargers", "charger_id,location\r\nCP-1,Nowhere\r\n", (2, "location", "location.unknown")),
        ("chargers", "charger_id,location_id\r\nCP-1,loc_1\r\n", (2, None, "location.not_found")),
        ("chargers", "charger_id,evse_count\r\nCP-1,33\r\n", (2, "evse_count", "value.invalid")),
        ("chargers", "charger_id,evse_count\r\nCP-1,two\r\n", (2, "evse_count", "cell.not_a_number")),
        ("chargers", "charger_id\r\nC/P\r\n", (2, "charger_id", "value.invalid")),
        ("drivers", "email,full_name\r\nno address,Dana\r\n", (2, "email", "email.invalid")),
    ],
)
def test_what_the_endpoint_refuses_names_row_and_column(
    files: Files, kind: str, content: str, expected: tuple[int, str | None, str]
) -> None:
    assert codes(files.imported(kind, content)) == [expected]


def test_passwords_that_were_made_are_told_for_a_day_and_work(files: Files) -> None:
    content = "charger_id,password\r\nCP-1,\r\nCP-2,my-own-password-of-24\r\n"
    job = files.imported("chargers", content)
    address = f"/v1/imports/{job['import_id']}/result"
    first = files.get(address)
    assert first.headers["content-disposition"].endswith(f'chargers-{job["import_id"]}.csv"')
    rows = [list(row.cells) for row in read_rows(first.body.encode())]
    assert rows[0] == ["row", "charger_id", "password"]
    assert [row[:2] for row in rows[1:]] == [["2", "CP-1"], ["3", "CP-2"]]
    password = str(rows[1][2])
    assert rows[2][2] == ""
    charger = chargers.require_charger(files.world.ctx, "CP-1")
    assert password not in str(stored(files, "files"))
    assert files.get(address).body == first.body
    assert len(password) == 40
    assert charger.password_hash
    files.world.advance(24 * 3600)
    token = files.world.access_token(files.operator.user.email)
    assert files.get(address, token).body == "\ufeffrow,charger_id\r\n2,CP-1\r\n3,CP-2\r\n"


@pytest.mark.parametrize("kind", sorted(IMPORT_KINDS))
@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_a_template_can_be_imported_as_it_is(files: Files, kind: str, file_format: str) -> None:
    if kind == "chargers":
        files.imported("locations", PLACE + "Market square,a,Berlin,DE,Europe/Berlin,,\r\n")
    template = files.get(f"/v1/imports/templates/{kind}", format=file_format).body
    job = files.imported(kind, template)
    assert (job["state"], job["created"], job["format"]) == ("done", 1, file_format), job["errors"]
    if file_format == "xlsx":
        book = load_workbook(io.BytesIO(template))
        noted = [row[0].value for row in book["notes"].iter_rows(min_row=2)]
        assert noted == [column.name for column in IMPORT_KINDS[kind].columns]


def test_a_row_that_we_fail_on_is_reported_and_the_others_land(files: Files) -> None:
    """The driver of a login is gone from the store: a fault of ours, in one row."""
    files.imported("drivers", "email,full_name\r\ndana@driver.example,Dana\r\n")
    login = identity.find_login(files.world.ctx, "dana@driver.example")
    driver_id = login.driver_id  # type: ignore[union-attr]
    key = {"pk": {"S": f"driver#{driver_id}"}, "sk": {"S": "driver"}}
    item = {**key, "driver_id": {"S": str(driver_id)}}
    files.world.engine.execute("PutItem", {"TableName": "wattfare-drivers", "Item": item})
    content = "id_token,driver_email\r\nA1,\r\nA2,dana@driver.example\r\nA3,\r\n"
    job = files.imported("id_tokens", content, mode="best_effort")
    assert (job["state"], job["created"], codes(job)) == ("done", 2, [(3, None, "internal_error")])


def test_withdrawing_leaves_what_was_used(files: Files) -> None:
    """Chargers that connected, cards that were blocked, drivers with a card, locations with chargers."""
    world = files.world
    files.imported("locations", PLACE + "North,a,Kiel,DE,Europe/Berlin,,\r\n")
    files.imported("chargers", "charger_id,location\r\nCP-1,North\r\n")
    files.imported("drivers", "email,full_name\r\ndana@driver.example,Dana\r\n")
    files.imported("id_tokens", "id_token,driver_email\r\nA1,dana@driver.example\r\nA2,\r\n")
    world.commit(
        lambda uow: chargers.open_connection(uow, chargers.require_charger(world.ctx, "CP-1"), "c=", "ocpp1.6")
    )
    files.world.rest.patch("/v1/id-tokens/A2", {"status": "blocked"}, token=files.operator.access_token)
    location_id = files.get("/v1/locations").body["data"][0]["location_id"]
    driver_id = files.get("/v1/drivers").body["data"][0]["driver_id"]
    for kind, object_id in [
        ("chargers", "CP-1"),
        ("id_tokens", "A2"),
        ("drivers", driver_id),
        ("locations", location_id),
    ]:
        with pytest.raises(DomainError, match=r"import\.not_undone"):
            world.commit(lambda uow, kind=kind, name=object_id: IMPORT_KINDS[kind].take_back(uow, name))


def test_withdrawing_leaves_nothing_behind(files: Files) -> None:
    """After it every table is as it was."""
    tables = ("chargers", "connections", "drivers", "identity")
    files.imported("locations", PLACE + "North,a,Kiel,DE,Europe/Berlin,,\r\n")
    before = stored(files, *tables)
    files.imported("chargers", "charger_id,location,serial_number,evse_count\r\nCP-1,North,77,3\r\n")
    files.imported("drivers", "email,full_name\r\ndana@driver.example,Dana\r\n")
    driver_id = files.get("/v1/drivers").body["data"][0]["driver_id"]
    files.imported("id_tokens", "id_token\r\nA1\r\n")
    for kind, object_id in [("chargers", "CP-1"), ("id_tokens", "A1"), ("drivers", driver_id)]:
        for _ in range(2):
            files.world.commit(lambda uow, kind=kind, name=object_id: IMPORT_KINDS[kind].take_back(uow, name))
    after = stored(files, *tables)
    assert [without_log(table) for table in after] == [without_log(table) for table in before]


def without_log(items: list[Any]) -> list[Any]:
    """Without the audit log, and by key."""
    kept = [item for item in items if not item["pk"]["S"].startswith("audit")]
    return sorted(kept, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


def test_rows_with_a_wrong_form_or_country_are_told_in_words(files: Files) -> None:
    content = PLACE + "N,a,c,Germany,Europe/Berlin,,\r\nM,a,c,ZZ,Europe/Berlin,,\r\n"
    job = files.imported("locations", content)
    assert codes(job) == [(2, "country", "value.invalid"), (3, "country", "country.unknown")]
    assert not any("regex" in error["detail"] for error in job["errors"])
