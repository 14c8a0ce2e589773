"""The use cases of identity, one file per noun; other capabilities and the APIs import them from here.

Writes land in the caller's unit of work. Only what guards against guessing commits by itself.
"""

from chalicelib.identity.service.codes import request_code, reset_password, verify_code
from chalicelib.identity.service.logins import attach_user, create_driver_login, find_login, require_login
from chalicelib.identity.service.organizations import (
    NewOrganization,
    NewUser,
    create_organization,
    create_user,
    ensure_platform_admin,
    find_organization,
    get_organization,
    get_user,
    is_within,
    lineage_of,
    list_operators,
    list_organizations,
    list_users,
    update_organization,
    update_user,
)
from chalicelib.identity.service.regions import get_region, region_lineage
from chalicelib.identity.service.signing_in import (
    Person,
    Tokens,
    authenticate,
    change_password,
    load_person,
    refresh,
    sign_in,
    sign_out,
)

__all__ = [
    "NewOrganization",
    "NewUser",
    "Person",
    "Tokens",
    "attach_user",
    "authenticate",
    "change_password",
    "create_driver_login",
    "create_organization",
    "create_user",
    "ensure_platform_admin",
    "find_login",
    "find_organization",
    "get_organization",
    "get_region",
    "get_user",
    "is_within",
    "lineage_of",
    "list_operators",
    "list_organizations",
    "list_users",
    "load_person",
    "refresh",
    "region_lineage",
    "request_code",
    "require_login",
    "reset_password",
    "sign_in",
    "sign_out",
    "update_organization",
    "update_user",
    "verify_code",
]
