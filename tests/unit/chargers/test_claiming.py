"""Stock, claims and moves: how a charger becomes somebody else's, and what it leaves behind."""

from __future__ import annotations

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model.claims import MAX_TRIES, TRIES_WINDOW
from chalicelib.kernel.errors import StaleRead
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from tests.unit.chargers.tree import Party, open_party
from tests.world import World

PRINTED = {"serial_number": "SN-1", "uid": "K7Q2-99XM"}


@pytest.fixture
def manufacturer(world: World) -> Party:
    return open_party(world, "manufacturer", "Volt Works")


@pytest.fixture
def dealer(world: World, manufacturer: Party) -> Party:
    return open_party(world, "dealer", "Kabel und Söhne", manufacturer)


@pytest.fixture
def operator(world: World, dealer: Party) -> Party:
    return open_party(world, "operator", "Ladenetz Süd", dealer)


def test_stock_is_its_holders_until_it_is_claimed(dealer: Party, manufacturer: Party, operator: Party) -> None:
    assert dealer.register("CP-1", **PRINTED)["operator_id"] == dealer.id
    assert dealer.charger_ids() == manufacturer.charger_ids(operator_id=dealer.id) == ["CP-1"]
    assert operator.charger_ids() == []
    assert operator.get("/v1/chargers/CP-1").status == 404
    claim = {"serial_number": " sn-1", "uid": "k7q2-99xm", "country": "DE", "region": "Bayern"}
    claimed = operator.post("/v1/chargers/claims", claim)
    assert claimed.status == 201, claimed.body
    shown = {name: claimed.body[name] for name in ("charger_id", "operator_id", "registered", "country", "region")}
    assert shown == {
        "charger_id": "CP-1",
        "operator_id": operator.id,
        "registered": False,
        "country": "DE",
        "region": "Bayern",
    }
    assert operator.charger_ids(registered="false") == ["CP-1"]
    assert dealer.charger_ids() == []
    assert operator.get("/v1/chargers/CP-1").body == claimed.body
    link = chargers.get_link(operator.world.ctx, "CP-1")
    assert link is not None
    assert link.operator_id == operator.id
    # The second click finds it gone from the stock; the serial number is the new owner's and free where it was.
    assert operator.post("/v1/chargers/claims", claim).status == 404
    assert operator.post("/v1/chargers", {"charger_id": "CP-2", "serial_number": "SN-1"}).status == 409
    dealer.register("CP-3", serial_number="SN-1")


def test_stock_cannot_be_placed(dealer: Party, operator: Party) -> None:
    dealer.register("CP-1")
    location_id = operator.add_location()
    assert dealer.put("/v1/chargers/CP-1/location", {"location_id": location_id}).status == 404


def test_a_charger_may_be_registered_for_an_operator_below(dealer: Party, operator: Party) -> None:
    assert dealer.register("CP-1", operator_id=operator.id)["operator_id"] == operator.id
    assert operator.charger_ids(registered="false") == ["CP-1"]


@pytest.mark.parametrize(
    "wrong",
    [
        {**PRINTED, "uid": "K7Q2-99XN"},
        {**PRINTED, "serial_number": "SN-2"},
        {"serial_number": "SN-BARE", "uid": "None"},
        {"serial_number": "SN-BARE", "uid": " "},
        {"serial_number": "SN-BESIDE", "uid": "U"},
        {"serial_number": "SN-OWN", "uid": "U"},
    ],
)
def test_wrong_proofs_look_alike(world: World, dealer: Party, operator: Party, wrong: dict[str, str]) -> None:
    dealer.register("CP-1", **PRINTED)
    dealer.register("CP-2", serial_number="SN-BARE")
    open_party(world, "dealer", "Beside").register("CP-3", serial_number="SN-BESIDE", uid="U")
    operator.register("CP-4", serial_number="SN-OWN", uid="U")
    refused = operator.post("/v1/chargers/claims", wrong)
    assert (refused.status, refused.body["code"]) == (404, "charger.not_found")
    assert refused.body["detail"] == f"There is no charger {wrong['serial_number']!r}."


