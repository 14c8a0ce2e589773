"""Firmware management: an update and its reports, diagnostics and theirs. 1.6 gives these no number."""

from __future__ import annotations

from tests.contract.ocpp.asked import Asked
from tests.contract.ocpp.octt16.scripted import NOW, ScriptedCharger

IMAGE = {"location": "https://files.example/fw.bin", "retrieveDate": NOW}
UPLOAD = {"location": "ftp://files.example/diagnostics"}


def report(charger: ScriptedCharger, action: str, *statuses: str) -> None:
    for status in statuses:
        charger.world.advance(1)
        assert charger.call(action, {"status": status}) == {}


def update(charger: ScriptedCharger) -> Asked:
    asked = charger.ask("UpdateFirmware", IMAGE)
    assert asked.reply({}) == "accepted"
    return asked


def test_tc_044_1_csms(charger: ScriptedCharger) -> None:
    """An update, step by step, with a reboot in it: the command shows every step."""
    asked = update(charger)
    report(charger, "FirmwareStatusNotification", "Downloading", "Downloaded")
    charger.status("Unavailable")
    report(charger, "FirmwareStatusNotification", "Installing")
    charger.reboot()
    report(charger, "FirmwareStatusNotification", "Installed")
    assert asked.progress() == ["Downloading", "Downloaded", "Installing", "Installed"]
    assert charger.journal("firmware")[0]["data"] == {"status": "Installed"}


def test_tc_044_2_csms(charger: ScriptedCharger) -> None:
    """The image cannot be fetched."""
    asked = update(charger)
    report(charger, "FirmwareStatusNotification", "Downloading", "DownloadFailed")
    assert asked.progress() == ["Downloading", "DownloadFailed"]


def test_tc_044_3_csms(charger: ScriptedCharger) -> None:
    """The image cannot be installed: the charger goes on as before."""
    asked = update(charger)
    report(charger, "FirmwareStatusNotification", "Downloading", "Downloaded", "Installing", "InstallationFailed")
    charger.status("Available")
    assert asked.progress()[-1] == "InstallationFailed"


def test_tc_045_1_csms(charger: ScriptedCharger) -> None:
    """Diagnostics are uploaded under the name that the charger gives."""
    asked = charger.ask("GetDiagnostics", UPLOAD)
    assert asked.reply({"fileName": "diagnostics.zip"}) == "accepted"
    report(charger, "DiagnosticsStatusNotification", "Uploading", "Uploaded")
    assert asked.progress() == ["Uploading", "Uploaded"]
    assert charger.journal("log")[0]["data"] == {"status": "Uploaded"}


def test_tc_045_2_csms(charger: ScriptedCharger) -> None:
    """The upload of diagnostics fails."""
    asked = charger.ask("GetDiagnostics", UPLOAD)
    assert asked.reply({"fileName": "diagnostics.zip"}) == "accepted"
    report(charger, "DiagnosticsStatusNotification", "Uploading", "UploadFailed")
    assert asked.progress() == ["Uploading", "UploadFailed"]


def test_reports_without_a_request_are_taken(charger: ScriptedCharger) -> None:
    """A charger that was updated at its own desk reports all the same."""
    report(charger, "FirmwareStatusNotification", "Idle", "Installed")
    report(charger, "DiagnosticsStatusNotification", "Idle")
    assert charger.journal("firmware")[0]["summary"] == "Installed"


def test_the_latest_update_has_the_reports(charger: ScriptedCharger) -> None:
    first, second = update(charger), update(charger)
    report(charger, "FirmwareStatusNotification", "Downloading")
    assert (first.progress(), second.progress()) == ([], ["Downloading"])
