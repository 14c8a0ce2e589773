"""The operator has answered a driver's feedback. Needs: full_name, operator_name, text (the driver's), answer."""

from __future__ import annotations

from chalicelib.notifications.templates.text import MailText

TEXTS = {
    "en": MailText(
        subject="$operator_name answered your feedback",
        body="""\
Hello $full_name,

$operator_name answered:

$answer

You wrote:

$text
""",
    ),
    "de": MailText(
        subject="$operator_name hat Ihnen geantwortet",
        body="""\
Guten Tag $full_name,

$operator_name hat auf Ihre Rückmeldung geantwortet:

$answer

Sie hatten geschrieben:

$text
""",
    ),
    "fr": MailText(
        subject="$operator_name a répondu à votre message",
        body="""\
Bonjour $full_name,

$operator_name a répondu :

$answer

Vous aviez écrit :

$text
""",
    ),
    "es": MailText(
        subject="$operator_name ha respondido a su mensaje",
        body="""\
Hola, $full_name:

$operator_name ha respondido:

$answer

Usted escribió:

$text
""",
    ),
    "nb": MailText(
        subject="$operator_name har svart på tilbakemeldingen din",
        body="""\
Hei $full_name,

$operator_name svarte:

$answer

Du skrev:

$text
""",
    ),
    "zh": MailText(
        subject="$operator_name 回复了您的反馈",
        body="""\
$full_name，您好：

$operator_name 回复：

$answer

您的留言：

$text
""",
    ),
}