def test_guessing_ends_soon_and_begins_again_later(world: World, dealer: Party, operator: Party) -> None:
    dealer.register("CP-1", **PRINTED)
    for number in range(MAX_TRIES):
        wrong = operator.post("/v1/chargers/claims", {**PRINTED, "uid": f"U-{number}"})
        assert wrong.status == 404
    refused = operator.post("/v1/chargers/claims", PRINTED)
    assert (refused.status, refused.body["code"]) == (429, "auth.too_many_attempts")
    assert int(refused.headers["retry-after"]) == TRIES_WINDOW.total_seconds()
    beside = open_party(world, "operator", "Beside", dealer)
    assert beside.post("/v1/chargers/claims", {**PRINTED, "uid": "U"}).status == 404
    world.advance(TRIES_WINDOW.total_seconds())
    operator.token = world.access_token("admin@ladenetz-süd.example")
    assert operator.post("/v1/chargers/claims", PRINTED).status == 201


def test_right_claims_are_not_counted(dealer: Party, operator: Party) -> None:
    for number in range(MAX_TRIES + 1):
        dealer.register(f"CP-{number}", serial_number=f"SN-{number}", uid=f"U-{number}")
        claimed = operator.post("/v1/chargers/claims", {"serial_number": f"SN-{number}", "uid": f"U-{number}"})
        assert claimed.status == 201


def test_a_charger_goes_down_the_tree_and_back(manufacturer: Party, dealer: Party, operator: Party) -> None:
    manufacturer.register("CP-1", **PRINTED)
    path = "/v1/chargers/CP-1/operator"
    assert dealer.put(path, {"operator_id": dealer.id}).status == 404
    assert manufacturer.put(path, {"operator_id": dealer.id}).body["operator_id"] == dealer.id
    assert dealer.put(path, {"operator_id": manufacturer.id}).status == 404
    for _ in range(2):
        assert dealer.put(path, {"operator_id": operator.id}).body["operator_id"] == operator.id
    assert operator.put(path, {"operator_id": dealer.id}).status == 403
    assert dealer.put(path, {"operator_id": dealer.id}).status == 200
    assert operator.get("/v1/chargers/CP-1").status == 404


def test_only_to_those_who_may_have_chargers(world: World, dealer: Party, operator: Party) -> None:
    agency = open_party(world, "agency", "Parkhaus", operator)
    stranger = open_party(world, "operator", "Elsewhere")
    dealer.register("CP-1")
    for target in (agency.id, stranger.id, "org_nobody", ""):
        assert dealer.put("/v1/chargers/CP-1/operator", {"operator_id": target}).status == 404
        assert dealer.post("/v1/chargers", {"charger_id": "CP-2", "operator_id": target}).status == 404
    assert dealer.charger_ids() == ["CP-1"]


def test_what_stands_somewhere_does_not_move(dealer: Party, operator: Party) -> None:
    operator.register("CP-1", location_id=operator.add_location())
    refused = dealer.put("/v1/chargers/CP-1/operator", {"operator_id": dealer.id})
    assert (refused.status, refused.body["code"]) == (409, "charger.placed")
    operator.delete("/v1/chargers/CP-1/location")
    operator.delete("/v1/chargers/CP-1")
    refused = dealer.put("/v1/chargers/CP-1/operator", {"operator_id": dealer.id})
    assert (refused.status, refused.body["code"]) == (409, "charger.inactive")


