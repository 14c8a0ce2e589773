"""Imports and exports, for everybody who works for an organisation. One file per noun."""

from chalicelib.files.api_operator import exports, imports
from chalicelib.files.api_operator.common import api

__all__ = ["api", "exports", "imports"]
