"""Writes docs/openapi.json from the code: `python -m infra.openapi`. A test fails when the two differ."""

from __future__ import annotations

from pathlib import Path

from app import openapi_json

PATH = Path(__file__).parents[1] / "docs" / "openapi.json"


def main() -> None:
    PATH.write_text(openapi_json(), encoding="utf-8")


if __name__ == "__main__":
    main()
