"""Puts the parts of the stack together: `infra/template.yaml` and `infra/stack/*.yaml` become one merge template.

Chalice merges one file, and one file with everything would be a thousand lines. `infra.package` calls this; so do the
tests. The invariant: parts may add to each other, never contradict.
"""

from __future__ import annotations

import hashlib
import json
import sys
from typing import Any, Final

import yaml

from infra.local.template import TEMPLATE_PATH, load_template

INFRA: Final = TEMPLATE_PATH.parent
ROOT: Final = INFRA.parent
Tree = dict[str, Any]

_DEPLOYMENT: Final = "WebSocketDeployment"
_MTLS_OFF: Final = "var VIEWER_MTLS = false;"
_MTLS_ON: Final = "var VIEWER_MTLS = true;"
_ROUTING: Final = ("AWS::ApiGatewayV2::Route", "AWS::ApiGatewayV2::RouteResponse", "AWS::ApiGatewayV2::Integration")


def compose() -> Tree:
    """The whole stack beside what Chalice makes, intrinsics in their long forms. ValueError if parts contradict."""
    template = load_template()
    for part in sorted((INFRA / "stack").glob("*.yaml")):
        template = merged(template, load_template(part), part.name)
    del template["Metadata"]  # the parts' YAML anchors
    # Compiled wheels are the running interpreter's, so all functions run on its version.
    template["Globals"]["Function"]["Runtime"] = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for resource in template["Resources"].values():
        if resource.get("Type") == "AWS::CloudFront::Function":
            properties = resource["Properties"]
            properties["FunctionCode"] = edge_code((INFRA / properties["FunctionCode"]).read_text())
    return with_named_deployment(template)


def edge_code(source: str) -> Tree:
    """The CDN's function, which may believe certificate headers only where CloudFront itself sets them."""
    with_mtls = source.replace(_MTLS_OFF, _MTLS_ON)
    if with_mtls == source:
        raise ValueError(f"the CDN's function does not say {_MTLS_OFF!r}")
    return {"Fn::If": ["ViewerMtls", with_mtls, source]}


def to_yaml(template: Tree) -> str:
    """CloudFormation's YAML: no aliases, stable order."""
    return yaml.dump(template, Dumper=_PlainDumper, sort_keys=True, allow_unicode=True, width=120)


class _PlainDumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def merged(one: Any, other: Any, where: str) -> Any:
    """Both trees in one. ValueError where they say different things."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {
            key: merged(one[key], other[key], f"{where}: {key}")
            if key in one and key in other
            else one.get(key, other.get(key))
            for key in {**one, **other}
        }
    if one != other:
        raise ValueError(f"{where} stands in two parts of the stack")
    return one


def with_named_deployment(template: Tree, name: str = _DEPLOYMENT) -> Tree:
    """A WebSocket deployment is a snapshot of the routes: a digest of them in its name makes a new one when they
    change (SAM does the same for REST)."""
    routing = {name: part for name, part in template["Resources"].items() if part.get("Type") in _ROUTING}
    digest = hashlib.sha256(json.dumps(routing, sort_keys=True).encode()).hexdigest()[:10]
    renamed: Tree = _renamed(template, name, f"{_DEPLOYMENT}{digest}")
    return renamed


def _renamed(value: Any, old: str, new: str) -> Any:
    if isinstance(value, dict):
        return {new if key == old else key: _renamed(entry, old, new) for key, entry in value.items()}
    if isinstance(value, list):
        return [_renamed(entry, old, new) for entry in value]
    return new if value == old else value
