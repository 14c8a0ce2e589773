"""Calling a function: contexts, limits, proxy responses."""

from __future__ import annotations

import pytest

from infra.local.gateway.invocation import Integration, IntegrationFailure, LambdaContext, new_id


def answering(answer):
    return Integration(lambda event, context: answer, "fn")


@pytest.mark.parametrize(
    ("answer", "status", "body", "headers"),
    [
        ({"statusCode": 200}, 200, b"", []),
        ({"statusCode": "201", "body": "é"}, 201, "é".encode(), []),
        ({"statusCode": 200, "body": "/wA=", "isBase64Encoded": True}, 200, b"\xff\x00", []),
        ({"statusCode": 200, "headers": {"A": 1}}, 200, b"", [("A", "1")]),
        ({"statusCode": 200, "multiValueHeaders": {"A": ["1", "2"]}, "headers": {"a": "3", "B": "4"}}, 200, b"",
         [("A", "1"), ("A", "2"), ("B", "4")]),
    ],
)  # fmt: skip
def test_a_proxy_response_is_read(answer, status, body, headers):
    assert answering(answer).call({}) == (status, body, headers)


@pytest.mark.parametrize(
    "answer",
    [
        {"statusCode": 200, "body": b"bytes"},
        {"statusCode": 200, "body": "***", "isBase64Encoded": True},
        {"statusCode": 200, "headers": ["A"]},
        {"statusCode": 200, "headers": {"A": "1\r\nB: 2"}},
        {"statusCode": 600},
        {"statusCode": None},
        [],
    ],
)
def test_what_is_no_proxy_response_is_a_failure(answer):
    with pytest.raises(IntegrationFailure) as failure:
        answering(answer).call({})
    assert not failure.value.timed_out


def test_an_answer_after_the_limit_is_a_time_out():
    seconds = [0.0]

    def dawdle(event, context):
        assert context.get_remaining_time_in_millis() == 29_000
        seconds[0] = 29.001
        assert context.get_remaining_time_in_millis() == 0
        return {"statusCode": 200}

    with pytest.raises(IntegrationFailure) as failure:
        Integration(dawdle, "fn", stopwatch=lambda: seconds[0]).call({})
    assert failure.value.timed_out


def test_the_context_has_what_powertools_reads():
    context = LambdaContext("fn")
    assert context.function_name == "fn"
    assert context.invoked_function_arn.endswith(":function:fn")
    assert context.memory_limit_in_mb > 0
    assert len(context.aws_request_id) == 36
    assert context.aws_request_id == context.aws_request_id
    assert context.aws_request_id != LambdaContext("fn").aws_request_id


def test_ids_are_short_url_safe_and_new():
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(each) == 16 and "/" not in each and "+" not in each for each in ids)
