"""The zip that Lambda runs: what must be in it is, what must not is not, and every entry point starts from it."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra import package
from infra.compose import ROOT, Tree
from infra.iam.functions import entry_points

pytestmark = pytest.mark.package

# Lambda's limit is 250 MB unpacked, and every MB is cold start.
ZIP_LIMIT_MB = 20
UNPACKED_LIMIT_MB = 60
RUNS_HERE = (sys.platform, platform.machine()) == ("linux", "x86_64")


@pytest.fixture(scope="module")
def names(artefact: Path) -> set[str]:
    with zipfile.ZipFile(artefact / "deployment.zip") as zipped:
        return set(zipped.namelist())


@pytest.fixture(scope="module")
def unpacked(artefact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(artefact / "deployment.zip") as zipped:
        zipped.extractall(target)
    return target


def test_everything_of_the_product_is_in_it(names: set[str]) -> None:
    ours = {
        str(path.relative_to(ROOT))
        for top in ("chalicelib", "ws_handlers")
        for path in (ROOT / top).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert ours | {"app.py"} <= names


def test_what_it_runs_on_is_in_it(names: set[str]) -> None:
    for wanted in ("jsonschema_rs/", "msgspec/", "pynamodb/", "botocore/", "stripe/", "jwt/", "argon2/", "chalice/"):
        assert any(name.startswith(wanted) for name in names), wanted
    assert "openpyxl/reader/excel.py" in names
    assert sum(name.startswith("ocpp/v16/schemas/") for name in names) == 78
    for service in package.SERVICES:
        assert any(name.startswith(f"botocore/data/{service}/") for name in names), service


def test_bytes_pass_the_gateway_as_bytes(sam_template: Tree) -> None:
    """Workbooks and PDFs: API Gateway decodes an answer only if it knows all types as binary."""
    definition = sam_template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
    assert definition["x-amazon-apigateway-binary-media-types"] == ["*/*"]


def test_nothing_else_is_in_it(names: set[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert not tops & {"infra", "tests", "bench", "vendor", "moto", "pytest", "aiohttp", "boto3", "pip", "docs"}
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
    services = {name.split("/")[2] for name in names if name.startswith("botocore/data/") and name.count("/") > 2}
    assert services == set(package.SERVICES)


def test_it_is_small(artefact: Path) -> None:
    with zipfile.ZipFile(artefact / "deployment.zip") as zipped:
        unpacked_size = sum(entry.file_size for entry in zipped.infolist())
    assert (artefact / "deployment.zip").stat().st_size < ZIP_LIMIT_MB * 1e6
    assert unpacked_size < UNPACKED_LIMIT_MB * 1e6


def test_the_same_files_are_the_same_bytes(artefact: Path, tmp_path: Path) -> None:
    """Whatever order and dates the builder's file system gave them: else every deployment would be a new one."""
    with zipfile.ZipFile(artefact / "deployment.zip") as zipped, zipfile.ZipFile(tmp_path / "odd.zip", "w") as odd:
        for name in reversed(zipped.namelist()):
            odd.writestr(zipfile.ZipInfo(name, (2026, 3, 1, 12, 0, 0)), zipped.read(name))
    package.repack(tmp_path / "odd.zip", tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == (artefact / "deployment.zip").read_bytes()


def test_the_workflows_lie_where_the_template_looks_for_them(artefact: Path, sam_template: Tree) -> None:
    for resource in sam_template["Resources"].values():
        for name in ("DefinitionUri", "CodeUri"):
            if name in resource.get("Properties", {}):
                assert (artefact / resource["Properties"][name]).is_file()


PROGRAM = """
import importlib, json, sys
sys.path[:0] = [sys.argv[1]]
for handler in json.loads(sys.argv[2]):
    module, name = handler.rsplit(".", 1)
    entry = getattr(importlib.import_module(module), name)
    assert callable(entry), handler
from chalicelib.kernel.context import current
for service in json.loads(sys.argv[3]):
    current().client(service, "https://localhost" if service == "apigatewaymanagementapi" else None)
print(sorted({name.split(".")[0] for name in sys.modules} & {"boto3", "moto", "infra", "pytest"}))
"""


@pytest.mark.skipif(not RUNS_HERE, reason="the wheels in the zip are for Linux on x86-64, as Lambda is")
def test_every_entry_point_starts_from_the_zip_alone(unpacked: Path, cloudformation: Tree) -> None:
    """In a process that sees the standard library and the zip: -I and -S keep everything else of this machine out."""
    handlers = {
        name: part["Properties"]["Handler"]
        for name, part in cloudformation["Resources"].items()
        if part["Type"] == "AWS::Lambda::Function"
    }
    assert set(handlers) == set(entry_points())
    arguments = [str(unpacked), json.dumps(sorted(handlers.values())), json.dumps(sorted(package.SERVICES))]
    environment = {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PROGRAM, *arguments],
        cwd=unpacked,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


@pytest.mark.skipif(not RUNS_HERE, reason="the wheels in the zip are for Linux on x86-64, as Lambda is")
def test_the_frame_handler_answers_from_the_zip(unpacked: Path) -> None:
    """The schemas are read and compiled from the pruned package: an unknown action and a wrong type are told apart."""
    program = (
        "import sys; sys.path[:0] = [sys.argv[1]]\n"
        "from chalicelib.ocpp.versions import VERSIONS\n"
        "version = VERSIONS['ocpp1.6']\n"
        "print(all(version.schemas.violation(name, {'x': 1}) is not None for name in version.actions))\n"
        "print(version.schemas.violation('Heartbeat', {}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, str(unpacked)], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["True", "None"], done.stderr
