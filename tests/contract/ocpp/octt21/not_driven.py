"""Cases that no test of this folder plays, and why. What they send goes out all the same: tests/contract/ocpp/
test_commands_v2.py."""

from __future__ import annotations

from typing import Final

_TERMINAL: Final = "Needs a payment terminal that takes the money: drivers of this platform pay from their wallet."
_V2X: Final = (
    "Needs a platform that buys energy back from cars; this one sells, and answers needs by a charging profile."
)
_LOAD: Final = "Needs load management: the platform changes no limit by itself, and says so when asked for one."
_STREAM: Final = "Streams that nobody answers are refused: the same values come by NotifyEvent, which is answered."
_NO_OPERATOR: Final = "Needs a mobility operator that makes contract certificates; the platform has none behind it."

NOT_DRIVEN: Final[dict[str, str]] = {
    **dict.fromkeys(("TC_C_113", "TC_C_117", "TC_C_118", "TC_C_119", "TC_C_120", "TC_C_125", "TC_C_126"), _TERMINAL),
    "TC_I_109": "Tariffs of drivers are not sent to stations: the cost is reckoned here, and told in each answer.",
    **dict.fromkeys(("TC_K_115", "TC_K_121", "TC_K_126"), _LOAD),
    "TC_K_114": _V2X,
    "TC_M_100": _NO_OPERATOR,
    "TC_N_105": _STREAM,
    "TC_O_101": "Answers about an id token name no language: the driver's is used in the app and in mails.",
    **dict.fromkeys(
        (
            "TC_Q_102",
            "TC_Q_103",
            "TC_Q_107",
            "TC_Q_108",
            "TC_Q_109",
            "TC_Q_110",
            "TC_Q_111",
            "TC_Q_112",
            "TC_Q_117",
            "TC_Q_120",
            "TC_Q_121",
            "TC_Q_124",
        ),
        _V2X,
    ),
}
