"""For a driver who left. Needs: full_name, link."""

from __future__ import annotations

from chalicelib.notifications.templates.text import MailText

TEXTS = {
    "en": MailText(
        subject="Your account was deleted",
        body="""\
Hello $full_name,

your account was deleted, as you asked for. Your name, address and cards are gone from it, and it cannot be restored.

You may sign up again at any time with this e-mail address: $link
""",
    ),
    "de": MailText(
        subject="Ihr Konto wurde gelöscht",
        body="""\
Guten Tag $full_name,

Ihr Konto wurde wie gewünscht gelöscht. Name, Adresse und Karten sind entfernt; es lässt sich nicht wiederherstellen.

Sie können sich mit dieser E-Mail-Adresse jederzeit neu registrieren: $link
""",
    ),
    "fr": MailText(
        subject="Votre compte a été supprimé",
        body="""\
Bonjour $full_name,

votre compte a été supprimé, comme vous l’avez demandé.
Votre nom, votre adresse et vos cartes en sont retirés ; il ne peut pas être rétabli.

Vous pouvez vous réinscrire à tout moment avec cette adresse e-mail : $link
""",
    ),
    "es": MailText(
        subject="Su cuenta se ha eliminado",
        body="""\
Hola, $full_name:

su cuenta se ha eliminado, tal como pidió.
Ya no contiene su nombre, su dirección ni sus tarjetas, y no se puede recuperar.

Puede volver a registrarse cuando quiera con esta dirección de correo: $link
""",
    ),
    "nb": MailText(
        subject="Kontoen din er slettet",
        body="""\
Hei $full_name,

kontoen din er slettet, slik du ba om. Navn, adresse og kort er fjernet, og den kan ikke gjenopprettes.

Du kan når som helst registrere deg på nytt med denne e-postadressen: $link
""",
    ),
    "zh": MailText(
        subject="您的账户已删除",
        body="""\
$full_name，您好：

您的账户已按您的要求删除。其中的姓名、地址和充电卡均已移除，且无法恢复。

您可以随时用此邮箱地址重新注册：$link
""",
    ),
}
