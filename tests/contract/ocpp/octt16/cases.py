"""The ids of the Open Charge Alliance's 1.6 cases whose system under test is the central system, by profile.

The ids are facts; what a case does is told in our own words where it is played. `NOT_DRIVEN` names those that cannot
be played in one process, and why.
"""

from __future__ import annotations

from typing import Final

CASES: Final[dict[str, tuple[str, ...]]] = {
    "Core": (
        "TC_001",
        "TC_003",
        "TC_004_1",
        "TC_004_2",
        "TC_005_1",
        "TC_007",
        "TC_010",
        "TC_011_1",
        "TC_011_2",
        "TC_012",
        "TC_013",
        "TC_014",
        "TC_017_1",
        "TC_017_2",
        "TC_018_1",
        "TC_019_1",
        "TC_019_2",
        "TC_021",
        "TC_023_1",
        "TC_023_2",
        "TC_023_3",
        "TC_024",
        "TC_026",
        "TC_028",
        "TC_030",
        "TC_031",
        "TC_032_1",
        "TC_037_1",
        "TC_037_3",
        "TC_039",
        "TC_040_1",
        "TC_040_2",
        "TC_061",
        "TC_064",
    ),
    "LocalAuthList": (
        "TC_042_1",
        "TC_042_2",
        "TC_043_1",
        "TC_043_3",
        "TC_043_4",
        "TC_043_5",
    ),
    "Firmware": ("TC_044_1", "TC_044_2", "TC_044_3", "TC_045_1", "TC_045_2"),
    "Reservation": (
        "TC_046",
        "TC_047",
        "TC_048_1",
        "TC_048_2",
        "TC_048_3",
        "TC_048_4",
        "TC_049",
        "TC_051",
        "TC_052",
        "TC_053",
    ),
    "RemoteTrigger": ("TC_054", "TC_055"),
    "SmartCharging": ("TC_056", "TC_057", "TC_059", "TC_066", "TC_067"),
    "Security": (
        "TC_073",
        "TC_074",
        "TC_075_1",
        "TC_075_2",
        "TC_076",
        "TC_077",
        "TC_078",
        "TC_079",
        "TC_080",
        "TC_081",
        "TC_083",
        "TC_085",
        "TC_086",
        "TC_087",
        "TC_088",
    ),
}

ALL: Final = frozenset(f"{case}_CSMS" for cases in CASES.values() for case in cases)

NOT_DRIVEN: Final[dict[str, str]] = {
    "TC_086_CSMS": "TLS ends at the CDN: versions and cipher suites are the security policy of its distribution, which "
    "no handler of ours sees. That this policy begins at TLS 1.2 is read from the template in test_security.py.",
}
