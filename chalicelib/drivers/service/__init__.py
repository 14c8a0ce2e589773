"""Use cases of drivers and id tokens, one file per noun; import this package as `drivers`."""

from chalicelib.drivers.model import app_token
from chalicelib.drivers.service.cards import (
    add_card,
    bind_card,
    change_card,
    claim_card,
    find_id_token,
    list_cards_of,
    list_operator_cards,
    require_card,
    unbind_card,
)
from chalicelib.drivers.service.profiles import (
    change_driver,
    create_driver,
    get_driver,
    get_link,
    is_linked,
    link_operator,
    list_drivers,
    require_driver,
    set_driver_state,
    standing,
)

__all__ = [
    "add_card",
    "app_token",
    "bind_card",
    "change_card",
    "change_driver",
    "claim_card",
    "create_driver",
    "find_id_token",
    "get_driver",
    "get_link",
    "is_linked",
    "link_operator",
    "list_cards_of",
    "list_drivers",
    "list_operator_cards",
    "require_card",
    "require_driver",
    "set_driver_state",
    "standing",
    "unbind_card",
]
