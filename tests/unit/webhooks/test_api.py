"""Endpoints over REST: secrets shown once, rotation, rights, what is recorded; deliveries listed and sent again."""

from __future__ import annotations

import json

import pytest

from chalicelib.identity import service as identity
from chalicelib.webhooks.events import EVENTS, TYPES
from chalicelib.webhooks.model import MAX_ENDPOINTS
from chalicelib.webhooks.store import ENDPOINT_ROWS, EndpointRow
from tests.site import Site
from tests.unit.webhooks.post_office import BROKEN, OK, URL, PostOffice, Receiver

PATH = "/v1/webhook-endpoints"


def test_a_secret_is_shown_once_and_stored_sealed(site: Site, office: PostOffice) -> None:
    endpoint = office.endpoint("session.completed")
    assert endpoint["secret"].startswith("whsec_")
    assert "secret" not in office.show(endpoint)
    assert "secret" not in office.ask("GET", PATH).body["data"][0]
    [stored] = ENDPOINT_ROWS.scan_all(site.world.ctx, EndpointRow.url == URL)
    assert endpoint["secret"].removeprefix("whsec_") not in json.dumps(ENDPOINT_ROWS.to_item(stored))
    events = office.ask("GET", "/v1/audit-events", query={"action": "create_webhook_endpoint"}).body["data"]
    assert [event["object_id"] for event in events] == [endpoint["endpoint_id"]]
    assert endpoint["secret"] not in json.dumps(events)


def test_after_a_rotation_both_secrets_sign_for_a_day(site: Site, office: PostOffice, receiver: Receiver) -> None:
    endpoint = office.endpoint("session.completed")
    rotated = office.ask("POST", f"{PATH}/{endpoint['endpoint_id']}/rotation", {})
    assert (rotated.status, rotated.body["secret"] != endpoint["secret"]) == (200, True)
    for after_s, signatures in ((0, 2), (24 * 3600, 1)):
        site.advance_s(after_s)
        office.test(endpoint)
        office.deliver()
        assert len(receiver.received[-1].headers["webhook-signature"].split()) == signatures


def test_types_urls_and_states_change_and_are_heard_at_once(site: Site, office: PostOffice, receiver: Receiver) -> None:
    endpoint = office.endpoint("withdrawal.paid")
    path = f"{PATH}/{endpoint['endpoint_id']}"
    changed = office.ask(
        "PATCH", path, {"event_types": ["session.started"], "url": URL + "/2", "description": " Till "}
    )
    assert changed.status == 200
    assert (changed.body["url"], changed.body["description"]) == (URL + "/2", "Till")
    site.start()
    assert office.deliver() == {"delivered": 1, "failed": 0}
    assert receiver.received[-1].url == URL + "/2"
    off = office.ask("PATCH", path, {"state": "disabled"}).body
    assert (off["state"], off["disabled_reason"]) == ("disabled", "by_hand")
    site.start(evse_no=2, message_id="start-2")
    assert office.deliver() == {"delivered": 0, "failed": 0}
    on = office.ask("PATCH", path, {"state": "active", "event_types": ["session.completed"]}).body
    assert (on["state"], on["disabled_reason"], on["disabled_at"]) == ("active", None, None)
    [session, _] = site.sessions()
    site.stop(session.transaction_id, 2000)
    assert office.deliver() == {"delivered": 1, "failed": 0}, "though it was asked for a moment ago who wants what"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"url": "http://hooks.customer.example/", "event_types": ["session.started"]}, "webhook_endpoint.url"),
        ({"url": "https://169.254.169.254/", "event_types": ["session.started"]}, "webhook_endpoint.url"),
        ({"url": "http://127.0.0.1:9000/", "event_types": ["session.started"]}, "webhook_endpoint.url"),
        ({"url": URL, "event_types": []}, "webhook_endpoint.event_types"),
        ({"url": URL, "event_types": ["session.exploded"]}, "webhook_endpoint.event_types"),
    ],
)
def test_what_cannot_be_an_endpoint_is_refused(office: PostOffice, body: dict[str, object], code: str) -> None:
    reply = office.ask("POST", PATH, body)
    assert (reply.status, reply.body["code"]) == (422, code)


def test_there_is_an_end_to_endpoints(office: PostOffice) -> None:
    for _ in range(MAX_ENDPOINTS):
        office.endpoint("session.started")
    reply = office.ask("POST", PATH, {"url": URL, "event_types": ["session.started"]})
    assert (reply.status, reply.body["code"]) == (409, "webhook_endpoint.too_many")


def colleague(site: Site, permissions: list[str], **fields: object) -> str:
    """An access token of somebody who may do this and nothing else."""
    rest, token = site.world.rest, site.operator.access_token
    group = rest.post("/v1/user-groups", {"name": "Few", "permissions": permissions}, token=token).body
    email = "cleo@operator.example"
    body = {"email": email, "full_name": "Cleo", "groups": [group["group_id"]], **fields}
    assert rest.post("/v1/users", body, token=token).status == 201
    return site.world.access_token(email)


def test_who_may_not_read_what_an_event_shows_does_not_have_it_sent(site: Site, office: PostOffice) -> None:
    token = colleague(site, ["webhook_endpoints:read", "webhook_endpoints:write", "sessions:read"])
    body = {"url": URL, "event_types": ["session.completed", "payment.captured"]}
    assert office.ask("POST", PATH, body, token=token).status == 403
    body["event_types"] = ["session.completed"]
    assert office.ask("POST", PATH, body, token=token).status == 201
    full = office.endpoint("payment.captured")
    path = f"{PATH}/{full['endpoint_id']}"
    assert office.ask("PATCH", path, {"url": "https://elsewhere.example/"}, token=token).status == 403
    assert office.ask("POST", f"{path}/rotation", {}, token=token).status == 403


