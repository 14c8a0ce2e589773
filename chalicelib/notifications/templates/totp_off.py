"""For somebody whose second factor was turned off, by themselves or by an administrator. Needs: link."""

from __future__ import annotations

from chalicelib.notifications.templates.text import MailText

TEXTS = {
    "en": MailText(
        subject="The second factor of your sign-in was turned off",
        body="""\
Your sign-in needs the password alone again: you or your administrator turned the second factor off.

If it was neither, choose a new password at once and turn it on again: $link
""",
    ),
    "de": MailText(
        subject="Der zweite Faktor Ihrer Anmeldung ist ausgeschaltet",
        body="""\
Ihre Anmeldung braucht wieder nur das Passwort: Sie oder Ihr Administrator haben den zweiten Faktor ausgeschaltet.

War es keiner von beiden, wählen Sie sofort ein neues Passwort und schalten Sie ihn wieder ein: $link
""",
    ),
    "fr": MailText(
        subject="Le second facteur de votre connexion est désactivé",
        body="""\
Votre connexion ne demande plus que le mot de passe : vous ou votre administrateur avez désactivé le second facteur.

Si ce n’était ni l’un ni l’autre, choisissez aussitôt un nouveau mot de passe et réactivez-le : $link
""",
    ),
    "es": MailText(
        subject="El segundo factor de su acceso está desactivado",
        body="""\
Su acceso vuelve a necesitar solo la contraseña: usted o su administrador han desactivado el segundo factor.

Si no ha sido ninguno de los dos, elija enseguida otra contraseña y vuelva a activarlo: $link
""",
    ),
    "nb": MailText(
        subject="Den ekstra faktoren er slått av",
        body="""\
Innloggingen din trenger igjen bare passordet: Du eller administratoren din har slått av den ekstra faktoren.

Var det ingen av dere, velg et nytt passord med en gang og slå den på igjen: $link
""",
    ),
    "zh": MailText(
        subject="您的两步验证已关闭",
        body="""\
您的登录现在只需密码：您本人或您的管理员关闭了两步验证。

如果都不是，请立即更改密码并重新启用：$link
""",
    ),
}
