"""REST of configuration and templates: what operators see, say, and are refused."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.chargers import jobs
from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger, Variable
from chalicelib.chargers.model.built_in import BUILT_IN
from chalicelib.relay import CONSUMERS
from tests.site import Site
from tests.world import Reply, World

SETTINGS = [{"name": "HeartbeatInterval", "value": "300"}]
PATH = "/v1/charger-templates"
OVERRIDES = "/v1/chargers/CP-001/configuration/overrides"
CONFIGURATION = "/v1/chargers/CP-001/configuration"


def create(site: Site, **fields: Any) -> Reply:
    body = {"name": "T", "settings": SETTINGS, **fields}
    return site.world.rest.post(PATH, body, token=site.operator.access_token)


def ask(site: Site, method: str, path: str, body: Any = None, **query: Any) -> Reply:
    return site.world.rest.request(method, path, body, token=site.operator.access_token, query=query)


# -- templates --------------------------------------------------------------------------------------------------------


def test_a_template_is_made_shown_replaced_and_removed(site: Site) -> None:
    made = create(site, vendor="Acme*", model="M1").body
    path = f"{PATH}/{made['template_id']}"
    assert made["settings"] == SETTINGS
    assert not made["built_in"]
    assert ask(site, "GET", path).body == made
    changed = ask(site, "PUT", path, {"name": "U", "settings": [{"name": "A/B", "value": None}]})
    assert changed.status == 200
    assert ask(site, "GET", path).body == changed.body
    assert (changed.body["vendor"], changed.body["model"]) == ("*", "*")
    assert ask(site, "DELETE", path).status == 204
    assert ask(site, "GET", path).status == 404
    assert ask(site, "DELETE", path).status == 404


def test_the_list_begins_with_the_platforms_and_pages_through_all(site: Site) -> None:
    made = []
    for number in range(3):
        site.advance_s(1)
        made.append(create(site, name=f"T{number}").body["template_id"])
    seen, cursor = [], None
    for _ in range(10):
        query = {"limit": 1} if cursor is None else {"limit": 1, "cursor": cursor}
        page = ask(site, "GET", PATH, **query).body
        seen += [template["template_id"] for template in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [BUILT_IN.template_id, *made]


def test_the_platforms_template_is_shown_and_not_changed(site: Site) -> None:
    path = f"{PATH}/{BUILT_IN.template_id}"
    shown = ask(site, "GET", path)
    assert (shown.status, shown.body["built_in"], shown.body["operator_id"]) == (200, True, None)
    assert ask(site, "PUT", path, {"name": "Mine", "settings": SETTINGS}).body["code"] == "charger_template.built_in"
    assert ask(site, "DELETE", path).status == 409


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ([{"name": "AuthorizationKey", "value": "x"}], "setting.secret"),
        ([{"name": "A", "value": "1"}, {"name": "a", "value": "2"}], "setting.repeated"),
        ([{"name": "A//B", "value": "1"}], "setting.name"),
        ([{"name": f"K{number}", "value": "x" * 400} for number in range(50)], "setting.crowd"),
        ([{"name": "A", "value": "x" * 501}], "setting.value"),
        ([{"name": "HeartbeatInterval", "value": "541"}], "setting.heartbeat"),
        ([{"name": "OCPPCommCtrlr/HeartbeatInterval", "value": "0"}], "setting.heartbeat"),
        ([{"name": "heartbeatinterval", "value": "soon"}], "setting.heartbeat"),
    ],
)
def test_settings_that_no_charger_could_have(site: Site, settings: Any, code: str) -> None:
    refused = create(site, settings=settings)
    assert (refused.status, refused.body["code"]) == (422, code)
    assert ask(site, "GET", PATH).body["data"] == [ask(site, "GET", f"{PATH}/platform").body]


def test_replacing_a_template_with_itself_bothers_nobody(site: Site) -> None:
    made = create(site).body
    site.world.run_events({})
    ask(site, "PUT", f"{PATH}/{made['template_id']}", {"name": "T", "settings": SETTINGS})
    assert site.world.pending_events() == []


def test_an_operator_has_a_bounded_number_of_templates(site: Site) -> None:
    for number in range(100):
        assert create(site, name=f"T{number}").status == 201
    assert create(site).body["code"] == "template.crowd"


def test_a_new_template_reaches_all_chargers_page_by_page(site: Site) -> None:
    world, ids = site.world, [f"CP-1{number:02d}" for number in range(60)]
    for charger_id in ids:
        add_charger(site, charger_id)
    other = world.operator()
    create(site)
    events = world.run_events({"charger_template.changed": (jobs.on_template_changed,)})
    assert [event.type for event in events].count("charger_template.changed") == 3
    for charger_id in ids:
        link = chargers.get_link(world.ctx, charger_id)
        assert link is not None
        assert len(link.outbound) == 1
    assert other.operator_id not in {event.subject for event in events}


def test_a_template_event_told_twice_asks_once(site: Site) -> None:
    create(site)
    [event] = [event for event in site.world.pending_events() if event.type == "charger_template.changed"]
    for _ in range(2):
        jobs.on_template_changed(site.world.ctx, event)
    link = chargers.get_link(site.world.ctx, "CP-001")
    assert link is not None
    assert len(link.outbound) == 1


def add_charger(site: Site, charger_id: str) -> None:
    world = site.world
    new = Charger(charger_id, site.operator.operator_id, 1, "", world.ctx.now())
    charger, _, _ = world.commit(lambda uow: chargers.register_charger(uow, new, "a-good-password-of-20"))
    charger = world.commit(lambda uow: chargers.place_charger(uow, charger, site.location))
    world.commit(lambda uow: chargers.open_connection(uow, charger, f"conn-{charger_id}", "ocpp1.6"))


# -- one charger's configuration --------------------------------------------------------------------------------------


def test_before_it_told_anything_there_is_only_what_is_expected(site: Site) -> None:
    view = ask(site, "GET", CONFIGURATION).body
    assert {variable["name"] for variable in view["data"]} == {s.name for s in BUILT_IN.settings if "/" not in s.name}
    assert all(variable["value"] is None and not variable["drift"] for variable in view["data"])
    assert (view["drift_count"], view["activity"], view["checked_at"]) == (0, "idle", None)


def test_drift_is_filtered_searched_and_paged(site: Site) -> None:
    told = [Variable("HeartbeatInterval", "7", False), Variable("ConnectionTimeOut", "7", True), Variable("Vendor", "")]
    site.world.commit(lambda uow: chargers.record_configuration(uow, site.charger, told))
    drifting = ask(site, "GET", CONFIGURATION, drift="true").body
    assert [variable["name"] for variable in drifting["data"]] == ["ConnectionTimeOut", "HeartbeatInterval"]
    assert drifting["drift_count"] == 2
    assert len(ask(site, "GET", CONFIGURATION, search="HEARTBEAT").body["data"]) == 1
    first = ask(site, "GET", CONFIGURATION, drift="true", limit=1).body
    second = ask(site, "GET", CONFIGURATION, drift="true", limit=1, cursor=first["next_cursor"]).body
    assert [page["data"][0]["name"] for page in (first, second)] == ["ConnectionTimeOut", "HeartbeatInterval"]
    assert (second["has_more"], second["next_cursor"]) == (False, None)
    assert ask(site, "GET", CONFIGURATION, cursor="eyJwayI6IjEifQ").status == 400


def test_a_charger_that_never_came_can_be_prepared_but_not_asked(site: Site) -> None:
    world = site.world
    new = Charger("CP-NEW", site.operator.operator_id, 1, "", world.ctx.now())
    world.commit(lambda uow: chargers.register_charger(uow, new, "a-good-password-of-20"))
    path = "/v1/chargers/CP-NEW/configuration"
    assert ask(site, "POST", f"{path}/refresh").body["code"] == "charger.never_connected"
    assert ask(site, "PUT", f"{path}/overrides", {"name": "HeartbeatInterval", "value": "60"}).status == 200
    world.run_events()
    view = ask(site, "GET", path).body
    assert view["overrides"] == [{"name": "HeartbeatInterval", "value": "60"}]
    assert view["data"] == []


def test_overrides_are_put_listed_and_removed(site: Site) -> None:
    for value in ("60", "61"):
        put = ask(site, "PUT", OVERRIDES, {"name": "heartbeatinterval", "value": value})
        assert put.body == {"name": "heartbeatinterval", "value": value}
    assert ask(site, "PUT", OVERRIDES, {"name": "LocalPreAuthorize", "value": None}).status == 200
    view = ask(site, "GET", CONFIGURATION).body
    assert view["overrides"] == [
        {"name": "heartbeatinterval", "value": "61"},
        {"name": "LocalPreAuthorize", "value": None},
    ]
    assert "localpreauthorize" not in {variable["name"].lower() for variable in view["data"]}
    assert ask(site, "DELETE", OVERRIDES, name="HEARTBEATINTERVAL").status == 204
    assert ask(site, "DELETE", OVERRIDES, name="HeartbeatInterval").body["code"] == "override.not_found"


@pytest.mark.parametrize(
    ("name", "code"), [("AuthorizationKey", "setting.secret"), ("a//b", "setting.name"), ("x" * 51, "setting.name")]
)
def test_overrides_that_no_charger_could_have(site: Site, name: str, code: str) -> None:
    refused = ask(site, "PUT", OVERRIDES, {"name": name, "value": "x"})
    assert (refused.status, refused.body["code"]) == (422, code)


def test_a_charger_has_a_bounded_number_of_overrides(site: Site) -> None:
    for number in range(100):
        assert ask(site, "PUT", OVERRIDES, {"name": f"K{number}", "value": "1"}).status == 200
    assert ask(site, "PUT", OVERRIDES, {"name": "one-more", "value": "1"}).body["code"] == "setting.crowd"
    assert ask(site, "PUT", OVERRIDES, {"name": "K7", "value": "2"}).status == 200, "a change is no further one"


def test_a_refresh_with_a_full_queue_is_refused_and_changes_nothing(site: Site) -> None:
    for _ in range(20):
        site.world.commit(
            lambda uow: chargers.queue_command(
                uow, charger_id="CP-001", action="ClearCache", payload={}, requested_by="t"
            )
        )
    assert ask(site, "POST", f"{CONFIGURATION}/refresh").body["code"] == "command.queue_full"
    assert ask(site, "GET", CONFIGURATION).body["activity"] == "idle"


def test_every_event_of_configuration_is_heard() -> None:
    assert {"charger.booted", "charger.configuration_due", "charger.settings_changed"} <= CONSUMERS.keys()


def test_a_write_that_is_wanted_no_more_is_not_sent(world: World, site: Site) -> None:
    """The run that asked for it is over: another has taken its place, and with it perhaps another value."""
    command = world.commit(
        lambda uow: chargers.queue_command(
            uow,
            charger_id="CP-001",
            action="write_configuration",
            payload={"name": "HeartbeatInterval", "value": "1"},
            requested_by="configuration",
        )
    )
    world.run_events()
    ended = chargers.get_command(world.ctx, command.command_id)
    assert ended is not None
    assert (ended.state, ended.error) == ("failed", "it was called off before it was sent")
