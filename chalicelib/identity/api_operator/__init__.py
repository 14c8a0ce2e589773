"""Organisations, their people and their rights, for those who run them. One file per noun."""

from chalicelib.identity.api_operator import (
    api_keys,
    audit,
    groups,
    logos,
    organizations,
    regions,
    settings,
    totp,
    users,
    vending_points,
)
from chalicelib.identity.api_operator.common import api

__all__ = [
    "api",
    "api_keys",
    "audit",
    "groups",
    "logos",
    "organizations",
    "regions",
    "settings",
    "totp",
    "users",
    "vending_points",
]
