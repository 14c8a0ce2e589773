"""Exports: what the list shows, to whom it is shown, as a file."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from openpyxl import load_workbook

from chalicelib.files import jobs, service
from chalicelib.files.lists import EXPORT_KINDS
from chalicelib.files.model import Part
from chalicelib.files.store import EXPORTS, export_key
from chalicelib.identity import service as identity
from chalicelib.identity.store import USERS
from chalicelib.kernel.outbox import Event
from tests.site import CHARGER_ID, Site
from tests.unit.files.conftest import Files
from tests.unit.files.test_imports_api import user_in
from tests.unit.identity.narrowed import narrowed_token

PLACE = "name,address,city,country,time_zone\r\nNorth,Nordweg 1,Kiel,DE,Europe/Berlin\r\n"


@pytest.fixture
def site_files(site: Site) -> Files:
    """The files of an operator where a driver charged."""
    outcome = site.start(meter_wh=1000)
    site.advance(10)
    site.stop(outcome.transaction_id or 0, 11_000)
    site.world.run_events()
    return Files(site.world, site.operator)


def test_sessions_with_their_money_and_both_clocks(site_files: Files, site: Site) -> None:
    export = site_files.exported("sessions")
    assert (export["state"], export["rows"], export["parts"]) == ("done", 1, [{"part": 1, "rows": 1}])
    [row] = site_files.table(export)
    [session] = site.sessions()
    assert (row["order_no"], row["charger_id"], row["energy_wh"]) == (session.order_no, CHARGER_ID, "10000")
    assert (row["cost"], row["cost_currency"]) == ("3.50", "EUR")
    assert (row["location_id"], row["location_name"]) == (site.location.location_id, "Market square")
    assert session.started_at is not None
    assert row["started_utc"] == f"{session.started_at:%Y-%m-%dT%H:%M:%S}Z"
    assert row["started_local"] == f"{session.started_at.replace(hour=9):%Y-%m-%dT%H:%M:%S}"
    reply = site_files.file(export)
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    assert reply.headers["content-disposition"] == 'attachment; filename="sessions-2026-03-02.csv"'


def test_the_same_as_a_workbook_has_numbers_and_dates(site_files: Files) -> None:
    export = site_files.exported("sessions", format="xlsx")
    book = load_workbook(io.BytesIO(site_files.file(export).body))
    head, row = ([cell.value for cell in cells] for cells in book["data"].iter_rows())
    shown = dict(zip(head, row, strict=True))
    assert (shown["energy_wh"], float(shown["cost"])) == (10_000, 3.5)
    assert isinstance(shown["started_utc"], datetime)
    assert (shown["started_local"] - shown["started_utc"]).total_seconds() == 3600


@pytest.mark.parametrize(
    ("filters", "rows"),
    [
        ({"charger_id": CHARGER_ID}, 1),
        ({"charger_id": "CP-OTHER"}, 0),
        ({"evse_no": 1, "date_from": "2026-03-02T00:00:00Z", "date_to": "2026-03-03T00:00:00Z"}, 1),
        ({"evse_no": "2"}, 0),
        ({"date_to": "2026-03-02T00:00:00Z"}, 0),
        ({"state": "settled", "payment_status": "paid"}, 1),
    ],
)
def test_filters_are_those_of_the_list(site_files: Files, filters: dict[str, Any], rows: int) -> None:
    export = site_files.exported("sessions", filters=filters)
    assert (export["state"], export["rows"], export["filters"]) == ("done", rows, filters)


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"kind": "meters"}, 422, "/kind"),
        ({"kind": "sessions", "format": "ods"}, 422, "/format"),
        ({"kind": "sessions", "filters": {"date_from": "yesterday"}}, 422, "/filters/date_from"),
        ({"kind": "sessions", "filters": {"date_from": "9999-12-31T23:59:59Z"}}, 422, "/filters/date_from"),
        ({"kind": "sessions", "filters": {"colour": "red"}}, 422, "/filters/colour"),
        ({"kind": "sessions", "filters": {"limit": 5}}, 422, "/filters/limit"),
        ({"kind": "wallet_transactions"}, 422, "/filters/driver_id"),
        ({"kind": "wallet_transactions", "filters": {"driver_id": "drv_1"}}, 404, None),
        ({"kind": "sessions", "operator_id": "org_1"}, 404, None),
        ({"kind": "wallet_transactions", "operator_id": "org_1", "filters": {"driver_id": "x"}}, 404, None),
    ],
)
def test_what_is_wrong_is_told_at_once(files: Files, body: Any, status: int, pointer: str | None) -> None:
    reply = files.post("/v1/exports", body)
    assert reply.status == status, reply.body
    if pointer is not None:
        assert reply.body["errors"][0]["pointer"] == pointer
    assert files.get("/v1/exports").body["data"] == []


@pytest.mark.parametrize("kind", ["sessions", "cdrs", "wallet_transactions", "chargers"])
def test_in_both_forms(site_files: Files, site: Site, kind: str) -> None:
    filters: dict[str, Any] = {"driver_id": site.driver.driver_id} if kind == "wallet_transactions" else {}
    if kind == "cdrs":
        filters = {"business_day": "2026-03-02"}
    for file_format in ("csv", "xlsx"):
        export = site_files.exported(kind, format=file_format, filters=filters)
        assert (export["state"], export["rows"] > 0) == ("done", True), export
        assert site_files.file(export).status == 200


def test_no_two_columns_of_a_file_have_one_name() -> None:
    for kind, listing in EXPORT_KINDS.items():
        names = [column.name for column in listing.columns]
        assert len(set(names)) == len(names), kind


def test_texts_that_look_like_formulas_come_out_guarded(files: Files) -> None:
    files.imported("id_tokens", "id_token,note\r\n0042,'=1+1\r\n=CMD,\r\n")
    rows = files.table(files.exported("id_tokens"))
    assert [(row["id_token"], row["note"]) for row in rows] == [("0042", "'=1+1"), ("'=CMD", "")]


def test_an_export_shows_what_its_asker_sees(site: Site) -> None:
    """An agency's has its own locations only; and nobody else of the organisation fetches somebody's export."""
    world, files = site.world, Files(site.world, site.operator)
    agency_id, agency = agency_of(files)
    files.imported(
        "locations", PLACE.replace("time_zone", "time_zone,agency_id").replace("Berlin\r", f"Berlin,{agency_id}\r")
    )
    assert {row["name"] for row in files.table(files.exported("locations"))} == {"North", "Market square"}
    export = files.exported("locations", token=agency)
    assert [row["name"] for row in files.table(export, agency)] == ["North"]
    assert files.exported("chargers", token=agency)["rows"] == 0
    assert files.file(export).status == 404
    assert files.get(f"/v1/exports/{export['export_id']}", world.operator().access_token).status == 404
    assert export["export_id"] in [entry["export_id"] for entry in files.get("/v1/exports", agency).body["data"]]
    assert len(files.get("/v1/exports").body["data"]) == 1


def agency_of(files: Files) -> tuple[str, str]:
    """An agency below the operator: its id, and its administrator's access token."""
    email = "ada@agency.example"
    new = identity.NewOrganization(
        name="Agency",
        email=email,
        currency="EUR",
        time_zone="Europe/Berlin",
        admin=identity.NewUser(email=email, full_name="Ada"),
    )
    parent = identity.get_organization(files.world.ctx, files.operator.operator_id)
    organization, _ = files.world.commit(lambda uow: identity.create_organization(uow, new, parent))
    return organization.organization_id, files.world.access_token(email)


