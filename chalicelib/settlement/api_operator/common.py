"""What the operator's endpoints of settlement share."""

from __future__ import annotations

from chalicelib.kernel.http import Api

api = Api("settlement", "operator")
