"""Where moto 5.2.5 and our runner differ: what AWS does (and ours), and why moto does not. Nothing else may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Difference:
    """`aws` is (status, output, error) as the service gives it."""

    aws: tuple[str, Any, str | None]
    why: str


DIFFERENCES: dict[str, Difference] = {}
