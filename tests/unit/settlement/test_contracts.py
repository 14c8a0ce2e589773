"""Who agrees on what, from when; and that a settled day keeps the terms that it was settled by."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.identity.model import PLATFORM_ID, Organization
from chalicelib.kernel.errors import DomainError
from chalicelib.settlement import service
from chalicelib.settlement.model import MAX_TERMS, Contract, Terms
from tests.settling import Books, open_below, open_books
from tests.world import Operator, Reply, World


@pytest.fixture
def books(world: World) -> Books:
    """An operator below a dealer of a manufacturer's."""
    maker = open_below(world, None, "manufacturer", "Maker")
    dealer = open_below(world, maker, "dealer", "Dealer")
    operator = open_below(world, dealer, "operator", "Below")
    user = world.operator().user  # any: this operator's own signs in by e-mail
    books = Books(world, Operator(operator, user, world.access_token("admin@below.example")))
    books.fill()
    return books


def ask(books: Books, who: str, method: str, path: str, body: Any = None, **options: Any) -> Reply:
    token = books.world.platform_admin() if who == "platform" else books.world.access_token(f"admin@{who}.example")
    return books.world.rest.request(method, path, body, token=token, **options)


def agree(books: Books, who: str, beneficiary_id: str, **terms: Any) -> Reply:
    body = {
        "operator_id": books.operator_id,
        "beneficiary_id": beneficiary_id,
        "terms": {"valid_from": "2026-03-02", "percent": "10"} | terms,
    }
    return ask(books, who, "POST", "/v1/contracts", body)


def dealer_of(books: Books) -> str:
    return books.operator.organization.path[-1]


def test_nobody_replaces_terms_unseen(books: Books) -> None:
    """Two people of the dealer's read the contract; the second one's change is of what is not there any more."""
    made = agree(books, "dealer", dealer_of(books))
    path, read = f"/v1/contracts/{made.body['contract_id']}", made.headers["etag"]
    assert ask(books, "dealer", "GET", path).headers["etag"] == read
    terms = {"valid_from": "2026-04-01", "percent": "12"}
    changed = ask(books, "dealer", "POST", f"{path}/terms", terms, headers={"if-match": read})
    assert changed.status == 201, changed.body
    for change, body in (("terms", {"valid_from": "2026-04-01", "percent": "5"}), ("end", {"last_day": "2026-04-30"})):
        refused = ask(books, "dealer", "POST", f"{path}/{change}", body, headers={"if-match": read})
        assert (refused.status, refused.body["code"]) == (412, "contract.changed")
    assert ask(books, "dealer", "GET", path).body["terms"][-1]["percent"] == "12"
    current = {"if-match": changed.headers["etag"]}
    assert ask(books, "dealer", "POST", f"{path}/end", {"last_day": "2026-04-30"}, headers=current).status == 200


def test_a_commission_is_agreed_by_who_gets_it_and_read_by_both(books: Books) -> None:
    dealer_id = dealer_of(books)
    assert agree(books, "below", dealer_id).status == 403
    made = agree(books, "dealer", dealer_id, per_kwh="0.005", vat_percent="19")
    assert made.status == 201, made.body
    contract_id = made.body["contract_id"]
    assert made.body["kind"] == "commission"
    for who in ("below", "dealer", "platform"):
        assert ask(books, who, "GET", f"/v1/contracts/{contract_id}").body == made.body
    assert ask(books, "maker", "GET", f"/v1/contracts/{contract_id}").status == 404
    assert ask(books, "below", "GET", "/v1/contracts").body["data"] == [made.body]
    assert ask(books, "dealer", "GET", "/v1/contracts").body["data"] == [made.body]
    assert ask(books, "maker", "GET", "/v1/contracts").body["data"] == []
    assert ask(books, "maker", "GET", "/v1/contracts", query={"operator_id": books.operator_id}).status == 404
    assert agree(books, "dealer", dealer_id).body["code"] == "contract.exists"


def test_an_agencys_share_is_agreed_by_its_operator(books: Books) -> None:
    agency = books.agency()
    assert agree(books, "agency", agency.organization_id).status == 403
    made = agree(books, "below", agency.organization_id)
    assert (made.status, made.body["kind"]) == (201, "agency_share")
    assert ask(books, "agency", "GET", "/v1/contracts").body["data"] == [made.body]


def test_only_those_above_and_agencies_get_a_part(books: Books) -> None:
    other = books.world.operator().operator_id
    assert agree(books, "platform", other).body["code"] == "contract.beneficiary"
    assert agree(books, "platform", books.operator_id).body["code"] == "contract.beneficiary"
    assert agree(books, "dealer", other).status == 404
    assert agree(books, "platform", PLATFORM_ID).status == 201


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"percent": "100.0001"}, "request_body.invalid"),
        ({"percent": "-1"}, "request_body.invalid"),
        ({"percent": "90", "vat_percent": "20"}, "contract.percent_sum"),
        ({"valid_from": "2026-03-05", "valid_to": "2026-03-04"}, "contract.valid_to"),
        ({"valid_from": "2026-03-01"}, "contract.settled"),
        ({"valid_from": "0001-01-01"}, "day.distant"),
        ({"valid_to": "9999-12-31"}, "day.distant"),
    ],
)
def test_terms_that_cannot_be(books: Books, terms: dict[str, Any], code: str) -> None:
    reply = agree(books, "platform", PLATFORM_ID, **terms)
    assert (reply.status >= 400, reply.body["code"]) == (True, code)