def test_needs_the_permission_of_the_list_besides(files: Files) -> None:
    support = user_in(files, "support")
    assert files.post("/v1/exports", {"kind": "drivers"}, support).status == 202
    assert files.post("/v1/exports", {"kind": "audit_events"}, support).status == 403
    engineer = user_in(files, "om_engineer")
    assert files.post("/v1/exports", {"kind": "chargers"}, engineer).status == 403


def test_a_long_list_is_read_in_turns_and_comes_in_parts(files: Files) -> None:
    rows = "".join(f"C{number:05},{'x' * 90}\r\n" for number in range(2_500))
    files.imported("id_tokens", "id_token,note\r\n" + rows, mode="best_effort")
    begun = files.post("/v1/exports", {"kind": "id_tokens"}).body
    [event] = [event for event in files.world.pending_events() if event.type == "export.queued"]
    jobs.on_export_queued(files.world.ctx, event)
    between = job_of(files, begun["export_id"])
    assert (between.state, between.rows, between.turn) == ("running", 1_000, 1)
    jobs.on_export_queued(files.world.ctx, event)
    assert job_of(files, begun["export_id"]) == between
    assert files.file(begun).body["code"] == "export.not_done"
    files.world.run_events()
    done = files.get(f"/v1/exports/{begun['export_id']}").body
    assert (done["state"], done["rows"]) == ("done", 2_500)
    assert [row["id_token"] for row in files.table(done)] == [f"C{number:05}" for number in range(2_500)]
    assert files.file(done, part=2).status == 422
    whole = job_of(files, begun["export_id"])
    chunks = whole.next_chunk
    assert chunks >= 3
    split = [Part(0, 1, 1_000, 1), Part(1, chunks - 1, 1_500, 1)]
    files.world.commit(lambda uow: uow.put(EXPORTS, replace(whole, parts=split)))
    found = [line for part in (1, 2) for line in str(files.file(done, part=part).body).splitlines()[1:]]
    assert len(found) == 2_500
    assert files.file(done, part=2).headers["content-disposition"].endswith('-2.csv"')


