"""The deployable artefact, built once per run of the tests however many workers they have."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from infra import package
from infra.compose import Tree
from infra.expand import expand
from infra.local.template import load_template


@pytest.fixture(scope="session")
def artefact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make package` builds: template.yaml, deployment.zip, state_machines/."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    return _once(shared / "artefact", package.build)


@pytest.fixture(scope="session")
def sam_template(artefact: Path) -> Tree:
    return load_template(artefact / "template.yaml")


@pytest.fixture(scope="session")
def cloudformation(sam_template: Tree) -> Tree:
    """The same as the service sees it."""
    return expand(sam_template)


def _once(target: Path, build: Callable[[Path], None]) -> Path:
    """Builds unless another worker has; who comes meanwhile waits. A build that failed is tried by the next."""
    with target.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            unfinished = target.with_suffix(".unfinished")
            build(unfinished)
            unfinished.rename(target)
    return target