def test_who_may_not_read_it_does_not_see_what_was_sent(site: Site, office: PostOffice) -> None:
    office.endpoint("session.started")
    site.start()
    office.deliver()
    [delivery] = office.deliveries()
    path = f"/v1/webhook-deliveries/{delivery['delivery_id']}"
    assert json.loads(office.ask("GET", path).body["body"])["type"] == "session.started"
    assert office.ask("GET", path, token=colleague(site, ["webhook_endpoints:read"])).body["body"] is None


def test_who_works_at_some_places_changes_no_endpoint(site: Site, office: PostOffice) -> None:
    endpoint = office.endpoint("session.started")
    region = site.world.rest.post("/v1/regions", {"name": "North"}, token=office.token).body
    rights = ["webhook_endpoints:read", "webhook_endpoints:write", "sessions:read"]
    token = colleague(site, rights, region_ids=[region["region_id"]])
    path = f"{PATH}/{endpoint['endpoint_id']}"
    assert office.ask("POST", PATH, {"url": URL, "event_types": ["session.started"]}, token=token).status == 403
    for method, suffix, body in (("PATCH", "", {"state": "disabled"}), ("DELETE", "", None), ("POST", "/rotation", {})):
        assert office.ask(method, path + suffix, body, token=token).status == 403


def test_a_test_is_sent_to_a_disabled_endpoint_too_and_changes_nothing_of_it(
    office: PostOffice, receiver: Receiver
) -> None:
    endpoint = office.endpoint("session.completed")
    receiver.answer = BROKEN
    office.test(endpoint)
    office.deliver()
    assert office.show(endpoint)["failing_since"] is None
    [failed] = office.deliveries(state="failed")
    assert (failed["type"], failed["attempts"], failed["next_attempt_at"]) == ("webhook.test", 1, None)
    office.ask("PATCH", f"{PATH}/{endpoint['endpoint_id']}", {"state": "disabled"})
    receiver.answer = OK
    office.test(endpoint)
    assert office.deliver() == {"delivered": 1, "failed": 0}
    assert receiver.bodies()[-1]["data"] == {"endpoint_id": endpoint["endpoint_id"]}


def test_deliveries_are_listed_by_endpoint_and_state_and_sent_again(
    site: Site, office: PostOffice, receiver: Receiver
) -> None:
    one, two = office.endpoint("session.started"), office.endpoint("session.started", url=URL + "/2")
    receiver.answers = {two["url"]: BROKEN}
    site.start()
    office.deliver()
    assert [each["endpoint_id"] for each in office.deliveries(state="delivered")] == [one["endpoint_id"]]
    [pending] = office.deliveries(endpoint_id=two["endpoint_id"])
    assert pending["state"] == "pending"
    [delivered] = office.deliveries(state="delivered")
    reply = office.ask("POST", f"/v1/webhook-deliveries/{delivered['delivery_id']}/retry")
    assert (reply.status, reply.body["state"]) == (202, "pending")
    office.retry_due(1)
    assert receiver.ids().count(delivered["delivery_id"]) == 2
    assert office.deliveries(endpoint_id=one["endpoint_id"])[0]["attempts"] == 2


def test_a_delivery_to_nobody_is_not_sent_again(site: Site, office: PostOffice) -> None:
    one, two = office.endpoint("session.started"), office.endpoint("session.started")
    site.start()
    office.deliver()
    office.ask("PATCH", f"{PATH}/{one['endpoint_id']}", {"state": "disabled"})
    office.ask("DELETE", f"{PATH}/{two['endpoint_id']}")
    codes = {
        office.ask("POST", f"/v1/webhook-deliveries/{each['delivery_id']}/retry").body["code"]
        for each in office.deliveries()
    }
    assert codes == {"webhook_endpoint.disabled", "webhook_endpoint.gone"}


def test_another_organisation_has_none_of_it(site: Site, office: PostOffice) -> None:
    endpoint = office.endpoint("session.started")
    delivery = office.test(endpoint)
    token = site.world.operator().access_token
    assert office.ask("GET", PATH, token=token).body["data"] == []
    assert office.ask("GET", "/v1/webhook-deliveries", token=token).body["data"] == []
    for path in (f"{PATH}/{endpoint['endpoint_id']}", f"/v1/webhook-deliveries/{delivery['delivery_id']}"):
        assert office.ask("GET", path, token=token).status == 404


def test_each_endpoint_hears_what_it_wants(site: Site, office: PostOffice, receiver: Receiver) -> None:
    office.endpoint("session.completed")
    office.endpoint("session.started", url=URL + "/2")
    office.endpoint("session.started", url=URL + "/3")
    site.start()
    office.deliver()
    assert sorted(message.url for message in receiver.received) == [URL + "/2", URL + "/3"]


def test_the_list_of_events_is_the_map(office: PostOffice) -> None:
    listed = office.ask("GET", "/v1/webhook-event-types").body["data"]
    assert [each["type"] for each in listed] == sorted(TYPES)
    assert {public.type for public in EVENTS.values()} == set(TYPES)


def test_a_deactivated_organisation_hears_nothing(site: Site, office: PostOffice, receiver: Receiver) -> None:
    office.endpoint("session.started")
    site.start()
    operator = site.operator.organization
    site.world.commit(lambda uow: identity.update_organization(uow, operator, {"state": "inactive"}))
    office.deliver()
    assert receiver.received == []