def test_the_new_owner_has_nothing_of_the_old_ones(world: World, dealer: Party, operator: Party) -> None:
    beside = open_party(world, "operator", "Beside", dealer)
    group = operator.post("/v1/charger-groups", {"name": "Staff"}).body
    operator.register("CP-1", charger_group_id=group["charger_group_id"])
    asked = operator.post("/v1/chargers/CP-1/commands", {"action": "ClearCache"}).body
    assert dealer.put("/v1/chargers/CP-1/operator", {"operator_id": beside.id}).body["charger_group_id"] is None
    assert operator.get(f"/v1/charger-groups/{group['charger_group_id']}").body["charger_count"] == 0
    assert beside.get("/v1/chargers/CP-1/commands").body["data"] == []
    assert beside.get(f"/v1/commands/{asked['command_id']}").status == 404


def test_one_that_is_connected_moves_with_its_connection(world: World, dealer: Party, operator: Party) -> None:
    dealer.register("CP-1", **PRINTED)
    charger = chargers.require_charger(world.ctx, "CP-1")
    world.commit(lambda uow: chargers.open_connection(uow, charger, "ws-1", "ocpp1.6"))
    assert operator.post("/v1/chargers/claims", PRINTED).status == 201
    connection = chargers.find_connection(world.ctx, "ws-1")
    assert connection is not None
    assert connection.operator_id == operator.id
    link = chargers.get_link(world.ctx, "CP-1")
    assert link is not None
    assert (link.operator_id, link.connection_id) == (operator.id, "ws-1")


def test_of_two_who_take_it_one_has_it(world: World, dealer: Party, operator: Party) -> None:
    beside = open_party(world, "operator", "Beside", dealer)
    dealer.register("CP-1", **PRINTED)
    charger = chargers.require_charger(world.ctx, "CP-1")
    late = UnitOfWork(world.ctx)
    chargers.move_charger(late, charger, beside.id)
    assert operator.post("/v1/chargers/claims", PRINTED).status == 201
    with pytest.raises(StaleRead):
        late.commit()
    assert operator.charger_ids() == ["CP-1"]
    assert beside.charger_ids() == []
    beside.register("CP-2", serial_number="SN-1")


def test_what_was_placed_meanwhile_stays(world: World, dealer: Party, operator: Party) -> None:
    operator.register("CP-1")
    charger = chargers.require_charger(world.ctx, "CP-1")
    late = UnitOfWork(world.ctx)
    chargers.move_charger(late, charger, dealer.id)
    operator.put("/v1/chargers/CP-1/location", {"location_id": operator.add_location()})
    with pytest.raises(StaleRead):
        late.commit()
    assert operator.charger_ids(registered="true") == ["CP-1"]


def test_what_a_charger_told_of_people_stays_with_whom_it_told(world: World, dealer: Party, operator: Party) -> None:
    beside = open_party(world, "operator", "Beside", dealer)
    operator.register("CP-1")
    charger = chargers.require_charger(world.ctx, "CP-1")
    world.commit(lambda uow: maintenance.report_customer_information(uow, charger, 5, "Dana Driver", 0, True))
    path = "/v1/chargers/CP-1/customer-information"
    assert operator.get(path, request_id=5).body["text"] == "Dana Driver"
    assert dealer.put("/v1/chargers/CP-1/operator", {"operator_id": beside.id}).status == 200
    assert beside.get(path, request_id=5).status == 404


def test_what_the_old_owner_asked_for_is_not_sent_any_more(world: World, dealer: Party, operator: Party) -> None:
    """It stays in the old owner's list of commands, and runs out there."""
    dealer.register("CP-1", **PRINTED)
    world.commit(
        lambda uow: chargers.queue_command(
            uow, charger_id="CP-1", action="Reset", payload={"type": "Hard"}, requested_by="usr_dealer"
        )
    )
    link = chargers.get_link(world.ctx, "CP-1")
    assert link is not None
    assert link.outbound != []
    assert operator.post("/v1/chargers/claims", PRINTED).status == 201
    moved = chargers.get_link(world.ctx, "CP-1")
    assert moved is not None
    assert moved.outbound == []
