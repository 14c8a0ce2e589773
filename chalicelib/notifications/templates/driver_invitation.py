"""For a driver whom an operator entered as a customer. Needs: full_name, operator_name, email, link."""

from __future__ import annotations

from chalicelib.notifications.templates.text import MailText

TEXTS = {
    "en": MailText(
        subject="$operator_name made you a charging account",
        body="""\
Hello $full_name,

$operator_name entered you as a customer, to charge with this e-mail address.

Open $link, choose "Forgot password" and enter your address $email.
You will be mailed a code with which you choose your password.

If you do not know why you got this, ignore it: nobody can sign in without your mail.
""",
    ),
    "de": MailText(
        subject="$operator_name hat Ihnen ein Ladekonto angelegt",
        body="""\
Guten Tag $full_name,

$operator_name hat Sie mit dieser E-Mail-Adresse als Kunden zum Laden eingetragen.

Öffnen Sie $link, wählen Sie „Passwort vergessen“ und geben Sie Ihre Adresse $email ein.
Sie erhalten einen Code, mit dem Sie Ihr Passwort wählen.

Wenn Sie nicht wissen, warum Sie dies erhalten, tun Sie nichts: Ohne Ihre E-Mail kann sich niemand anmelden.
""",
    ),
    "fr": MailText(
        subject="$operator_name vous a ouvert un compte de recharge",
        body="""\
Bonjour $full_name,

$operator_name vous a inscrit comme client avec cette adresse e-mail.

Ouvrez $link, choisissez « Mot de passe oublié » et saisissez votre adresse $email.
Vous recevrez un code avec lequel choisir votre mot de passe.

Si vous ne savez pas pourquoi vous recevez ce message, ignorez-le : personne ne peut se connecter sans votre courrier.
""",
    ),
    "es": MailText(
        subject="$operator_name le ha abierto una cuenta de recarga",
        body="""\
Hola, $full_name:

$operator_name le ha registrado como cliente con esta dirección de correo.

Abra $link, elija «He olvidado la contraseña» y escriba su dirección $email.
Recibirá un código con el que elegir su contraseña.

Si no sabe por qué recibe este mensaje, ignórelo: nadie puede entrar sin su correo.
""",
    ),
    "nb": MailText(
        subject="$operator_name har laget en ladekonto til deg",
        body="""\
Hei $full_name,

$operator_name har ført deg opp som kunde med denne e-postadressen.

Åpne $link, velg «Glemt passord» og skriv inn adressen din $email.
Du får en kode som du velger passordet ditt med.

Vet du ikke hvorfor du fikk dette, kan du se bort fra det: Ingen kan logge inn uten e-posten din.
""",
    ),
    "zh": MailText(
        subject="$operator_name 为您开通了充电账户",
        body="""\
$full_name，您好：

$operator_name 已用此邮箱地址将您登记为客户。

请打开 $link，选择“忘记密码”，并输入您的地址 $email。
您将收到一封带有验证码的邮件，用它来设置密码。

如果您不清楚为何收到此邮件，请忽略它：没有您的邮箱，任何人都无法登录。
""",
    ),
}
