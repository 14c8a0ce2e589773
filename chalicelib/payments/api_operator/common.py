"""The one `Api` that the modules of this folder add their endpoints to."""

from __future__ import annotations

from chalicelib.kernel.http import Api

api = Api("payments", "operator")
