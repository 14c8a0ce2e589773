"""The worlds as fixtures. The one patch is of moto's Lambda backend, which has no functions in process."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.awslambda_simple.models import LambdaSimpleBackend

from infra.local import aws_hooks
from infra.local.stepfunctions import hook
from tests.contract.stepfunctions.worlds import MotoWorld, OurWorld


def _client() -> Any:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client("stepfunctions", region_name="us-east-1", **keys)


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[OurWorld]:
    world = OurWorld(_client(), str(tmp_path / "workflows.sqlite"))
    restore = hook.install(world.runner)
    world.client = _client()
    yield world
    restore()
    world.runner.close()


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoWorld]:
    world = MotoWorld(None)

    def invoke(
        backend: LambdaSimpleBackend, function_name: str, qualifier: Any, body: Any, headers: Any, response_headers: Any
    ) -> bytes:
        try:
            value = world.calls.make(world, function_name, json.loads(body))
        except Exception as error:
            response_headers["x-amz-function-error"] = "Unhandled"
            value = {"errorType": type(error).__name__, "errorMessage": str(error)}
        return json.dumps(value).encode()

    # It logs every failing state with the whole program, and failing states are half of the cases.
    logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LambdaSimpleBackend, "invoke", invoke)
        with mock_aws(config={"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}):
            world.client = aws_hooks.release(_client())
            yield world
