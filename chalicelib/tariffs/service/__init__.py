"""Use cases of tariffs: write versions, assign them, find the one that applies. None of them commits."""

from chalicelib.tariffs.service.assigning import (
    Candidate,
    Verdict,
    assign_tariff,
    explain_tariff,
    find_applying,
    get_assignment,
    list_assignments,
    resolve_tariff,
    unassign_tariff,
)
from chalicelib.tariffs.service.versions import (
    MAX_VERSIONS_BACK,
    create_tariff,
    get_tariff,
    get_version,
    list_tariffs,
    renew_tariff,
    replace_tariff,
    version_at,
)

__all__ = [
    "MAX_VERSIONS_BACK",
    "Candidate",
    "Verdict",
    "assign_tariff",
    "create_tariff",
    "explain_tariff",
    "find_applying",
    "get_assignment",
    "get_tariff",
    "get_version",
    "list_assignments",
    "list_tariffs",
    "renew_tariff",
    "replace_tariff",
    "resolve_tariff",
    "unassign_tariff",
    "version_at",
]
