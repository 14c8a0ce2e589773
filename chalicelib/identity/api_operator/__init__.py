"""Organisations, their people and their rights, for those who run them. One file per noun."""

from chalicelib.identity.api_operator import groups, organizations, users
from chalicelib.identity.api_operator.common import api

__all__ = ["api", "groups", "organizations", "users"]
