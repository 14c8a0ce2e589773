"""What the operators' endpoints of wallets share."""

from __future__ import annotations

from chalicelib.kernel.http import Api

api = Api("wallets", "operator")
