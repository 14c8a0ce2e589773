"""What the tests of signing in share: people with a password, and the doors they knock at."""

from __future__ import annotations

from typing import Any

from chalicelib.identity import service as identity
from chalicelib.identity.model.audit import AuditFilter
from chalicelib.identity.model.totp import STEP_S, code_at, step_of
from tests.world import PASSWORD, Operator, Reply, World

ADMIN = "root@platform.example"
BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile Safari/604.1"


def first_admin(world: World) -> str:
    """The platform's administrator, with PASSWORD."""
    assert identity.ensure_platform_admin(world.ctx, ADMIN, PASSWORD)
    return ADMIN


def colleague(world: World, operator: Operator, email: str = "bob@operator.example", **fields: Any) -> dict[str, Any]:
    """A user of the operator, with PASSWORD; an administrator unless `fields` name groups."""
    new = {"email": email, "full_name": "Bob", "password": PASSWORD, **fields}
    made = world.rest.post("/v1/users", new, token=operator.access_token)
    assert made.status == 201, made.body
    body: dict[str, Any] = made.body
    return body


def sign_in(world: World, email: str = ADMIN, password: str = PASSWORD, **options: Any) -> Reply:
    """`options` with a name of the request's body go there, the others to the client."""
    body: dict[str, Any] = {"email": email, "password": password}
    for name in ("totp_code", "user_name"):
        if name in options:
            body[name] = options.pop(name)
    if "user_name" in body:
        del body["email"]
    return world.rest.post("/v1/auth/sessions", body, **options)


def refresh(world: World, refresh_token: str, **options: Any) -> Reply:
    return world.rest.post("/v1/auth/refresh", {"refresh_token": refresh_token}, **options)


class Authenticator:
    """The app on somebody's phone."""

    def __init__(self, world: World, secret: str) -> None:
        self.world = world
        self.secret = secret

    def code(self, steps: int = 0) -> str:
        """The code of now, or of some steps later."""
        return code_at(self.secret, step_of(self.world.clock.now()) + steps)

    def next_code(self) -> str:
        """The code of the next step, which the world then is in."""
        self.world.advance(STEP_S)
        return self.code()

    def wrong_code(self) -> str:
        right = {self.code(steps) for steps in (-1, 0, 1)}
        return next(code for number in range(9) if (code := f"{number:06d}") not in right)


def turn_on(world: World, access_token: str) -> tuple[Authenticator, list[str]]:
    """The second factor of whoever the token is, turned on by the code of now; and the recovery codes."""
    begun = world.rest.post("/v1/me/totp", {"password": PASSWORD}, token=access_token)
    assert begun.status == 201, begun.body
    app = Authenticator(world, begun.body["secret"])
    confirmed = world.rest.post("/v1/me/totp/confirmation", {"code": app.code()}, token=access_token)
    assert confirmed.status == 201, confirmed.body
    return app, confirmed.body["recovery_codes"]


def log(world: World, owner_id: str) -> list[tuple[str, dict[str, Any]]]:
    """The audit log of an owner, newest first: action, and what it is after."""
    page = identity.list_audit_events(world.ctx, owner_id, AuditFilter(), limit=200, cursor=None)
    return [(event.action, event.after) for event in page.data]
