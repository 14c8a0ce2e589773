"""The use cases of identity, one file per noun; other capabilities and the APIs import them from here.

Writes land in the caller's unit of work. Only what guards against guessing commits by itself.
"""

from typing import TYPE_CHECKING

from chalicelib.identity.service.organizations import (
    NewBankAccount,
    NewOrganization,
    create_organization,
    ensure_platform_admin,
    find_logo,
    find_organization,
    get_organization,
    lineage_of,
    list_operators,
    list_organizations,
    operators_below,
    put_logo,
    remove_logo,
    update_organization,
)
from chalicelib.identity.service.settings import (
    credit_limit_of,
    guest_amounts_of,
    guests_of,
    invoicing_of,
    mail_sender,
    payments_of,
    rounding_of,
)
from chalicelib.kernel import lazy

if TYPE_CHECKING:
    from chalicelib.identity.service.audit_log import actors_of, get_audit_event, list_audit_events, walk_audit_events
    from chalicelib.identity.service.authenticating import authenticate
    from chalicelib.identity.service.codes import request_code, reset_password, verify_code
    from chalicelib.identity.service.credentials import Proof, check_again
    from chalicelib.identity.service.guessing import count_attempt, forget_attempts, refuse_after
    from chalicelib.identity.service.leaving import remove_driver_login
    from chalicelib.identity.service.logins import close_driver_login, create_driver_login, find_login, require_login
    from chalicelib.identity.service.names import change_name, free_name, take_name
    from chalicelib.identity.service.regions import (
        create_region,
        existing_region,
        get_region,
        list_regions,
        region_lineage,
        remove_region,
        restore_region,
        update_region,
    )
    from chalicelib.identity.service.sealing import seal, unseal
    from chalicelib.identity.service.sign_ins import sign_out
    from chalicelib.identity.service.signing_in import Tokens, change_password, load_person, refresh, sign_in
    from chalicelib.identity.service.users import (
        NewUser,
        create_user,
        find_user_by_name,
        get_user,
        list_users,
        names_of_users,
        update_user,
    )
    from chalicelib.identity.service.vending_points import (
        create_vending_point,
        deactivate_vending_point,
        existing_vending_point,
        get_vending_point,
        list_vending_points,
        restore_vending_point,
        update_vending_point,
    )

__all__ = [
    "NewBankAccount",
    "NewOrganization",
    "NewUser",
    "Proof",
    "Tokens",
    "actors_of",
    "authenticate",
    "change_name",
    "change_password",
    "check_again",
    "close_driver_login",
    "count_attempt",
    "create_driver_login",
    "create_organization",
    "create_region",
    "create_user",
    "create_vending_point",
    "credit_limit_of",
    "deactivate_vending_point",
    "ensure_platform_admin",
    "existing_region",
    "existing_vending_point",
    "find_login",
    "find_logo",
    "find_organization",
    "find_user_by_name",
    "forget_attempts",
    "free_name",
    "get_audit_event",
    "get_organization",
    "get_region",
    "get_user",
    "get_vending_point",
    "guest_amounts_of",
    "guests_of",
    "invoicing_of",
    "lineage_of",
    "list_audit_events",
    "list_operators",
    "list_organizations",
    "list_regions",
    "list_users",
    "list_vending_points",
    "load_person",
    "mail_sender",
    "names_of_users",
    "operators_below",
    "payments_of",
    "put_logo",
    "refresh",
    "refuse_after",
    "region_lineage",
    "remove_driver_login",
    "remove_logo",
    "remove_region",
    "request_code",
    "require_login",
    "reset_password",
    "restore_region",
    "restore_vending_point",
    "rounding_of",
    "seal",
    "sign_in",
    "sign_out",
    "take_name",
    "unseal",
    "update_organization",
    "update_region",
    "update_user",
    "update_vending_point",
    "verify_code",
    "walk_audit_events",
]

__getattr__ = lazy.names_in(
    __name__,
    {
        "audit_log": ("actors_of", "get_audit_event", "list_audit_events", "walk_audit_events"),
        "authenticating": ("authenticate",),
        "codes": ("request_code", "reset_password", "verify_code"),
        "credentials": ("Proof", "check_again"),
        "guessing": ("count_attempt", "forget_attempts", "refuse_after"),
        "leaving": ("remove_driver_login",),
        "logins": ("close_driver_login", "create_driver_login", "find_login", "require_login"),
        "names": ("change_name", "free_name", "take_name"),
        "regions": (
            "create_region",
            "existing_region",
            "get_region",
            "list_regions",
            "region_lineage",
            "remove_region",
            "restore_region",
            "update_region",
        ),
        "sealing": ("seal", "unseal"),
        "sign_ins": ("sign_out",),
        "signing_in": ("Tokens", "change_password", "load_person", "refresh", "sign_in"),
        "users": (
            "NewUser",
            "create_user",
            "find_user_by_name",
            "get_user",
            "list_users",
            "names_of_users",
            "update_user",
        ),
        "vending_points": (
            "create_vending_point",
            "deactivate_vending_point",
            "existing_vending_point",
            "get_vending_point",
            "list_vending_points",
            "restore_vending_point",
            "update_vending_point",
        ),
    },
)
