"""Signatures against the vectors of Standard Webhooks; the lifecycle; pauses; an endpoint's three days."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.kernel.errors import DomainError
from chalicelib.webhooks import model
from chalicelib.webhooks.model import Answer, Delivery, Endpoint

NOW = datetime(2026, 3, 2, tzinfo=UTC)
DELIVERY = Delivery("whd_1", "org_1", "whe_1", "session.completed", "ses_1", "{}", "pending", NOW, NOW)
ENDPOINT = Endpoint("whe_1", "org_1", "https://a.example/", "", ["session.completed"], "active", "sealed", NOW, "usr_1")
OK, BROKEN, GONE = Answer(204, 1), Answer(503, 1), Answer(410, 1)


def test_the_signature_is_that_of_the_specification() -> None:
    """The example of the specification and its reference libraries."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    header = model.signature_header([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert header == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_secrets_rotate_both_sign() -> None:
    old, new = model.new_secret(), model.new_secret()
    both = model.signature_header([new, old], "whd_1", 1, b"{}").split(" ")
    assert both == [model.signature_header([each], "whd_1", 1, b"{}") for each in (new, old)]


def test_a_secret_is_long_enough_and_new_each_time() -> None:
    made = {model.new_secret() for _ in range(20)}
    assert len(made) == 20
    for secret in made:
        assert secret.startswith("whsec_")
        assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_2xx_is_accepted(status: int) -> None:
    assert Answer(status, 1).is_accepted


@pytest.mark.parametrize("answer", [Answer(301, 1), Answer(404, 1), Answer(500, 1), Answer(None, 1, error="timeout")])
def test_all_else_is_not(answer: Answer) -> None:
    assert not answer.is_accepted


def test_the_lifecycle_is_whole() -> None:
    table = model.DELIVERY_LIFECYCLE
    assert table.states == {"pending", "delivered", "failed", "cancelled"}
    for state in table.states:
        assert table.next(state, "retry") == "pending"
        for event in table.events - {"retry"}:
            assert table.allows(state, event) == (state == "pending")


def tried(count: int) -> Delivery:
    delivery = DELIVERY
    for _ in range(count):
        delivery = model.after_attempt(model.attempted(delivery, NOW), BROKEN, NOW)
    return delivery


def test_pauses_grow_and_a_delivery_is_given_up_after_three_days() -> None:
    pauses = [(tried(count).due_at or NOW) - NOW for count in range(1, model.MAX_ATTEMPTS)]
    assert pauses == sorted(pauses)
    for pause, planned in zip(pauses, model.PAUSES, strict=True):
        assert planned <= pause <= planned * 1.1
    assert sum(model.PAUSES, timedelta()) == model.DISABLED_AFTER
    assert tried(model.MAX_ATTEMPTS - 1).state == "pending"
    last = tried(model.MAX_ATTEMPTS)
    assert (last.state, last.due_at) == ("failed", None)


def test_a_retry_begins_a_new_round() -> None:
    again = model.retried(tried(model.MAX_ATTEMPTS), NOW)
    assert (again.state, again.due_at, again.attempts, again.round_attempts) == ("pending", NOW, model.MAX_ATTEMPTS, 0)
    assert model.after_attempt(model.attempted(again, NOW), BROKEN, NOW).state == "pending"


def test_gone_and_a_test_that_fails_are_not_repeated() -> None:
    assert model.after_attempt(model.attempted(DELIVERY, NOW), GONE, NOW).state == "failed"
    test = Delivery("whd_2", "org_1", "whe_1", model.TEST_TYPE, "whe_1", "{}", "pending", NOW, NOW)
    assert model.after_attempt(model.attempted(test, NOW), BROKEN, NOW).state == "failed"


def judge(endpoint: Endpoint, answer: Answer, after: timedelta) -> Endpoint:
    return model.after_answer(endpoint, delivered=answer.is_accepted, is_gone=answer.is_gone, now=NOW + after)


def test_an_endpoint_is_disabled_when_it_failed_for_three_days() -> None:
    failing = judge(ENDPOINT, BROKEN, timedelta())
    assert failing.failing_since == NOW
    assert judge(failing, BROKEN, timedelta(days=3, seconds=-1)) == failing
    disabled = judge(failing, BROKEN, timedelta(days=3))
    assert (disabled.state, disabled.disabled_reason) == ("disabled", "failing")
    assert judge(failing, OK, timedelta(days=4)) == ENDPOINT
    assert judge(ENDPOINT, OK, timedelta()) is ENDPOINT, "nothing is written for what goes well"
    enabled = model.enabled(disabled)
    assert (enabled.state, enabled.failing_since, enabled.disabled_reason) == ("active", None, None)


def test_the_secret_before_ends_when_it_was_said() -> None:
    rotated = model.rotated(ENDPOINT, "newer", timedelta(hours=24), NOW)
    assert rotated.sealed_secrets(NOW + timedelta(hours=23)) == ["newer", "sealed"]
    assert rotated.sealed_secrets(NOW + timedelta(hours=24)) == ["newer"]
    assert model.rotated(ENDPOINT, "newer", timedelta(), NOW).sealed_secrets(NOW) == ["newer"]


def test_types_are_checked_and_sorted() -> None:
    assert model.check_types(["b", "a", "b"], {"a", "b"}) == ["a", "b"]
    for wrong in ([], ["c"]):
        with pytest.raises(DomainError, match=r"webhook_endpoint\.event_types"):
            model.check_types(wrong, {"a", "b"})