def test_all_together_give_away_no_more_than_all(books: Books) -> None:
    """Two agencies have places of their own: the higher share counts. Later terms count on their days."""
    books.agree(PLATFORM_ID, percent=Decimal(30))
    books.agree(dealer_of(books), percent=Decimal(20))
    books.agree(books.agency("Agency One").organization_id, percent=Decimal(50))
    books.agree(books.agency("Agency Two").organization_id, percent=Decimal(40))
    three = books.agency("Agency Three").organization_id
    with pytest.raises(DomainError, match=r"100\.5 percent"):
        books.agree(three, percent=Decimal("50.5"))
    books.agree(three, percent=Decimal("50.5"), currency="NOK")
    path = f"/v1/contracts/{books.operator_id}.{PLATFORM_ID}.EUR/terms"
    later = {"valid_from": "2026-05-01", "percent": "31"}
    assert ask(books, "platform", "POST", path, later).body["code"] == "contract.percent_sum"
    assert ask(books, "platform", "POST", path, later | {"percent": "29"}).status == 201


def test_terms_change_in_the_middle_of_a_month(books: Books) -> None:
    """The second of March by the old ones, the third by the new ones; the second stays as it was settled."""
    books.agree(PLATFORM_ID, percent=Decimal(10))
    path = f"/v1/contracts/{books.operator_id}.{PLATFORM_ID}.EUR"
    changed = ask(books, "platform", "POST", f"{path}/terms", {"valid_from": "2026-03-03", "percent": "20"})
    assert [(t["valid_from"], t["valid_to"], t["percent"]) for t in changed.body["terms"]] == [
        ("2026-03-02", "2026-03-02", "10"),
        ("2026-03-03", None, "20"),
    ]
    for _ in range(2):
        books.sell(1000)
        books.sleep()
    assert books.settle("2026-03-02")["state"] == books.settle("2026-03-03")["state"] == "posted"
    assert books.owed(PLATFORM_ID) == 100 + 200
    refused = ask(books, "platform", "POST", f"{path}/terms", {"valid_from": "2026-03-03", "percent": "5"})
    assert (refused.status, refused.body["code"]) == (409, "contract.settled")
    ended = ask(books, "platform", "POST", f"{path}/end", {"last_day": "2026-03-03"})
    assert [t["valid_to"] for t in ended.body["terms"]] == ["2026-03-02", "2026-03-03"]
    books.sell(1000)
    books.sleep()
    books.settle("2026-03-04")
    assert books.owed(PLATFORM_ID) == 300
    assert ask(books, "platform", "POST", f"{path}/end", {"last_day": "2026-03-03"}).status == 409


def test_what_is_deducted_is_seen_by_whom_it_concerns(books: Books) -> None:
    books.agree(PLATFORM_ID, percent=Decimal(10))
    books.agree(dealer_of(books), percent=Decimal(5))
    books.sell(1000)
    books.sleep()
    books.settle("2026-03-02")
    path = f"/v1/settlements/{books.operator_id}.2026-03-02"
    seen = {
        who: sorted(d["total"]["amount"] for d in ask(books, who, "GET", path).body["lines"][0]["deductions"])
        for who in ("platform", "below", "dealer", "maker")
    }
    assert seen == {"platform": [50, 100], "below": [50, 100], "dealer": [50], "maker": []}


def test_terms_do_not_pile_up_without_end(world: World) -> None:
    books = open_books(world)
    contract = books.agree(PLATFORM_ID, percent=Decimal(1))
    first = date(2026, 3, 3)

    def change(number: int) -> Contract:
        terms = Terms((first + timedelta(days=number)).isoformat(), percent=Decimal(1))
        changed: Contract = world.commit(
            lambda uow: service.change_terms(uow, books.operator.organization, contract, terms)
        )
        return changed

    for number in range(MAX_TERMS - 1):
        contract = change(number)
    with pytest.raises(DomainError, match="at most 100 terms"):
        change(MAX_TERMS)
    assert len(change(5).terms) == 7  # what was to be valid later goes


def test_somebody_elses_organisation_is_not_there(books: Books, world: World) -> None:
    stranger: Organization = world.operator("Stranger").organization
    body = {
        "operator_id": stranger.organization_id,
        "beneficiary_id": dealer_of(books),
        "terms": {"valid_from": "2026-03-02"},
    }
    assert ask(books, "dealer", "POST", "/v1/contracts", body).status == 404
