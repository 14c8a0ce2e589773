"""For somebody whose second factor was turned on. Needs: link."""

from __future__ import annotations

from chalicelib.notifications.templates.text import MailText

TEXTS = {
    "en": MailText(
        subject="Your sign-in now needs a second factor",
        body="""\
From now on your sign-in needs the code of your authenticator app besides the password.

If it was not you, choose a new password at once and ask for help: $link
""",
    ),
    "de": MailText(
        subject="Ihre Anmeldung braucht jetzt einen zweiten Faktor",
        body="""\
Ab jetzt braucht Ihre Anmeldung außer dem Passwort den Code Ihrer Authenticator-App.

Waren Sie es nicht, wählen Sie sofort ein neues Passwort und bitten Sie um Hilfe: $link
""",
    ),
    "fr": MailText(
        subject="Votre connexion demande désormais un second facteur",
        body="""\
Désormais, votre connexion demande, outre le mot de passe, le code de votre application d’authentification.

Si ce n’était pas vous, choisissez aussitôt un nouveau mot de passe et demandez de l’aide : $link
""",
    ),
    "es": MailText(
        subject="Su acceso necesita ahora un segundo factor",
        body="""\
A partir de ahora su acceso necesita, además de la contraseña, el código de su aplicación de autenticación.

Si no ha sido usted, elija enseguida otra contraseña y pida ayuda: $link
""",
    ),
    "nb": MailText(
        subject="Innloggingen din trenger nå en ekstra faktor",
        body="""\
Fra nå av trenger innloggingen din koden fra autentiseringsappen i tillegg til passordet.

Var det ikke deg, velg et nytt passord med en gang og be om hjelp: $link
""",
    ),
    "zh": MailText(
        subject="您的登录现已启用两步验证",
        body="""\
从现在起，登录时除密码外还需要身份验证器应用中的验证码。

如非本人操作，请立即更改密码并寻求帮助：$link
""",
    ),
}
