"""Builds the deployable artefact: `python -m infra.package build/package`, or `make package`.

The result is `template.yaml` (SAM), `deployment.zip` and `state_machines/`; `infra.deploy` or the AWS CLI takes them
from there. Needs no AWS account, only pip's package index. The invariant: the same sources and the same wheels give
the same bytes, whatever lies in the working copy.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from chalicelib.ocpp.versions import VERSIONS
from infra import compose
from infra.iam.needs import CLIENTS
from infra.local.template import load_template

STAGE: Final = "live"
SHIPPED: Final = ("app.py", "chalicelib", ".chalice/config.json", "requirements.txt")
SERVICES: Final = frozenset({"dynamodb", "ssm", *CLIENTS})
"""What the product asks of AWS; the models of botocore's other 400 services would be three quarters of the zip."""
UNUSED: Final = (
    "boto3/",  # the product uses botocore alone; boto3 is a quarter of a second of cold start
    "s3transfer/",
    "stripe/params/",  # the types of its parameters: nothing imports them at run time
    "pycparser/",
    "jsonschema/",  # the ocpp package's runtime and what it needs; we use its schemas (see below)
    "jsonschema_specifications/",
    "referencing/",
    "rpds/",
    "attr/",
    "attrs/",
)
OCPP_VERSIONS: Final = frozenset("v" + protocol.removeprefix("ocpp").replace(".", "") for protocol in VERSIONS)
"""Folders of the ocpp package whose schemas we read."""
_OLDEST_DATE: Final = (1980, 1, 1, 0, 0, 0)


class PackagingFailed(Exception):
    """Chalice, or pip inside it, could not build the package."""


def build(out: Path) -> None:
    """Builds into `out`, replacing what was there. Raises PackagingFailed."""
    with tempfile.TemporaryDirectory() as scratch:
        source, made = Path(scratch, "source"), Path(scratch, "made")
        _stage(source)
        _run_chalice(source, made)
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        (out / "template.yaml").write_text(compose.to_yaml(load_template(made / "sam.yaml")))
        shutil.copytree(compose.INFRA / "state_machines", out / "state_machines")
        repack(made / "deployment.zip", out / "deployment.zip")


def _stage(source: Path) -> None:
    """A clean copy to build from: nothing compiled, nothing left from an earlier build, no links."""
    source.mkdir()
    for name in SHIPPED:
        _copy(compose.ROOT / name, source / name)
    # Chalice puts what is in vendor/ at the root of the zip.
    _copy(compose.ROOT / "ws_handlers", source / "vendor" / "ws_handlers")
    (source / "merge.yaml").write_text(compose.to_yaml(compose.compose()))


def _copy(origin: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if origin.is_dir():
        shutil.copytree(origin, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    else:
        shutil.copyfile(origin, target)


def _run_chalice(source: Path, made: Path) -> None:
    # The region is asked for and not used; pip keeps the configuration of the caller's environment.
    environment = {"AWS_DEFAULT_REGION": "eu-west-1", **os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = ["package", "--stage", STAGE, "--merge-template", "merge.yaml", "--template-format", "yaml", str(made)]
    done = subprocess.run(
        [sys.executable, "-c", "from chalice.cli import main; main()", *command],
        cwd=source,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0 or not (made / "sam.yaml").exists():
        raise PackagingFailed(f"chalice package failed:\n{done.stdout}{done.stderr}")


def repack(origin: Path, target: Path) -> None:
    """The zip without what is never read, in stable order, without dates."""
    with (
        zipfile.ZipFile(origin) as whole,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as zipped,
    ):
        for name in sorted(whole.namelist()):
            if name.endswith("/") or not _is_needed(name):
                continue
            info = zipfile.ZipInfo(name, _OLDEST_DATE)
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            zipped.writestr(info, whole.read(name))


def _is_needed(name: str) -> bool:
    parts = name.split("/")
    if name.startswith(UNUSED) or "__pycache__" in parts or name.endswith((".pyc", ".pyi", ".c", ".h")):
        return False
    if parts[0].endswith(".dist-info"):
        # Versions are asked for at run time; the rest tells of the machine that installed it.
        return parts[-1] == "METADATA"
    if name.startswith("botocore/data/"):
        return len(parts) == 3 or parts[2] in SERVICES
    if parts[0] == "ocpp" and len(parts) > 2:
        return parts[1] in OCPP_VERSIONS
    return True


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "build/package")
    try:
        build(target)
    except PackagingFailed as failure:
        sys.exit(str(failure))
    size_mb = (target / "deployment.zip").stat().st_size / 1e6
    sys.stdout.write(f"{target}: template.yaml, state_machines/, deployment.zip ({size_mb:.1f} MB)\n")
