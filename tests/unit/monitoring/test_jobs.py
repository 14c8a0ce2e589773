"""One silence, one e-mail; one return, one e-mail; whatever runs twice, and whatever fails in between."""

from __future__ import annotations

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.monitoring import jobs
from tests.site import CHARGER_ID, Site


def run_job(site: Site) -> dict[str, int]:
    told = site.world.run_job(jobs.alert_offline_chargers)
    site.world.run_events()
    return told


def heard(site: Site) -> None:
    chargers.touch(site.world.ctx, CHARGER_ID, site.world.clock.now())


def subjects(site: Site) -> list[str]:
    return [mail.subject for mail in site.world.mails(site.operator.organization.email)][::-1]


@pytest.fixture
def watched(site: Site) -> Site:
    status, _ = site.world.rest.put(
        "/v1/offline-notification", {"enabled": True, "timeout_min": 11}, token=site.operator.access_token
    )
    assert status == 200
    heard(site)
    return site


def test_one_mail_when_it_falls_silent_and_one_when_it_is_back(watched: Site) -> None:
    watched.advance(10)
    assert run_job(watched)["told"] == 0
    watched.advance(2)
    for _ in range(5):
        run_job(watched)
        watched.advance(30)
    assert len(subjects(watched)) == 1
    assert CHARGER_ID in subjects(watched)[0]
    heard(watched)
    for _ in range(3):
        run_job(watched)
    assert len(subjects(watched)) == 2


def test_a_second_silence_is_a_second_outage(watched: Site) -> None:
    for _ in range(2):
        watched.advance(12)
        run_job(watched)
        heard(watched)
        run_job(watched)
    assert len(subjects(watched)) == 4


def test_the_list_of_silent_chargers(watched: Site) -> None:
    token = watched.operator.access_token
    assert watched.world.rest.get("/v1/offline-chargers", token=token).body["data"] == []
    watched.advance(12)
    run_job(watched)
    [offline] = watched.world.rest.get("/v1/offline-chargers", token=token).body["data"]
    assert (offline["charger_id"], offline["offline_s"]) == (CHARGER_ID, 720)


@pytest.mark.parametrize(
    ("rule", "pointer"),
    [
        ({"email": "not an address"}, "/email"),
        ({"charger_ids": [CHARGER_ID, "CP-TYPO"]}, "/charger_ids/1"),
        ({"timeout_min": 2**31}, "/timeout_min"),
    ],
)
def test_a_rule_that_could_never_tell_anything_is_refused(site: Site, rule: dict[str, object], pointer: str) -> None:
    body = {"enabled": True, "timeout_min": 15, **rule}
    reply = site.world.rest.put("/v1/offline-notification", body, token=site.operator.access_token)
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, pointer)


def test_a_charger_that_is_not_there_is_unknown(site: Site) -> None:
    body = {"enabled": True, "timeout_min": 15, "charger_ids": ["CP-TYPO"]}
    reply = site.world.rest.put("/v1/offline-notification", body, token=site.operator.access_token)
    assert (reply.status, reply.body["code"]) == (422, "charger.unknown")


def test_a_rule_for_another_operators_charger_is_refused(site: Site) -> None:
    body = {"enabled": True, "timeout_min": 15, "charger_ids": [CHARGER_ID]}
    other = site.world.operator()
    assert site.world.rest.put("/v1/offline-notification", body, token=other.access_token).status == 422


def test_another_operators_silence_is_not_told_to_me(watched: Site) -> None:
    other = watched.world.operator()
    watched.advance(12)
    run_job(watched)
    assert watched.world.mails(other.organization.email) == []
    reply = watched.world.rest.get("/v1/offline-chargers", token=other.access_token)
    assert reply.body["data"] == []


@pytest.mark.parametrize("minutes", [10, 0, -3])
def test_a_timeout_of_ten_minutes_is_refused(site: Site, minutes: int) -> None:
    status, body = site.world.rest.put(
        "/v1/offline-notification", {"enabled": True, "timeout_min": minutes}, token=site.operator.access_token
    )
    assert (status, body["errors"][0]["pointer"]) == (422, "/timeout_min")
