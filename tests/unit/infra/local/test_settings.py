"""What is in the way of a start is told in words, before anything is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.local.settings import CannotStart, LocalSettings


@pytest.mark.parametrize("port", ["abc", "0", "-1", "65536", "8000.0", " "])
def test_a_port_that_is_none(port: str) -> None:
    with pytest.raises(CannotStart, match="PORT is a number"):
        LocalSettings.from_environment({"PORT": port})


def test_what_is_empty_is_not_given() -> None:
    empty = dict.fromkeys(("PORT", "DATA_DIR", "EPHEMERAL", "DEMO", "ADMIN_EMAIL", "ADMIN_PASSWORD"), "")
    assert LocalSettings.from_environment(empty) == LocalSettings() == LocalSettings.from_environment({})


def test_what_is_given_counts() -> None:
    given = {"PORT": "8301", "DATA_DIR": "a b", "DEMO": "0", "ADMIN_EMAIL": "root@x.example", "ADMIN_PASSWORD": "s"}
    assert LocalSettings.from_environment(given) == LocalSettings(8301, Path("a b"), False, "root@x.example", "s")
    assert LocalSettings.from_environment(given | {"EPHEMERAL": "1"}).data_dir is None


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotStart, match="cannot be made"):
        LocalSettings(data_dir=tmp_path / "file").prepare()


def test_one_platform_per_folder(tmp_path: Path) -> None:
    settings = LocalSettings(data_dir=tmp_path)
    with settings.occupied(), pytest.raises(CannotStart, match="Another platform"), settings.occupied():
        raise AssertionError("two platforms in one folder")
    with settings.occupied():
        pass


def test_nothing_is_kept_from_those_who_keep_nothing() -> None:
    settings = LocalSettings(data_dir=None)
    settings.prepare()
    with settings.occupied(), settings.occupied():
        assert settings.file("dynamodb.sqlite3") == ":memory:"