def test_a_list_that_is_too_long_fails_with_a_hint(files: Files) -> None:
    files.imported("id_tokens", "id_token\r\nA1\r\n")
    begun = files.post("/v1/exports", {"kind": "id_tokens"}).body
    job = job_of(files, begun["export_id"])
    files.world.commit(lambda uow: uow.put(EXPORTS, replace(job, rows=100_000)))
    files.world.run_events()
    failed = files.get(f"/v1/exports/{begun['export_id']}").body
    assert (failed["state"], failed["failure"]["code"]) == ("failed", "export.too_many_rows")
    assert "filters" in failed["failure"]["detail"]


def test_what_the_list_refuses_later_fails_the_export(files: Files) -> None:
    files.imported("id_tokens", "id_token\r\nA1\r\n")
    begun = files.post("/v1/exports", {"kind": "id_tokens"}).body
    job = job_of(files, begun["export_id"])
    files.world.commit(lambda uow: uow.put(EXPORTS, replace(job, filters={"operator_id": "org_gone"})))
    files.world.run_events()
    failed = files.get(f"/v1/exports/{begun['export_id']}").body
    assert (failed["state"], failed["failure"]["code"]) == ("failed", "organization.not_found")
    event = Event("evt_1", "export.queued", "exp_gone", {"turn": 0}, datetime(2026, 3, 2, tzinfo=UTC))
    jobs.on_export_queued(files.world.ctx, event)


def test_so_many_at_once_and_no_more(files: Files) -> None:
    for _ in range(5):
        assert files.post("/v1/exports", {"kind": "drivers"}).status == 202
    assert files.post("/v1/exports", {"kind": "drivers"}).body["code"] == "export.busy"
    files.world.run_events()
    assert files.post("/v1/exports", {"kind": "drivers"}).status == 202


def test_a_fault_of_ours_fails_the_export_and_is_logged(files: Files) -> None:
    begun = files.post("/v1/exports", {"kind": "drivers"}).body
    job = job_of(files, begun["export_id"])
    files.world.commit(lambda uow: uow.put(EXPORTS, replace(job, kind="gone")))
    files.world.run_events()
    assert files.get(f"/v1/exports/{begun['export_id']}").body["failure"]["code"] == "internal_error"


def test_the_audit_log_has_the_export(files: Files) -> None:
    export = files.exported("drivers", filters={"q": "dana"})
    query = {"object_type": "export", "object_id": export["export_id"]}
    [event] = files.get("/v1/audit-events", **query).body["data"]
    assert (event["after"]["kind"], event["after"]["filters"]) == ("drivers", {"q": "dana"})


def job_of(files: Files, export_id: str) -> Any:
    assert service.find_export(files.world.ctx, export_id) == EXPORTS.get(files.world.ctx, *export_key(export_id))
    return service.find_export(files.world.ctx, export_id)


def test_a_file_is_for_who_may_still_see_what_is_in_it(files: Files) -> None:
    """Rights of the day of the export do not outlive those of today."""
    world, email = files.world, "nora@narrow.example"
    token = narrowed_token(world, files.operator, email=email)
    export = files.exported("drivers", token=token)
    assert files.file(export, token).status == 200
    login = identity.find_login(world.ctx, email)
    assert login is not None
    user = identity.get_user(world.ctx, login.user_id or "")
    world.commit(lambda uow: uow.put(USERS, replace(user, vending_point_ids=["vdp_elsewhere"])))
    world.advance(31)
    refused = files.file(export, world.access_token(email))
    assert (refused.status, refused.body["code"]) == (403, "forbidden")
