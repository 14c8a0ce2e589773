"""What operators see and do of OCPP: commands, findings, the message log, payment codes.

Each file adds its endpoints to `api`.
"""

from chalicelib.ocpp.api_operator import commands, findings, messages, web_payments
from chalicelib.ocpp.api_operator.common import api

__all__ = ["api", "commands", "findings", "messages", "web_payments"]
