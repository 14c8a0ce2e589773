"""For the driver, when it is not sure what a charge delivered. Needs: full_name, order_no, charger, cause, cost."""

from __future__ import annotations

from chalicelib.notifications.templates.text import MailText

TEXTS = {
    "en": MailText(
        subject="Order $order_no: please tell us what happened",
        body="""\
Hello $full_name,

something went wrong with your charge at $charger.

Order: $order_no
What we know: $cause
Taken so far: $cost

Please say in the app what happened. You can start the next charge from the app afterwards.
""",
    ),
    "de": MailText(
        subject="Auftrag $order_no: Bitte sagen Sie uns, was geschehen ist",
        body="""\
Guten Tag $full_name,

bei Ihrem Ladevorgang an $charger ist etwas schiefgegangen.

Auftrag: $order_no
Was wir wissen: $cause
Bisher abgebucht: $cost

Bitte sagen Sie in der App, was geschehen ist. Danach können Sie dort wieder laden.
""",
    ),
    "fr": MailText(
        subject="Commande $order_no : dites-nous ce qui s'est passé",
        body="""\
Bonjour $full_name,

votre recharge à la borne $charger ne s'est pas déroulée normalement.

Commande : $order_no
Ce que nous savons : $cause
Prélevé jusqu'ici : $cost

Dites-nous dans l'application ce qui s'est passé. Vous pourrez ensuite y lancer une nouvelle recharge.
""",
    ),
    "es": MailText(
        subject="Pedido $order_no: cuéntenos qué ha pasado",
        body="""\
Hola, $full_name:

algo ha fallado en su recarga en $charger.

Pedido: $order_no
Lo que sabemos: $cause
Cobrado hasta ahora: $cost

Díganos en la aplicación qué ha pasado. Después podrá iniciar otra recarga desde ella.
""",
    ),
    "nb": MailText(
        subject="Ordre $order_no: fortell oss hva som skjedde",
        body="""\
Hei $full_name,

noe gikk galt med ladingen din ved $charger.

Ordre: $order_no
Det vi vet: $cause
Trukket så langt: $cost

Fortell i appen hva som skjedde. Etterpå kan du starte en ny lading fra appen.
""",
    ),
    "zh": MailText(
        subject="订单 $order_no：请说明发生了什么",
        body="""\
$full_name，您好：

您在 $charger 的充电出现了异常。

订单：$order_no
已知情况：$cause
目前已扣：$cost

请在应用中说明发生了什么，之后即可再次从应用开始充电。
""",
    ),
}
