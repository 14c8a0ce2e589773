"""One set of cases for every DynamoDB we run on: the local engine through the botocore hook, and moto.

Real tables too, when `WATTFARE_CONTRACT_DYNAMODB=aws` is set: then tables named `wattfare-contract-<random>-..`
are made in the account and region of the usual AWS variables, on demand, and deleted afterwards (about a
minute, below a cent). A case that moto gets wrong carries `@pytest.mark.moto_differs(<id of differences.py>)`
and must fail there: when moto learns it, the suite says so.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from chalicelib.kernel.clock import VirtualClock
from infra.local.dynamodb import hook
from infra.local.dynamodb.engine import Engine
from tests.contract.dynamodb.differences import DIFFERENCES
from tests.contract.dynamodb.target import TABLES, Target

TARGETS = ["engine", "moto"] + (["aws"] if os.environ.get("WATTFARE_CONTRACT_DYNAMODB") == "aws" else [])
_FAKE_ACCOUNT = {
    "region_name": "eu-west-1",
    "aws_access_key_id": "contract",
    "aws_secret_access_key": "contract",
}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "moto_differs(id): moto answers otherwise than AWS; the entry of differences.py says how"
    )


@pytest.fixture(scope="module", params=TARGETS)
def shared_target(request: pytest.FixtureRequest) -> Iterator[Target]:
    if request.param == "engine":
        yield from _engine_target()
    elif request.param == "moto":
        with mock_aws():
            yield _with_tables(Target("moto", boto3.client("dynamodb", **_FAKE_ACCOUNT), "moto-"))
    else:
        yield from _aws_target()


@pytest.fixture
def dynamodb(shared_target: Target, request: pytest.FixtureRequest) -> Target:
    """The DynamoDB under test. Tables are shared by a module's cases: take keys from `dynamodb.new_key()`."""
    marker = request.node.get_closest_marker("moto_differs")
    if marker is not None:
        difference = DIFFERENCES[marker.args[0]]
        if shared_target.name == "moto":
            request.applymarker(pytest.mark.xfail(strict=True, reason=f"moto: {difference.moto}"))
    return shared_target


def _engine_target() -> Iterator[Target]:
    engine = Engine(":memory:", VirtualClock().now)
    restore = hook.install(engine)
    try:
        yield _with_tables(Target("engine", boto3.client("dynamodb", **_FAKE_ACCOUNT), "local-"))
    finally:
        restore()
        engine.close()


def _aws_target() -> Iterator[Target]:
    target = Target("aws", boto3.client("dynamodb"), f"wattfare-contract-{uuid.uuid4().hex[:8]}-")
    try:
        yield _with_tables(target)
    finally:
        for name in target.created:
            target.client.delete_table(TableName=name)


def _with_tables(target: Target) -> Target:
    for name, definition in TABLES.items():
        target.create_table(name, definition)
    return target
