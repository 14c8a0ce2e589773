"""What operators see and do of OCPP itself: commands to chargers; each file adds its endpoints to `api`."""

from chalicelib.ocpp.api_operator import commands
from chalicelib.ocpp.api_operator.common import api

__all__ = ["api", "commands"]
