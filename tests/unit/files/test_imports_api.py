"""Who may import what for whom, and files that are refused as a whole."""

from __future__ import annotations

import base64

import pytest

from chalicelib.files.model import MAX_FILE_BYTES
from tests.integration.rest.strangers import open_organization
from tests.unit.files.conftest import Files

CARDS = "id_token\r\nA1\r\n"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("id_token\r\n", "import.empty"),
        ("", "import.empty"),
        ("number\r\nA1\r\n", "import.unknown_column"),
        ("note\r\nA1\r\n", "import.missing_column"),
        ("id_token\r\n" + "A\r\n" * 10_001, "import.too_many_rows"),
        ("id_token\r\n" + "\n" * 40_000 + "A\r\n", "import.too_many_rows"),
        (b"PK\x03\x04", "import.unreadable"),
        ("id_token\r\nÄ".encode("latin-1"), "import.encoding"),
    ],
)
def test_a_file_that_cannot_be_worked_with_is_refused_at_once(files: Files, content: str | bytes, code: str) -> None:
    reply = files.begin("id_tokens", content)
    assert (reply.status, reply.body["code"], reply.body["errors"][0]["pointer"]) == (422, code, "/content")
    assert files.world.pending_events() == []


def test_a_body_that_is_no_request(files: Files) -> None:
    whole = {"kind": "id_tokens", "file_name": "a.csv", "content": base64.b64encode(CARDS.encode()).decode()}
    for change, code, pointer in [
        ({"content": "no base64!"}, "import.not_base64", "/content"),
        ({"content": "A" * (MAX_FILE_BYTES * 4 // 3 + 2000)}, "import.too_large", "/content"),
        ({"kind": "meters"}, "import.unknown_kind", "/kind"),
        ({"mode": "some"}, "request_body.invalid", "/mode"),
    ]:
        reply = files.post("/v1/imports", {**whole, **change})
        assert (reply.status, reply.body["code"], reply.body["errors"][0]["pointer"]) == (422, code, pointer)
    reply = files.world.rest.post("/v1/imports", whole, token=files.operator.access_token)
    assert (reply.status, reply.body["code"]) == (400, "idempotency.key_invalid")


def test_a_largest_file_is_taken(files: Files) -> None:
    rows = "".join(f"{number:036}\r\n" for number in range(10_000))
    note = "x" * 200
    content = "id_token,note\r\n" + "".join(f"{row},{note}\r\n" for row in rows.split())
    assert 2_300_000 < len(content) < MAX_FILE_BYTES
    reply = files.begin("id_tokens", content, dry_run=True)
    assert (reply.status, reply.body["rows_total"]) == (202, 10_000)


def test_the_second_click_is_one_import(files: Files) -> None:
    body = {"kind": "id_tokens", "file_name": "a.csv", "content": base64.b64encode(CARDS.encode()).decode()}
    first = files.post("/v1/imports", body, key="same")
    again = files.post("/v1/imports", body, key="same")
    assert first.body == again.body
    assert len(files.get("/v1/imports").body["data"]) == 1


def test_so_many_at_once_and_no_more(files: Files) -> None:
    for number in range(5):
        assert files.begin("id_tokens", f"id_token\r\nA{number}\r\n").status == 202
    refused = files.begin("id_tokens", CARDS)
    assert (refused.status, refused.body["code"]) == (409, "import.busy")
    files.world.run_events()
    assert files.begin("id_tokens", "id_token\r\nB1\r\n").status == 202


def test_needs_the_permission_of_the_kind_besides(files: Files) -> None:
    finance = user_in(files, "finance")
    assert files.begin("id_tokens", CARDS, finance).status == 403
    support = user_in(files, "support")
    assert files.begin("id_tokens", CARDS, support).status == 403
    key = files.post("/v1/api-keys", {"name": "importer", "permissions": ["imports:write", "id_tokens:write"]})
    assert key.status == 201, key.body


def user_in(files: Files, group: str) -> str:
    """The access token of another user of the operator."""
    email = f"{group}@operator.example"
    made = files.world.rest.post(
        "/v1/users",
        {"email": email, "full_name": group, "groups": [group]},
        token=files.operator.access_token,
    )
    assert made.status == 201, made.body
    return files.world.access_token(email)


def test_another_operators_imports_are_not_there(files: Files) -> None:
    job = files.imported("id_tokens", CARDS)
    stranger = files.world.operator().access_token
    for path in ("", "/errors", "/result"):
        assert files.get(f"/v1/imports/{job['import_id']}{path}", stranger).status == 404
    assert files.get("/v1/imports", stranger).body["data"] == []
    listed = files.get("/v1/imports", stranger, operator_id=files.operator.operator_id)
    assert listed.status == 404
    assert files.begin("id_tokens", CARDS, stranger, operator_id=files.operator.operator_id).status == 404


def test_colleagues_see_an_import_and_the_platform_names_the_operator(files: Files) -> None:
    job = files.imported("id_tokens", CARDS)
    platform = files.world.platform_admin()
    assert files.get(f"/v1/imports/{job['import_id']}", platform).status == 200
    assert files.begin("id_tokens", CARDS, platform).body["code"] == "operator_id.missing"
    begun = files.begin("id_tokens", "id_token\r\nB1\r\n", platform, operator_id=files.operator.operator_id)
    files.world.run_events()
    assert files.get("/v1/id-tokens/B1").body["operator_id"] == files.operator.operator_id
    listed = files.get("/v1/imports", platform, operator_id=files.operator.operator_id).body["data"]
    assert [entry["import_id"] for entry in listed] == [begun.body["import_id"], job["import_id"]]


def test_who_is_narrowed_sees_their_own_imports_alone(files: Files) -> None:
    job = files.imported("id_tokens", CARDS)
    token = files.operator.access_token
    country = files.world.rest.post("/v1/regions", {"name": "Germany", "country_code": "DE"}, token=token).body
    email = "rita@operator.example"
    user = {"email": email, "full_name": "Rita", "groups": ["operator_admin"], "region_ids": [country["region_id"]]}
    assert files.world.rest.post("/v1/users", user, token=token).status == 201
    narrowed = files.world.access_token(email)
    assert files.get(f"/v1/imports/{job['import_id']}", narrowed).status == 404
    own = files.begin("id_tokens", "id_token\r\nB1\r\n", narrowed).body
    assert files.get(f"/v1/imports/{own['import_id']}", narrowed).status == 200
    assert [entry["import_id"] for entry in files.get("/v1/imports", narrowed).body["data"]] == [own["import_id"]]


def test_an_import_may_do_what_its_asker_might_and_no_more(files: Files) -> None:
    """Who works in one region only cannot put chargers where they do not work, whatever the file says."""
    token = files.operator.access_token
    country = files.world.rest.post("/v1/regions", {"name": "Germany", "country_code": "DE"}, token=token).body
    place = "name,address,city,country,time_zone,region_id\r\n"
    files.imported(
        "locations", place + f"Ours,a,b,DE,Europe/Berlin,{country['region_id']}\r\nTheirs,a,b,DE,Europe/Berlin,\r\n"
    )
    email = "rita@operator.example"
    user = {"email": email, "full_name": "Rita", "groups": ["operator_admin"], "region_ids": [country["region_id"]]}
    files.world.rest.post("/v1/users", user, token=token)
    narrowed = files.world.access_token(email)
    content = "charger_id,location\r\nCP-1,Ours\r\nCP-2,Theirs\r\nCP-3,\r\n"
    begun = files.begin("chargers", content, narrowed, mode="best_effort")
    files.world.run_events()
    job = files.get(begun.headers["location"], narrowed).body
    assert job["created"] == 1
    assert [(error["row"], error["code"]) for error in job["errors"]] == [
        (3, "location.not_found"),
        (4, "location_id.missing"),
    ]


def test_the_audit_log_has_the_import_as_one_entry(files: Files) -> None:
    job = files.imported("id_tokens", "id_token\r\nA1\r\nA2\r\n")
    events = files.get("/v1/audit-events", object_type="import", object_id=job["import_id"]).body["data"]
    [event] = events
    assert (event["action"], event["object_id"]) == ("create_import", job["import_id"])
    told = event["after"]
    assert (told["kind"], told["file_name"], told["rows_total"]) == ("id_tokens", "a.csv", 2)
    assert files.get("/v1/audit-events", object_type="id_token").body["data"] == []


def test_an_unknown_template_is_not_there(files: Files) -> None:
    assert files.get("/v1/imports/templates/meters").status == 404
    assert files.get("/v1/imports/templates/drivers", format="ods").status == 422


def test_a_dealer_does_not_read_its_operators_customers_out_of_their_imports(files: Files) -> None:
    """Errors quote the rows. Cards and customers are none of a dealer's; its operators' chargers are."""
    world = files.world
    dealer = open_organization(world, "dealer", "Dealer", None)
    below = open_organization(world, "operator", "Below", dealer)
    operator, above = (
        world.access_token("operator_admin@below.example"),
        world.access_token("dealer_admin@dealer.example"),
    )
    taken = "email,full_name\r\nnobody,Zoe\r\n"
    begun = files.begin("drivers", taken, operator, dry_run=True)
    world.run_events()
    assert files.get(begun.headers["location"], operator).status == 200
    for path in (begun.headers["location"], f"{begun.headers['location']}/errors"):
        assert files.get(path, above).status == 404
    assert files.get("/v1/imports", above, operator_id=below.organization_id).body["data"] == []
