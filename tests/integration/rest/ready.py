"""What must be so before a request changes anything: by operation id, what is asked or done first.

The walk of the audit log needs it: there a request that finds everything as it wants it proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger
from chalicelib.drivers.model import Driver
from chalicelib.drivers.service import create_driver
from chalicelib.identity import service as identity
from chalicelib.identity.model.totp import code_at, step_of
from chalicelib.identity.service import totp
from chalicelib.kernel.http import Endpoint
from chalicelib.payments import service as payments
from chalicelib.payments.store import PAYOUT_ACCOUNTS
from tests.integration.rest.catalogue import ENDPOINTS, SECRET_WORD, ask, body_of
from tests.site import Site

TOTP_STEP_S = 30
PERSON = "pat@operator.example"


@dataclass
class Asking:
    """Who asks, and with what: `home` is whose log keeps it, `actor_id` who it is there."""

    site: Site
    token: str
    home: str
    actor_id: str
    things: dict[str, str]
    body: dict[str, Any] = field(default_factory=dict)
    """Members that the request's body has instead."""
    count: int = 0
    secret: str = ""
    """What an authenticator app was given."""

    def ask(self, operation_id: str) -> Any:
        endpoint = next(one for one in ENDPOINTS if one.operation_id == operation_id)
        self.count += 1
        sent = body_of(endpoint, self.things)
        options = {} if sent is None else {"json_body": sent | self.body}
        reply = ask(
            self.site.world.rest, endpoint, self.things, f"{operation_id}-{self.count}", token=self.token, **options
        )
        assert reply.status < 300, (operation_id, reply.body)
        return reply.body


def first(*operation_ids: str) -> Callable[[Asking], None]:
    """Asks these, one after the other."""

    def prepare(asking: Asking) -> None:
        for operation_id in operation_ids:
            asking.ask(operation_id)

    return prepare


def a_running_session(asking: Asking) -> None:
    asking.site.start(meter_wh=5000, message_id="ready-1")
    [session] = [session for session in asking.site.sessions() if session.state == "charging"]
    asking.things["session_id"] = session.session_id


def a_fresh_reservation(asking: Asking) -> None:
    asking.things["reservation_id"] = asking.ask("create_reservation")["reservation_id"]


def an_idle_charger(asking: Asking) -> None:
    """One that has been connected and is not asked anything."""
    world = asking.site.world
    new = Charger("CP-IDLE", asking.site.operator.operator_id, 1, "", world.clock.now())
    charger, *_ = world.commit(lambda uow: chargers.register_charger(uow, new, None))
    world.commit(lambda uow: chargers.open_connection(uow, charger, "conn-idle", "ocpp1.6"))
    asking.things["charger_id"] = charger.charger_id


def a_user_with_a_password(asking: Asking) -> None:
    world = asking.site.world
    new = identity.NewUser(email=PERSON, full_name="Pat Password", password=SECRET_WORD)
    user = world.commit(lambda uow: identity.create_user(uow, asking.site.operator.organization, new))
    asking.token, asking.actor_id = world.sign_in(PERSON, SECRET_WORD), user.user_id


def a_second_factor_begun(asking: Asking) -> None:
    a_user_with_a_password(asking)
    world, login = asking.site.world, identity.find_login(asking.site.world.ctx, PERSON)
    assert login is not None
    asking.secret = world.commit(lambda uow: totp.begin_totp(uow, login))
    asking.body["code"] = code_of(asking)


def a_second_factor(asking: Asking) -> None:
    a_second_factor_begun(asking)
    asking.ask("confirm_totp")
    asking.site.world.advance(TOTP_STEP_S)
    asking.body = {"totp_code": code_of(asking)}


def code_of(asking: Asking) -> str:
    return code_at(asking.secret, step_of(asking.site.world.clock.now()))


def a_driver_with_a_password(asking: Asking) -> None:
    world, email = asking.site.world, "pia@driver.example"
    driver = Driver(world.ctx.new_id("drv"), email, "Pia Password", world.clock.now())
    world.commit(lambda uow: create_driver(uow, driver))
    world.commit(
        lambda uow: identity.create_driver_login(uow, email=email, password=SECRET_WORD, driver_id=driver.driver_id)
    )
    asking.token = world.sign_in(email, SECRET_WORD)
    asking.home = asking.actor_id = driver.driver_id


def no_payout_account(asking: Asking) -> None:
    ctx, operator_id = asking.site.world.ctx, asking.site.operator.operator_id
    account = payments.find_payout_account(ctx, operator_id)
    assert account is not None
    asking.site.world.commit(lambda uow: uow.delete(PAYOUT_ACCOUNTS, PAYOUT_ACCOUNTS.key_of(account)))


READY: Mapping[str, Callable[[Asking], None]] = {
    "place_charger": first("unplace_charger"),
    "add_own_card": first("remove_own_card"),
    "bind_id_token": first("unbind_id_token"),
    "retire_id_token": first("unbind_id_token"),
    "restore_id_token": first("unbind_id_token", "retire_id_token"),
    "put_logo": first("remove_logo"),
    "put_payout_account": no_payout_account,
    "stop_session": a_running_session,
    "cancel_reservation": a_fresh_reservation,
    "refresh_charger_configuration": an_idle_charger,
    "change_password": a_user_with_a_password,
    "begin_totp": a_user_with_a_password,
    "confirm_totp": a_second_factor_begun,
    "renew_recovery_codes": a_second_factor,
    "remove_totp": a_second_factor,
    "delete_my_account": a_driver_with_a_password,
}


def make_ready(asking: Asking, endpoint: Endpoint) -> None:
    """What is to be restored is gone, unless READY knows better."""
    prepare = READY.get(endpoint.operation_id)
    if prepare is None and endpoint.path.endswith("/restore"):
        path = endpoint.path.removesuffix("/restore")
        prepare = first(next(one.operation_id for one in ENDPOINTS if (one.method, one.path) == ("DELETE", path)))
    if prepare is not None:
        prepare(asking)
