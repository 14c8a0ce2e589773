"""The Api of this folder."""

from __future__ import annotations

from chalicelib.kernel.http import Api

api = Api("ocpp", "operator")
