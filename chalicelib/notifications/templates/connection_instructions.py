"""How to connect a charger, for its installer. Needs: identity, operator, url, full_url, username, password (may be
empty), subprotocols, security_profile."""

from __future__ import annotations

from chalicelib.notifications.templates.text import MailText

TEXTS = {
    "en": MailText(
        subject="Connect charger $identity",
        body="""\
Please set up charger $identity for $operator:

Backend URL (the charger appends its identity): $url
Whole URL (where it does not): $full_url
Identity (charge point id): $identity
User name (Basic auth): $username
Password (Basic auth, AuthorizationKey): $password
OCPP version (subprotocol), any of: $subprotocols
Security profile, at least: $security_profile

The charger shows up as connected within seconds. If it does not, ask the operator to look under connection attempts.
""",
    ),
}
