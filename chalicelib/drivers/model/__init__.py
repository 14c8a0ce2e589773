"""What the drivers capability knows. Pure; one file per noun."""

from chalicelib.drivers.model.drivers import Driver, DriverLink, DriverState, matches_search
from chalicelib.drivers.model.id_tokens import (
    MAX_CARDS,
    IdToken,
    IdTokenKind,
    IdTokenStatus,
    Verdict,
    app_token,
    check_id_token,
    id_token_key,
    looks_like_app_token,
)

__all__ = [
    "MAX_CARDS",
    "Driver",
    "DriverLink",
    "DriverState",
    "IdToken",
    "IdTokenKind",
    "IdTokenStatus",
    "Verdict",
    "app_token",
    "check_id_token",
    "id_token_key",
    "looks_like_app_token",
    "matches_search",
]
