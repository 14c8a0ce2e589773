"""Who is acting: the one value that permission and ownership checks look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from chalicelib.kernel.errors import forbidden


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in person, a machine with an API key, or the system itself.

    `organization_id` is set for users of an organisation, `driver_id` for drivers; one person may be both.
    `sign_in_id` names the device's sign-in, which signing out ends.
    `permissions` are `resource:action`; `*` grants all, `resource:*` all actions on a resource.
    `region_ids` and `vending_point_ids`: what a user is narrowed to; None is everywhere of the organisation.
    """

    kind: Literal["person", "api_key", "system", "anonymous"]
    login_id: str = ""
    sign_in_id: str = ""
    organization_id: str | None = None
    organization_kind: str | None = None
    user_id: str | None = None
    driver_id: str | None = None
    api_key_id: str | None = None
    permissions: frozenset[str] = field(default_factory=frozenset)
    region_ids: frozenset[str] | None = None
    vending_point_ids: frozenset[str] | None = None
    source_ip: str = ""

    def may(self, permission: str) -> bool:
        resource = permission.split(":", 1)[0]
        return bool(self.permissions & {permission, f"{resource}:*", "*"})

    def require(self, permission: str) -> None:
        """Raises DomainError forbidden (403) unless the permission is held."""
        if not self.may(permission):
            raise forbidden(f"This needs the permission {permission}.")

    def require_everywhere(self) -> None:
        """For what counts at all places of an organisation, its money above all: who is narrowed to some places
        neither reads nor changes it. Raises DomainError forbidden (403)."""
        if self.is_narrowed:
            raise forbidden("This counts everywhere, and you work at some places only.")

    @property
    def person_id(self) -> str:
        """Who asked, for the record: the user of an organisation, the API key, or the login of somebody who is none."""
        return self.user_id or self.api_key_id or self.login_id

    @property
    def is_narrowed(self) -> bool:
        return self.region_ids is not None or self.vending_point_ids is not None

    @property
    def is_platform(self) -> bool:
        return self.kind == "system" or self.organization_kind == "platform"


SYSTEM = Actor("system", permissions=frozenset({"*"}))
ANONYMOUS = Actor("anonymous")
