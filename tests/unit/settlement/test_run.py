"""A night's run: opened once, computed from CDRs, posted once if the ledger agrees, told once."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import Entry, Posting, income_account, payable_account, wallet_account
from chalicelib.settlement import jobs, service
from tests.site import Site


@pytest.fixture
def day(site: Site) -> str:
    """A business day with two sessions, 0.07 and 0.35; it is the night after it now."""
    for meter_wh in (1200, 2000):
        outcome = site.start(meter_wh=1000, message_id=f"start-{meter_wh}")
        site.stop(outcome.transaction_id, meter_wh)
    site.world.run_events()
    business_day = site.world.clock.now().date().isoformat()
    midnight = datetime.fromisoformat("2026-03-02T23:20:00+00:00")
    site.world.advance((midnight - site.world.clock.now()).total_seconds())
    return business_day


def run_workflow(site: Site, day: str) -> dict[str, object]:
    workflow_input = {"operator_id": site.charger.operator_id, "business_day": day}
    jobs.settlement_compute(workflow_input, None)
    result: dict[str, object] = jobs.settlement_post(workflow_input, None)
    return result


def settlement(site: Site) -> dict[str, object]:
    token = site.world.access_token(site.operator.user.email)  # the first one expired by the night
    reply = site.world.rest.get("/v1/settlements", token=token)
    [found] = reply.body["data"]
    return dict(found)


def test_the_schedule_opens_one_run_per_operator_and_day(site: Site, day: str) -> None:
    for _ in range(3):
        site.world.run_job(jobs.open_settlements)
        site.world.run_events()
    started = [
        json.loads(call["input"])
        for call in site.world.aws_calls("stepfunctions", "StartExecution")
        if call["name"].endswith(day)
    ]
    assert started == [{"operator_id": site.charger.operator_id, "business_day": day, "number": 1, "attempt": 1}]


def test_the_statement_agrees_with_the_ledger_and_is_posted_once(site: Site, day: str) -> None:
    site.world.run_job(jobs.open_settlements)
    for _ in range(2):
        assert run_workflow(site, day)["state"] == "posted"
    view = settlement(site)
    assert view["state"] == "posted"
    [line] = view["lines"]  # type: ignore[misc]
    assert (line["sessions"], line["gross"]) == (2, {"amount": 42, "currency": "EUR"})
    ctx, operator_id = site.world.ctx, site.charger.operator_id
    posted = list(ledger.entries_of_account(ctx, payable_account(operator_id, "EUR")))
    assert [entry.home_amount for entry in posted] == [42]
    site.world.run_events()
    mails = [m for m in site.world.mails(site.operator.organization.email) if day in m.text]
    assert len(mails) == 1
    assert "Sessions: 2, 1.2 kWh: gross 0.42 EUR" in mails[0].text


def test_a_run_that_does_not_agree_is_disputed_and_moves_nothing(site: Site, day: str) -> None:
    ctx, operator_id = site.world.ctx, site.charger.operator_id
    wallet, income = wallet_account(site.driver.driver_id, "EUR"), income_account(operator_id, "EUR")
    stray = Entry(
        entry_id=ctx.new_id("ent"),
        home_account_id=wallet,
        kind="manual_entry",
        currency="EUR",
        postings=[Posting(wallet, -5), Posting(income, 5)],
        occurred_at=ctx.now(),
        source_id="a mistake",
        business_day=day,
    )
    site.world.commit(lambda uow: ledger.post(uow, stray))
    site.world.run_job(jobs.open_settlements)
    answer = run_workflow(site, day)
    assert answer["state"] == "disputed"
    assert "0.47 EUR" in str(answer["difference"])
    assert list(ledger.entries_of_account(ctx, payable_account(operator_id, "EUR"))) == []
    assert settlement(site)["state"] == "disputed"


def names(site: Site) -> list[str]:
    return [call["name"] for call in site.world.aws_calls("stepfunctions", "StartExecution") if "org_" in call["name"]]


def test_a_dispute_has_a_way_back(site: Site, day: str) -> None:
    """The mistake is taken back by a counter-entry; who may, has the run computed anew by a workflow of its own."""
    ctx, operator_id = site.world.ctx, site.charger.operator_id
    wallet, income = wallet_account(site.driver.driver_id, "EUR"), income_account(operator_id, "EUR")
    stray = Entry(
        entry_id=ctx.new_id("ent"),
        home_account_id=wallet,
        kind="manual_entry",
        currency="EUR",
        postings=[Posting(wallet, -5), Posting(income, 5)],
        occurred_at=ctx.now(),
        source_id="a mistake",
        business_day=day,
    )
    site.world.commit(lambda uow: ledger.post(uow, stray))
    site.world.run_job(jobs.open_settlements)
    site.world.run_events()
    assert run_workflow(site, day)["state"] == "disputed"
    site.world.commit(lambda uow: ledger.reverse(uow, stray, business_day=day))
    path = f"/v1/settlements/{operator_id}.{day}/recompute"
    assert site.world.rest.post(path, token=site.world.access_token(site.operator.user.email)).status == 403
    reply = site.world.rest.post(path, token=site.world.platform_admin())
    assert (reply.status, reply.body["state"]) == (200, "disputed")
    site.world.run_events()
    assert names(site)[-1] == f"{operator_id}-{day}-1-2"
    assert run_workflow(site, day)["state"] == "posted"
    again = site.world.rest.post(path, token=site.world.platform_admin())
    assert (again.status, again.body["code"]) == (409, "settlement_run.not_disputed")


def test_a_workflow_that_died_is_started_again(site: Site, day: str) -> None:
    site.world.run_job(jobs.open_settlements)
    site.world.run_events()
    first = f"{site.charger.operator_id}-{day}"
    site.advance(119)
    site.world.run_job(jobs.open_settlements)
    site.world.run_events()
    assert [name for name in names(site) if day in name] == [first]
    site.advance(1)
    for _ in range(2):
        site.world.run_job(jobs.open_settlements)
        site.world.run_events()
    assert [name for name in names(site) if day in name] == [first, f"{first}-1-2"]
    assert run_workflow(site, day)["state"] == "posted"
    site.advance(300)
    assert site.world.run_job(jobs.open_settlements)["restarted"] == 0


def test_a_dispute_waits_for_somebody(site: Site, day: str) -> None:
    test_a_run_that_does_not_agree_is_disputed_and_moves_nothing(site, day)
    site.advance(300)
    assert site.world.run_job(jobs.open_settlements)["restarted"] == 0


def test_another_operator_does_not_see_the_statement(site: Site, day: str) -> None:
    site.world.run_job(jobs.open_settlements)
    run_workflow(site, day)
    other = site.world.operator()
    settlement_id = settlement(site)["settlement_id"]
    assert site.world.rest.get(f"/v1/settlements/{settlement_id}", token=other.access_token).status == 404
    assert site.world.rest.get("/v1/settlements", token=other.access_token).body["data"] == []


def test_a_day_before_the_operator_existed_has_no_run(site: Site) -> None:
    assert site.world.run_job(jobs.open_settlements) == {"opened": 0, "restarted": 0}


def opened_days(site: Site) -> list[str]:
    runs = service.list_runs(site.world.ctx, site.charger.operator_id, limit=100, cursor=None).data
    return [run.business_day for run in runs][::-1]


def test_days_on_which_the_schedule_did_not_run_are_settled_later(site: Site, day: str) -> None:
    site.world.run_job(jobs.open_settlements)
    site.advance(3 * 24 * 60)
    for _ in range(2):
        site.world.run_job(jobs.open_settlements)
    assert opened_days(site) == [day, "2026-03-03", "2026-03-04", "2026-03-05"]


def test_one_operators_trouble_does_not_keep_the_others_from_their_money(site: Site, day: str) -> None:
    troubled = site.world.operator()
    after = site.world.operator()
    site.world.engine.execute(
        "UpdateItem",
        {
            "TableName": "wattfare-identity",
            "Key": {"pk": {"S": f"org#{troubled.operator_id}"}, "sk": {"S": "org"}},
            "UpdateExpression": "SET time_zone = :zone",
            "ExpressionAttributeValues": {":zone": {"S": "Nowhere/Land"}},
        },
    )
    site.advance(2 * 24 * 60)
    with pytest.raises(RuntimeError, match="1 operators"):
        site.world.run_job(jobs.open_settlements)
    for operator_id in (site.charger.operator_id, after.operator_id):
        assert service.list_runs(site.world.ctx, operator_id, limit=1, cursor=None).data
