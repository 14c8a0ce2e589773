"""The Lambda functions of a deployment: their logical ids, and where their code begins.

Read from what is deployed: Chalice's metadata of app.py, and `infra/stack/websocket.yaml` for the three of the
WebSocket API, which Chalice does not know.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Final

from chalice.utils import to_cfn_resource_name

from chalicelib.kernel import rest
from infra.local.template import load_template

REST: Final = "APIHandler"
WEBSOCKET_PART: Final = Path(__file__).resolve().parent.parent / "stack" / "websocket.yaml"


def entry_points() -> dict[str, list[Any]]:
    """By logical id, the objects whose code a function may run."""
    product = importlib.import_module("app")
    # The REST function runs what the composition root names.
    found: dict[str, list[Any]] = {REST: [rest.handle, *vars(product).values()]}
    handlers = {
        to_cfn_resource_name(function.name): function.handler_string
        for function in (*product.app.event_sources, *product.app.pure_lambda_functions)
    }
    for name, handler in (handlers | websocket_handlers()).items():
        module, _, attribute = handler.rpartition(".")
        found[name] = [getattr(importlib.import_module(module), attribute)]
    return found


def websocket_handlers() -> dict[str, str]:
    """Dotted names of the handlers by logical id."""
    resources = load_template(WEBSOCKET_PART)["Resources"]
    return {
        name: resource["Properties"]["Handler"]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::Serverless::Function"
    }
