"""Expands the SAM template to plain CloudFormation, offline, as the service does on deployment.

`python -m infra.expand build/package/template.yaml` prints it. cfn-lint sees a reference to nothing only in the
expanded form: the tests lint that.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from infra.compose import Tree
from infra.local.template import load_template

REGION: Final = "eu-west-1"
PARAMETERS: Final = {"OriginSecret": "an-origin-secret-of-at-least-32-characters"}
_LOCAL_FILES: Final = ("CodeUri", "DefinitionUri")


def expand(template: Tree) -> Tree:
    """The plain CloudFormation of a packaged template. samtranslator's InvalidDocumentException if it is none."""
    uploaded = json.loads(json.dumps(template))
    for resource in uploaded["Resources"].values():
        properties = resource.get("Properties", {})
        for name in _LOCAL_FILES:
            if name in properties:
                # The service accepts uploaded files only; where they lie does not matter here.
                properties[name] = f"s3://artifacts/{properties[name].removeprefix('./')}"
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
    expanded: Tree = translator.translate(uploaded, parameter_values=_defaults(template) | PARAMETERS)
    return expanded


def _defaults(template: Tree) -> dict[str, Any]:
    return {name: entry["Default"] for name, entry in template["Parameters"].items() if "Default" in entry}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(expand(load_template(Path(sys.argv[1]))), indent=1) + "\n")
