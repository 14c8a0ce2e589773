"""The ids of the test cases for a CSMS that OCPP 2.1 has beyond 2.0.1. Ids are facts, the texts are the OCA's."""

from __future__ import annotations

from typing import Final

_NUMBERS: Final = {
    "B": "100 103 104 105 116",
    "C": "103 104 108 113 117 118 119 120 125 126 131 132 133",
    "E": "102 106 107 108 109 110 111 113 117",
    "F": "100",
    "G": "20",
    "I": "101 102 105 106 109 110 113 114 115 122",
    "K": "100 101 102 104 106 109 113 114 115 117 118 121 126",
    "M": "100 101",
    "N": "100 102 102_2 104 105 107",
    "O": "100 101",
    "Q": "102 103 107 108 109 110 111 112 117 120 121 124",
    "R": "107 108",
    "S": "102 103",
}
ALL: Final = tuple(f"TC_{block}_{number}" for block, numbers in _NUMBERS.items() for number in numbers.split())
