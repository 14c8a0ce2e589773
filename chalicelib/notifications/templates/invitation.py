"""For a user who was created without a password. Needs: full_name, organization_name, email, link."""

from __future__ import annotations

from chalicelib.notifications.templates.text import MailText

TEXTS = {
    "en": MailText(
        subject="Your sign-in for $organization_name",
        body="""\
Hello $full_name,

a sign-in for $organization_name was created for you.

Open $link, choose "Forgot password" and enter your address $email.
You will be mailed a code with which you choose your password.
""",
    ),
}
