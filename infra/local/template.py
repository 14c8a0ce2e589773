"""Reads `infra/template.yaml` as CloudFormation would, as far as the local stack needs it: tables, state machines.

The local stack is another implementation of the same template, so it cannot drift from what is deployed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

INFRA = Path(__file__).resolve().parent.parent
TEMPLATE_PATH = INFRA / "template.yaml"
_REFERENCE = re.compile(r"\$\{([^!}][^}]*)\}")


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms (`!Sub x` is `{"Fn::Sub": x}`)."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    return {name: value}


_Loader.add_multi_constructor("!", _short_form)


def load_template(path: Path = TEMPLATE_PATH) -> dict[str, Any]:
    """The template with its intrinsics in their long forms."""
    loaded: dict[str, Any] = yaml.load(path.read_text(), Loader=_Loader)
    return loaded


def resolve(value: Any, values: Mapping[str, str]) -> Any:
    """Replaces Ref and Fn::Sub by `values` (parameters and pseudo parameters). KeyError for what is not there."""
    if isinstance(value, dict):
        if set(value) == {"Ref"}:
            return values[value["Ref"]]
        if set(value) == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
            return _REFERENCE.sub(lambda match: values[match[1]], value["Fn::Sub"])
        return {key: resolve(entry, values) for key, entry in value.items()}
    if isinstance(value, list):
        return [resolve(entry, values) for entry in value]
    return value


def parameters(template: Mapping[str, Any]) -> dict[str, str]:
    """Default values of the template's parameters."""
    return {
        name: str(parameter["Default"])
        for name, parameter in template.get("Parameters", {}).items()
        if "Default" in parameter
    }


def tables(template: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """The template cut down to its tables, resolved."""
    resources = {
        name: resolve(resource, values)
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::DynamoDB::Table"
    }
    return {"Resources": resources}


def state_machines(template: Mapping[str, Any], function_names: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """ASL documents by logical id, with their DefinitionSubstitutions put in.

    `function_names` maps the logical id of a Lambda function (`SessionAwait`) to the name it is invoked by.
    """
    machines = {}
    for name, resource in template["Resources"].items():
        if resource["Type"] != "AWS::Serverless::StateMachine":
            continue
        properties = resource["Properties"]
        text = (INFRA / "state_machines" / Path(properties["DefinitionUri"]).name).read_text()
        for variable, target in properties["DefinitionSubstitutions"].items():
            text = text.replace(f"${{{variable}}}", function_names[target["Fn::GetAtt"][0]])
        machines[name] = json.loads(text)
    return machines
