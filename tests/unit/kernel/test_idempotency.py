"""Idempotency keys through an endpoint: the second click, the other body, the lost answer, the crash in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.kernel import idempotency
from chalicelib.kernel.errors import DomainError, conflict
from chalicelib.kernel.http import Api, Request, Shape
from chalicelib.kernel.unit_of_work import UnitOfWork
from tests.unit.kernel.edge import Edge
from tests.unit.kernel.things import THINGS, Thing, create_table, stored
from tests.world import World


class Order(Shape):
    thing_id: str
    amount: int = 0


class Shop:
    """One endpoint that moves something, and a hook into the middle of it."""

    def __init__(self, world: World) -> None:
        create_table(world)
        api = Api("shop", "public")
        self.calls = 0
        self.only_once = True
        self.meanwhile: Callable[[Request], None] = lambda req: None

        def order_thing(req: Request, body: Order) -> Order:
            self.calls += 1
            if self.only_once:
                req.uow.create(THINGS, Thing(body.thing_id), conflict("thing.taken", "taken"))
            else:
                req.uow.put(THINGS, Thing(body.thing_id, amount=self.calls))
            self.meanwhile(req)
            return body

        order_thing.__annotations__ = {"req": Request, "body": Order, "return": Order}
        api.post("/orders", idempotency_key=True)(order_thing)
        self.edge = Edge(world, api)

    def order(self, key: str | None = "k1", thing_id: str = "t1", amount: int = 0) -> tuple[int, Any, dict[str, str]]:
        headers = {} if key is None else {"idempotency-key": key}
        return self.edge.request("POST", "/orders", {"thing_id": thing_id, "amount": amount}, headers=headers)


@pytest.fixture
def shop(world: World) -> Shop:
    return Shop(world)


def test_the_second_click_gets_the_first_answer_and_does_nothing(shop: Shop, world: World) -> None:
    first = shop.order()
    again = shop.order()
    assert first[:2] == again[:2] == (201, {"thing_id": "t1", "amount": 0})
    assert "idempotency-replayed" not in first[2]
    assert again[2]["idempotency-replayed"] == "true"
    assert again[2]["content-type"] == first[2]["content-type"] == "application/json"
    assert shop.calls == 1


def test_the_answer_is_kept_for_years(shop: Shop, world: World) -> None:
    shop.order()
    world.advance(10 * 365 * 86_400)
    world.engine.expire(world.ctx.now())
    assert shop.order()[2]["idempotency-replayed"] == "true"


@pytest.mark.parametrize("key", [None, "", "x" * 256])
def test_a_key_is_required(shop: Shop, world: World, key: str | None) -> None:
    status, problem, _ = shop.order(key)
    assert (status, problem["code"]) == (400, "idempotency.key_invalid")
    assert stored(world, "t1") is None


def test_another_body_under_the_same_key_is_refused(shop: Shop, world: World) -> None:
    shop.order()
    status, problem, _ = shop.order(amount=1)
    assert (status, problem["code"]) == (422, "idempotency.body_differs")
    assert shop.order(thing_id="t2", key="k2")[0] == 201


def test_a_click_while_the_first_runs_is_told_so(shop: Shop, world: World) -> None:
    inner: list[Any] = []

    def click_again(req: Request) -> None:
        shop.meanwhile = lambda req: None
        inner.append(shop.order())

    shop.meanwhile = click_again
    assert shop.order()[0] == 201
    status, problem, headers = inner[0]
    assert (status, problem["code"]) == (409, "idempotency.in_progress")
    assert headers["retry-after"] == "1"
    assert shop.calls == 1


def test_after_a_crash_the_lease_runs_out_and_the_retry_does_the_work(shop: Shop, world: World) -> None:
    def crash(req: Request) -> None:
        raise RuntimeError("the process dies here")

    shop.meanwhile = crash
    assert shop.order()[0] == 500
    shop.meanwhile = lambda req: None
    assert shop.order()[0] == 409
    world.advance(61)
    assert shop.order()[0] == 201
    assert stored(world, "t1") is not None


def test_a_refused_request_frees_its_key_for_a_corrected_one(shop: Shop, world: World) -> None:
    shop.order("k0")
    assert shop.order("k1")[0] == 409
    assert shop.order("k1", thing_id="t2")[0] == 201


def test_whoever_lost_the_lease_commits_nothing(shop: Shop, world: World) -> None:
    def overtaken(req: Request) -> None:
        shop.meanwhile = lambda req: None
        world.advance(61)
        assert shop.order()[0] == 201

    shop.meanwhile = overtaken
    shop.only_once = False
    status, problem, _ = shop.order()
    assert (status, problem["code"]) == (409, "idempotency.in_progress")
    thing = stored(world, "t1")
    assert thing is not None
    assert thing.amount == 2
    assert shop.order()[2]["idempotency-replayed"] == "true"


def test_a_slow_refusal_does_not_free_what_somebody_else_took_over(shop: Shop, world: World) -> None:
    slow = idempotency.claim(world.ctx, "scope", "k", b"body")
    world.advance(61)
    taken_over = idempotency.claim(world.ctx, "scope", "k", b"body")
    idempotency.abandon(world.ctx, slow)
    idempotency.release(world.ctx, slow)
    with pytest.raises(DomainError) as caught:
        idempotency.claim(world.ctx, "scope", "k", b"body")
    assert caught.value.code == "idempotency.in_progress"
    uow = UnitOfWork(world.ctx)
    idempotency.complete(uow, taken_over, 201, b"{}")
    uow.commit()
    assert idempotency.claim(world.ctx, "scope", "k", b"body").done


def test_a_retry_after_an_early_commit_goes_on_at_once_with_the_same_body_only(shop: Shop, world: World) -> None:
    def provider_fails(req: Request) -> None:
        req.commit_first()
        raise DomainError("provider.unavailable", "later")

    shop.meanwhile = provider_fails
    assert shop.order()[0] == 409
    assert stored(world, "t1") is not None
    assert shop.order(amount=5)[1]["code"] == "idempotency.body_differs"
    assert shop.order()[1]["code"] == "thing.taken"


def test_keys_of_two_people_are_two_keys(world: World) -> None:
    assert not idempotency.claim(world.ctx, "lgn_1#op", "k", b"body").done
    assert not idempotency.claim(world.ctx, "lgn_2#op", "k", b"body").done


def test_a_key_that_need_not_last_expires(world: World) -> None:
    claim = idempotency.claim(world.ctx, "scope", "k", b"body", keep_forever=False)
    assert claim.expires_at == int((world.ctx.now() + idempotency.RETENTION).timestamp())
