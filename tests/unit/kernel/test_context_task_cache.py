"""The context, the wrapper of jobs, and the cache of a warm process."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from chalicelib.kernel import context, task
from chalicelib.kernel.context import Context, Settings
from infra.local import aws_hooks
from tests.world import World


def test_settings_come_from_variables_of_the_same_name() -> None:
    settings = Settings.from_environment({"PUBLIC_URL": "https://x.example", "AWS_REGION": "eu-north-1", "OTHER": "1"})
    assert (settings.public_url, settings.region) == ("https://x.example", "eu-north-1")
    assert settings.mail_from == Settings().mail_from


def test_a_secret_is_read_once(world: World) -> None:
    asked: list[dict[str, Any]] = []

    def parameters(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request)
        return {"Parameter": {"Value": "s3cret"}}

    restore = aws_hooks.register("ssm", parameters)
    try:
        assert world.ctx.secret("new-key") == world.ctx.secret("new-key") == "s3cret"
    finally:
        restore()
    assert asked == [{"Name": "/wattfare/new-key", "WithDecryption": True}]


def test_the_installed_context_is_the_current_one(world: World) -> None:
    assert context.current() is world.ctx


def test_a_job_gets_the_plain_event_and_its_failure_is_raised_on(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    @task.entry
    def divide(ctx: Context, event: dict[str, Any]) -> float:
        assert ctx is world.ctx
        return event["by"] / event["what"]

    class ChaliceEvent:
        def to_dict(self) -> dict[str, Any]:
            return {"by": 6, "what": 3}

    assert divide({"by": 4, "what": 2}) == divide(ChaliceEvent(), None) == 2
    with caplog.at_level(logging.ERROR), pytest.raises(ZeroDivisionError):
        divide({"by": 1, "what": 0})
    assert [record.job for record in caplog.records] == ["divide"]  # type: ignore[attr-defined]
    assert divide.__name__ == "divide"


def test_a_cache_is_bounded_and_forgets_the_oldest(world: World) -> None:
    cache = world.ctx.cache("numbers", size=2)
    for number in range(3):
        cache.put(number, str(number))
    assert [cache.get(number) for number in range(3)] == [None, "1", "2"]
    cache.put(1, "one")
    cache.put(3, "3")
    assert [cache.get(number) for number in (1, 2, 3)] == ["one", None, "3"]
    cache.forget(3)
    cache.forget(3)
    assert cache.get(3) is None
    assert world.ctx.cache("numbers") is cache


def test_a_cache_forgets_by_the_clock_and_remembers_no_absence(world: World) -> None:
    cache = world.ctx.cache("facts", ttl_s=60)
    loads: list[int] = []

    def load() -> str | None:
        loads.append(1)
        return None if len(loads) == 1 else "fact"

    assert cache.get_or_load("k", load) is None
    assert cache.get_or_load("k", load) == cache.get_or_load("k", load) == "fact"
    world.advance(59.9)
    assert cache.get("k") == "fact"
    world.advance(0.1)
    assert cache.get("k") is None
    assert len(loads) == 2
