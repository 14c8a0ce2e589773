"""Cards and standing: the driver's row is the truth, every id token carries a true copy."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import MAX_CARDS, Driver, IdToken, app_token
from chalicelib.kernel.errors import DomainError, StaleRead
from chalicelib.kernel.unit_of_work import UnitOfWork
from tests import world as worlds
from tests.unit.drivers.conftest import add_driver, reread, token
from tests.world import World


def claim(world: World, driver: Driver, number: str) -> IdToken:
    return world.commit(lambda uow: drivers.claim_card(uow, reread(world, driver), number))


def configure(world: World, number: str, operator_id: str = "org_1") -> IdToken:
    return world.commit(lambda uow: drivers.add_card(uow, id_token=number, operator_id=operator_id, driver=None))


def deactivate(world: World, driver: Driver, operator_id: str | None) -> None:
    world.commit(lambda uow: drivers.set_driver_state(uow, reread(world, driver), "inactive", operator_id=operator_id))


def restore(world: World, driver: Driver, operator_id: str | None) -> None:
    world.commit(lambda uow: drivers.set_driver_state(uow, reread(world, driver), "active", operator_id=operator_id))


def test_a_driver_comes_with_an_app(world: World) -> None:
    driver = add_driver(world)
    app = token(world, app_token(driver.driver_id))
    assert (app.kind, app.driver_id) == ("app", driver.driver_id)
    assert app.verdict("org_1", world.ctx.now()) == "accepted"
    assert drivers.list_cards_of(world.ctx, driver) == []


def test_a_driver_adds_a_card_by_its_number(world: World) -> None:
    driver = add_driver(world)
    claim(world, driver, "04a1b2c3")
    assert token(world, "04A1B2C3").driver_id == driver.driver_id
    assert [card.id_token for card in drivers.list_cards_of(world.ctx, reread(world, driver))] == ["04a1b2c3"]


def test_the_second_click_adds_nothing(world: World) -> None:
    driver = add_driver(world)
    claim(world, driver, "CARD1")
    claim(world, driver, "card1")
    assert reread(world, driver).id_tokens == ["CARD1"]


def test_a_card_belongs_to_one_driver(world: World) -> None:
    first, second = add_driver(world), add_driver(world)
    claim(world, first, "CARD1")
    with pytest.raises(DomainError) as refused:
        claim(world, second, "card1")
    assert refused.value.code == "id_token.bound"
    assert reread(world, second).id_tokens == []


def test_the_token_of_an_app_is_nobodys_card(world: World) -> None:
    driver, thief = add_driver(world), add_driver(world)
    for who in (driver, thief):
        with pytest.raises(DomainError) as refused:
            claim(world, who, app_token(driver.driver_id))
        assert refused.value.code == "id_token.bound"
    with pytest.raises(DomainError) as refused:
        drivers.require_card(world.ctx, app_token(driver.driver_id))
    assert refused.value.code == "id_token.not_found"


def test_a_card_from_the_drawer_can_be_claimed_and_goes_back_there(world: World) -> None:
    driver = add_driver(world)
    configure(world, "CARD1")
    assert token(world, "CARD1").verdict("org_1", world.ctx.now()) == "invalid"
    claim(world, driver, "CARD1")
    assert token(world, "CARD1").verdict("org_1", world.ctx.now()) == "accepted"
    world.commit(lambda uow: drivers.unbind_card(uow, token(world, "CARD1")))
    assert (token(world, "CARD1").driver_id, token(world, "CARD1").operator_id) == (None, "org_1")
    assert reread(world, driver).id_tokens == []


def test_a_drivers_own_card_is_forgotten_when_removed(world: World) -> None:
    driver = add_driver(world)
    claim(world, driver, "CARD1")
    world.commit(lambda uow: drivers.unbind_card(uow, token(world, "CARD1")))
    assert drivers.find_id_token(world.ctx, "CARD1", consistent=True) is None
    assert reread(world, driver).id_tokens == []


def test_two_drivers_claiming_one_card_at_once(world: World) -> None:
    first, second = add_driver(world), add_driver(world)
    configure(world, "CARD1")
    late = UnitOfWork(world.ctx)
    drivers.claim_card(late, second, "CARD1")
    claim(world, first, "CARD1")
    with pytest.raises(StaleRead):
        late.commit()
    assert token(world, "CARD1").driver_id == first.driver_id
    assert reread(world, second).id_tokens == []


def test_a_known_number_is_not_configured_again(world: World) -> None:
    configure(world, "CARD1")
    with pytest.raises(DomainError) as refused:
        configure(world, "card1", "org_2")
    assert refused.value.code == "id_token.exists"
    assert token(world, "CARD1").operator_id == "org_1"


def test_a_driver_has_a_bounded_number_of_cards_and_all_follow_a_deactivation(world: World) -> None:
    driver = add_driver(world, operator_id="org_1")
    for number in range(MAX_CARDS):
        claim(world, driver, f"CARD{number}")
    with pytest.raises(DomainError) as refused:
        claim(world, driver, "ONE-MORE")
    assert refused.value.code == "id_token.too_many"
    deactivate(world, driver, "org_1")
    now = world.ctx.now()
    cards = drivers.list_cards_of(world.ctx, reread(world, driver))
    assert len(cards) == MAX_CARDS
    assert {card.verdict("org_1", now) for card in cards} == {"blocked"}


def test_an_operator_turns_a_driver_away_at_its_own_chargers_only(world: World) -> None:
    driver = add_driver(world, operator_id="org_1")
    claim(world, driver, "CARD1")
    now = world.ctx.now()
    for _ in range(2):
        deactivate(world, driver, "org_1")
        for presented in ("CARD1", app_token(driver.driver_id)):
            assert token(world, presented).verdict("org_1", now) == "blocked"
            assert token(world, presented).verdict("org_2", now) == "accepted"
    assert drivers.standing(reread(world, driver), "org_1") == "inactive"
    for _ in range(2):
        restore(world, driver, "org_1")
        assert token(world, "CARD1").verdict("org_1", now) == "accepted"


def test_the_platform_turns_a_driver_away_everywhere(world: World) -> None:
    driver = add_driver(world)
    deactivate(world, driver, None)
    assert token(world, app_token(driver.driver_id)).verdict("org_2", world.ctx.now()) == "blocked"
    assert drivers.standing(reread(world, driver), "org_2") == "inactive"


def test_a_card_added_later_knows_who_turned_its_driver_away(world: World) -> None:
    driver = add_driver(world, operator_id="org_1")
    deactivate(world, driver, "org_1")
    claim(world, driver, "CARD1")
    assert token(world, "CARD1").verdict("org_1", world.ctx.now()) == "blocked"


def test_a_card_that_is_added_while_its_driver_is_deactivated_does_not_slip_through(world: World) -> None:
    driver = add_driver(world, operator_id="org_1")
    late = UnitOfWork(world.ctx)
    drivers.claim_card(late, driver, "CARD1")
    deactivate(world, driver, "org_1")
    with pytest.raises(StaleRead):
        late.commit()
    assert drivers.find_id_token(world.ctx, "CARD1", consistent=True) is None


def test_another_drivers_card_does_not_inherit(world: World) -> None:
    first, second = add_driver(world, operator_id="org_1"), add_driver(world)
    configure(world, "CARD1")
    claim(world, first, "CARD1")
    deactivate(world, first, "org_1")
    world.commit(lambda uow: drivers.unbind_card(uow, token(world, "CARD1")))
    claim(world, second, "CARD1")
    assert token(world, "CARD1").verdict("org_1", world.ctx.now()) == "accepted"


def test_linking_again_changes_nothing(world: World) -> None:
    driver = add_driver(world, operator_id="org_1")
    before = drivers.get_link(world.ctx, "org_1", driver.driver_id)
    deactivate(world, driver, "org_1")
    world.advance(100)
    world.commit(lambda uow: drivers.link_operator(uow, "org_1", driver.driver_id))
    assert drivers.get_link(world.ctx, "org_1", driver.driver_id) == before
    assert drivers.standing(reread(world, driver), "org_1") == "inactive"


def test_lists_are_paged_and_searched(world: World) -> None:
    names = ["Ann Able", "Bob Baker", "Ann Cook", "Dan Able", "Ann Able"]
    for name in names:
        add_driver(world, name, "org_1")
        world.advance(1)
    add_driver(world, "Ann Stranger")
    found: list[str] = []
    cursor = None
    for _ in range(5):
        page = drivers.list_drivers(world.ctx, "org_1", state="active", words="ann", limit=2, cursor=cursor)
        found += [driver.full_name for driver in page.data]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == ["Ann Able", "Ann Cook", "Ann Able"]
    assert cursor is None


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["claim", "unbind", "deactivate", "restore", "block"]), st.integers(0, 1), st.integers(0, 2)
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None)
@given(MOVES)
def test_copies_always_agree_with_the_driver(moves: list[tuple[str, int, int]]) -> None:
    world = worlds.build()
    try:
        people = [add_driver(world, operator_id="org_1"), add_driver(world, operator_id="org_1")]
        configure(world, "CARD0")
        for move, who, which in moves:
            _move(world, move, people[who], f"CARD{which}")
        for person in people:
            driver = reread(world, person)
            cards = drivers.list_cards_of(world.ctx, driver)
            assert len(cards) == len(driver.id_tokens)
            for card in (*cards, token(world, app_token(driver.driver_id))):
                assert card.driver_id == driver.driver_id
                assert card.refused_by == driver.inactive_at
        owned = [number for person in people for number in reread(world, person).id_tokens]
        assert len(owned) == len(set(owned)), "one driver per card"
    finally:
        world.close()


def _move(world: World, move: str, driver: Driver, number: str) -> None:
    card = drivers.find_id_token(world.ctx, number, consistent=True)
    try:
        if move == "claim":
            claim(world, driver, number)
        elif move == "deactivate":
            deactivate(world, driver, "org_1")
        elif move == "restore":
            restore(world, driver, "org_1")
        elif card is not None and move == "unbind":
            world.commit(lambda uow: drivers.unbind_card(uow, token(world, number)))
        elif card is not None:
            world.commit(lambda uow: drivers.change_card(uow, token(world, number), {"status": "blocked"}))
    except DomainError as error:
        assert error.code == "id_token.bound"  # noqa: PT017 (the only refusal that these moves may meet)
