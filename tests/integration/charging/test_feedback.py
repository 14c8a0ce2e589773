"""A driver tells something, an operator answers: who sees it, who is mailed, and what a second click does."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.identity import service as identity
from chalicelib.kernel.clock import to_rfc3339
from tests.site import CHARGER_ID, Site
from tests.world import Reply

TEXT = "Слишком медленно 太慢了"


@pytest.fixture
def driver_token(site: Site) -> str:
    return site.world.driver_token(site.driver.driver_id)


@pytest.fixture
def session_id(site: Site) -> str:
    site.stop(site.start(meter_wh=1000).transaction_id, 2000)
    [session] = site.sessions()
    return session.session_id


def agency_at(site: Site, name: str = "Agency") -> str:
    """An agency of the site's operator that has the site's location; the access token of its administrator."""
    email = f"{name.lower()}@agency.example"
    new = identity.NewOrganization(
        name=name,
        email=email,
        kind="agency",
        currency="EUR",
        time_zone="Europe/Berlin",
        admin=identity.NewUser(email=email, full_name="Anna Agent"),
    )
    world = site.world
    agency, _ = world.commit(lambda uow: identity.create_organization(uow, new, site.operator.organization))
    patch = {"agency_id": agency.organization_id}
    place = chargers.require_location(world.ctx, site.location.location_id)
    world.commit(lambda uow: chargers.change_location(uow, place, patch))
    return world.access_token(email)


def tell(site: Site, token: str, **body: Any) -> Reply:
    return site.world.rest.post("/v1/driver/feedback", {"text": TEXT, **body}, token=token)


def listed(site: Site, token: str, path: str = "/v1/feedback", **query: Any) -> list[Any]:
    reply = site.world.rest.get(path, token=token, query=query)
    assert reply.status == 200, reply.body
    return list(reply.body["data"])


def test_the_story_of_a_feedback(site: Site, driver_token: str, session_id: str) -> None:
    rest, operator = site.world.rest, {"token": site.operator.access_token}
    told = tell(site, driver_token, session_id=session_id, rating=2, category="charger")
    assert (told.status, told.body["state"], told.body["charger_id"]) == (201, "open", CHARGER_ID)
    [seen] = listed(site, operator["token"], state="open", session_id=session_id)
    assert (seen["text"], seen["driver_name"], seen["rating"]) == (TEXT, "Dana Driver", 2)
    path = f"/v1/feedback/{seen['feedback_id']}"
    for _ in range(2):
        answered = rest.post(f"{path}/answer", {"text": "Wir tauschen das Kabel."}, **operator)
        assert (answered.status, answered.body["state"], len(answered.body["messages"])) == (200, "answered", 2)
    site.world.run_events()
    [mail] = site.world.mails(site.driver.email)
    assert "Wir tauschen das Kabel." in mail.text
    assert TEXT in mail.text
    [mine] = listed(site, driver_token, "/v1/driver/feedback")
    assert mine["answer"] == "Wir tauschen das Kabel."
    assert "driver_name" not in mine
    for _ in range(2):
        assert rest.post(f"{path}/close", **operator).body["state"] == "closed"
    refused = rest.post(f"{path}/answer", {"text": "Noch etwas"}, **operator)
    assert (refused.status, refused.body["code"]) == (409, "feedback.illegal_transition")
    more = rest.post(f"/v1/driver/feedback/{seen['feedback_id']}/messages", {"text": "Danke"}, token=driver_token)
    assert (more.status, more.body["state"]) == (201, "open")
    assert rest.get(path, **operator).body["messages"][-1]["text"] == "Danke"


def test_the_mail_is_in_the_drivers_language(site: Site, driver_token: str) -> None:
    world = site.world
    world.rest.patch("/v1/driver/me", {"language": "de"}, token=driver_token)
    feedback_id = tell(site, driver_token, charger_id=CHARGER_ID).body["feedback_id"]
    world.rest.post(f"/v1/feedback/{feedback_id}/answer", {"text": "Ja."}, token=site.operator.access_token)
    world.run_events()
    [mail] = world.mails(site.driver.email)
    assert "Guten Tag Dana Driver" in mail.text


def test_the_same_text_twice_is_one_feedback(site: Site, driver_token: str) -> None:
    first, second = tell(site, driver_token), tell(site, driver_token)
    assert (second.status, second.body) == (201, first.body)
    assert len(listed(site, driver_token, "/v1/driver/feedback")) == 1
    other = tell(site, driver_token, charger_id=CHARGER_ID)
    assert other.body["feedback_id"] != first.body["feedback_id"]
    path = f"/v1/feedback/{other.body['feedback_id']}/close"
    assert site.world.rest.post(path, token=site.operator.access_token).status == 200
    happened_again = tell(site, driver_token, charger_id=CHARGER_ID)
    assert happened_again.body["feedback_id"] != other.body["feedback_id"]


def test_what_names_no_charger_is_the_platforms(site: Site, driver_token: str) -> None:
    told = tell(site, driver_token)
    assert listed(site, site.operator.access_token) == []
    platform = site.world.platform_admin()
    [seen] = listed(site, platform)
    assert seen["feedback_id"] == told.body["feedback_id"]
    assert site.world.rest.get(f"/v1/feedback/{seen['feedback_id']}", token=site.operator.access_token).status == 404


def test_an_agency_sees_what_happened_at_its_locations(site: Site, driver_token: str, session_id: str) -> None:
    tell(site, driver_token, session_id=session_id)
    ours = agency_at(site, "Ours")
    [seen] = listed(site, ours)
    answer = site.world.rest.post(f"/v1/feedback/{seen['feedback_id']}/answer", {"text": "Hi"}, token=ours)
    assert answer.status == 403
    theirs = agency_at(site, "Theirs")  # the location is handed over
    assert listed(site, ours) == []
    assert site.world.rest.get(f"/v1/feedback/{seen['feedback_id']}", token=ours).status == 404
    assert len(listed(site, theirs)) == 1


def test_nobody_tells_of_what_is_not_theirs(site: Site, session_id: str) -> None:
    token = site.world.driver_token("drv_stranger")
    assert tell(site, token, session_id=session_id).body["code"] == "charging_session.not_found"
    assert tell(site, token, charger_id="CP-404").body["code"] == "charger.not_found"
    assert listed(site, token, "/v1/driver/feedback") == []


def test_another_operator_and_another_driver_see_nothing_of_it(site: Site, driver_token: str) -> None:
    told = tell(site, driver_token, charger_id=CHARGER_ID).body
    stranger = site.world.operator("Somebody else").access_token
    assert listed(site, stranger, driver_id=site.driver.driver_id) == []
    assert site.world.rest.get(f"/v1/feedback/{told['feedback_id']}", token=stranger).status == 404
    eve = site.world.driver_token("drv_eve")
    mine = f"/v1/driver/feedback/{told['feedback_id']}"
    assert site.world.rest.get(mine, token=eve).status == 404
    assert site.world.rest.post(f"{mine}/messages", {"text": "x"}, token=eve).status == 404
    assert site.world.rest.get(mine, token=driver_token).body == told


def test_a_charge_and_another_charger_do_not_go_together(site: Site, driver_token: str, session_id: str) -> None:
    refused = tell(site, driver_token, session_id=session_id, charger_id="CP-002")
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/charger_id")


@pytest.mark.parametrize(
    "body", [{"text": ""}, {"text": "  "}, {"text": "x" * 2001}, {"rating": 0}, {"rating": 6}, {"category": "x"}]
)
def test_bad_feedback_changes_nothing(site: Site, driver_token: str, body: dict[str, Any]) -> None:
    refused = tell(site, driver_token, **body)
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, f"/{next(iter(body))}")
    assert listed(site, driver_token, "/v1/driver/feedback") == []


def test_the_twenty_first_text_of_a_day_is_refused(site: Site, driver_token: str) -> None:
    for number in range(20):
        assert tell(site, driver_token, text=f"Text {number}").status == 201
    refused = tell(site, driver_token, text="One more")
    assert (refused.status, refused.body["code"]) == (429, "feedback.too_many")
    assert int(refused.headers["retry-after"]) > 0
    site.advance(24 * 60)
    renewed = site.world.access_token(f"{site.driver.driver_id.lower()}@driver.example")
    assert tell(site, renewed, text="One more").status == 201


def test_the_list_is_narrowed_down_and_paged(site: Site, driver_token: str) -> None:
    began = []
    for number in range(3):
        began.append(to_rfc3339(site.world.clock.now()))
        tell(site, driver_token, text=f"Text {number}", charger_id=CHARGER_ID)
        site.advance(1)
    token = site.operator.access_token

    def texts(**query: Any) -> list[str]:
        return [feedback["text"] for feedback in listed(site, token, **query)]

    assert texts() == texts(driver_id=site.driver.driver_id) == ["Text 2", "Text 1", "Text 0"]
    assert texts(date_from=began[1], date_to=began[2]) == ["Text 1"]
    assert texts(charger_id="cp-001", limit=2) == ["Text 2", "Text 1"]
    assert texts(driver_id="drv_other") == texts(state="closed") == texts(location_id="loc_other") == []
    page = site.world.rest.get("/v1/feedback", token=token, query={"limit": 2}).body
    assert texts(limit=2, cursor=page["next_cursor"]) == ["Text 0"]


def test_who_changed_it_is_in_the_audit_log(site: Site, driver_token: str) -> None:
    feedback_id = tell(site, driver_token, charger_id=CHARGER_ID).body["feedback_id"]
    token = site.operator.access_token
    site.world.rest.post(f"/v1/feedback/{feedback_id}/close", token=token)
    events = listed(site, token, "/v1/audit-events")
    actions = {event["action"]: event for event in events if event["object_id"] == feedback_id}
    assert actions.keys() == {"give_feedback", "close_feedback"}
    assert actions["close_feedback"]["after"]["state"] == "closed"
