"""The platform's own template: what every charger is to be set to unless its operator says otherwise.

Why each value: ADR 0022. What is not in this list is the charger's own matter: each further setting is one more that
firmware may refuse. 1.6 keys and 2.x variables say the same.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from chalicelib.chargers.model.links import HEARTBEAT_INTERVAL_S
from chalicelib.chargers.model.templates import ChargerTemplate, Setting

SAMPLE_INTERVAL_S: Final = 60
"""How long a driver's money may be overspent before we hear of it: 0.37 kWh at 22 kW."""
PLUG_IN_TIMEOUT_S: Final = 120
"""As long as a start is waited for (charging.model.START_TIMEOUT)."""

_ENERGY: Final = "Energy.Active.Import.Register"
_MEASURANDS: Final = f"{_ENERGY},Power.Active.Import,SoC"
"""What is used, the dearest to lose first: a charger that refuses the list is offered it without its last member."""

_V16: Final = (
    ("HeartbeatInterval", str(HEARTBEAT_INTERVAL_S)),
    ("MeterValueSampleInterval", str(SAMPLE_INTERVAL_S)),
    ("MeterValuesSampledData", _MEASURANDS),
    ("ClockAlignedDataInterval", "0"),
    # A StopTransaction with the samples of a whole night is longer than a frame may be, and would never arrive.
    ("StopTxnSampledData", ""),
    ("StopTxnAlignedData", ""),
    ("ConnectionTimeOut", str(PLUG_IN_TIMEOUT_S)),
    ("StopTransactionOnInvalidId", "true"),
    ("StopTransactionOnEVSideDisconnect", "true"),
    ("LocalPreAuthorize", "false"),
    # Offline the cards of its list charge; online we are asked, who know what was blocked a second ago.
    ("LocalAuthorizeOffline", "true"),
    ("LocalAuthListEnabled", "true"),
    ("AuthorizeRemoteTxRequests", "false"),
    ("AllowOfflineTxForUnknownId", "false"),
)
_V2: Final = (
    ("OCPPCommCtrlr/HeartbeatInterval", str(HEARTBEAT_INTERVAL_S)),
    ("SampledDataCtrlr/TxUpdatedInterval", str(SAMPLE_INTERVAL_S)),
    ("SampledDataCtrlr/TxUpdatedMeasurands", _MEASURANDS),
    ("SampledDataCtrlr/TxStartedMeasurands", _ENERGY),
    # 0: the begin and the end alone.
    ("SampledDataCtrlr/TxEndedInterval", "0"),
    ("SampledDataCtrlr/TxEndedMeasurands", _ENERGY),
    ("AlignedDataCtrlr/Interval", "0"),
    ("AlignedDataCtrlr/TxEndedInterval", "0"),
    ("TxCtrlr/EVConnectionTimeOut", str(PLUG_IN_TIMEOUT_S)),
    ("TxCtrlr/StopTxOnInvalidId", "true"),
    ("TxCtrlr/StopTxOnEVSideDisconnect", "true"),
    ("AuthCtrlr/LocalPreAuthorize", "false"),
    ("AuthCtrlr/LocalAuthorizeOffline", "true"),
    ("LocalAuthListCtrlr/Enabled", "true"),
    ("AuthCtrlr/AuthorizeRemoteStart", "false"),
    ("AuthCtrlr/OfflineTxForUnknownIdEnabled", "false"),
)

BUILT_IN: Final = ChargerTemplate(
    template_id="platform",
    operator_id=None,
    name="Platform default",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    settings=[Setting(name, value) for name, value in (*_V16, *_V2)],
)
