"""What firmware says, and what it means: the tables that repairs are made by. Pure data, for `ocpp/repair*.py` alone.

A word is looked up folded (small letters, neither spaces nor signs). A fallback stands for a property that the standard
requires and that was not told, or not understood; none of them moves money.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    # 1.5 and 2.x have one word where 1.6 has several: to 1.6 the place is taken, and nobody charges yet.
    "occupied": ("Preparing",),
    "preparing": ("Occupied",),
    "charging": ("Occupied",),
    "suspendedev": ("Occupied",),
    "suspendedevse": ("Occupied",),
    "finishing": ("Occupied",),
    "inoperative": ("Unavailable",),
    "error": ("OtherError", "Faulted"),
    "fault": ("OtherError", "Faulted"),
    "none": ("NoError",),
    "ok": ("NoError", "Accepted"),
    "celsius": ("Celsius", "Celcius"),
    "celcius": ("Celcius", "Celsius"),
    "c": ("Celsius", "Celcius"),
    "hz": ("Hertz",),
    "amp": ("A",),
    "amps": ("A",),
    "ampere": ("A",),
    "volt": ("V",),
    "volts": ("V",),
    "watt": ("W",),
    "watts": ("W",),
    "%": ("Percent",),
    "periodic": ("Sample.Periodic",),
    "clock": ("Sample.Clock",),
    "begin": ("Transaction.Begin",),
    "end": ("Transaction.End", "Ended"),
    "start": ("Started",),
    "begun": ("Started",),
    "stop": ("Ended",),
    "stopped": ("Ended",),
    "update": ("Updated",),
    "rfid": ("ISO14443",),
    "iso14443a": ("ISO14443",),
    "iso15118": ("eMAID",),
    "energy": ("Energy.Active.Import.Register",),
    "power": ("Power.Active.Import",),
    "current": ("Current.Import",),
    "stateofcharge": ("SoC",),
}
"""Folded word → what the standard calls it, the first that the schema has. Exact and folded names come before."""

UNKNOWN_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "errorCode": ("OtherError",),
    "reason": ("Other", "Unknown"),
    "stoppedReason": ("Other",),
    "eventType": ("Updated",),
    "type": ("ISO14443",),
}
"""Property → the word for a value that its enumeration does not have."""

MISSING_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "errorCode": ("NoError",),
    "reason": ("Unknown",),
    "eventType": ("Updated",),
    "type": ("ISO14443",),
}
"""Property → the word for one that is required and was not sent."""

MISSING_VALUES: Final[Mapping[str, object]] = {
    "chargePointVendor": "",
    "chargePointModel": "",
    "vendorName": "",
    "model": "",
    "readonly": False,
}
"""Property → what stands for one that is required, has no enumeration, and was not told."""

MISSING_WITHIN: Final[Mapping[tuple[str, str], str]] = {("idToken", "type"): "ISO14443"}
"""Object and property → the same for a word that only this object has. 2.1 has no enumeration of token types any more;
without its type the token would be left out, and with it who pays."""

MISSING_OBJECTS: Final = frozenset({"chargingStation"})
"""Required objects that are made of what stands for their properties."""

RECEIPT_TIMES: Final = frozenset({"timestamp", "generatedAt"})
"""Required moments that, when not told, are those of receipt."""

TELLING: Final = frozenset({"measurand", "unit", "phase", "location", "unitOfMeasure", "multiplier"})
"""What says how a reading is to be read: where it is not understood the reading is not either. Its default would
make energy of a temperature, or the whole of a third."""

SCALAR_HOMES: Final[Mapping[str, str]] = {
    "evse": "id",
    "idToken": "idToken",
    "transactionInfo": "transactionId",
    "chargingStation": "model",
    "unitOfMeasure": "unit",
}
"""Object → the property that a bare value sent in its place belongs to."""

METERS: Final[Mapping[str, int]] = {"": 1, "wh": 1, "kwh": 1000}
"""Unit behind the number of an integer register → Wh."""
METER_REGISTERS: Final = frozenset({"meterStart", "meterStop"})
