"""For the driver, when the operator has resolved an abnormal order. Needs: full_name, order_no, charger, operator_name,
energy_kwh, cost, deducted, refunded, uncollected, reason (the last four may be empty)."""

from __future__ import annotations

from chalicelib.notifications.templates.text import MailText

TEXTS = {
    "en": MailText(
        subject="Order $order_no is settled: $cost",
        body="""\
Hello $full_name,

$operator_name has looked at your charge at $charger.

Order: $order_no
Energy: $energy_kwh kWh
Cost: $cost
Deducted now: $deducted
Given back now: $refunded
Not paid: $uncollected
Reason: $reason
""",
    ),
    "de": MailText(
        subject="Auftrag $order_no ist geklärt: $cost",
        body="""\
Guten Tag $full_name,

$operator_name hat Ihren Ladevorgang an $charger geprüft.

Auftrag: $order_no
Energie: $energy_kwh kWh
Kosten: $cost
Jetzt abgebucht: $deducted
Jetzt zurückgegeben: $refunded
Nicht bezahlt: $uncollected
Grund: $reason
""",
    ),
    "fr": MailText(
        subject="Commande $order_no réglée : $cost",
        body="""\
Bonjour $full_name,

$operator_name a examiné votre recharge à la borne $charger.

Commande : $order_no
Énergie : $energy_kwh kWh
Coût : $cost
Prélevé maintenant : $deducted
Remboursé maintenant : $refunded
Non payé : $uncollected
Motif : $reason
""",
    ),
    "es": MailText(
        subject="Pedido $order_no resuelto: $cost",
        body="""\
Hola, $full_name:

$operator_name ha revisado su recarga en $charger.

Pedido: $order_no
Energía: $energy_kwh kWh
Coste: $cost
Cobrado ahora: $deducted
Devuelto ahora: $refunded
Sin pagar: $uncollected
Motivo: $reason
""",
    ),
    "nb": MailText(
        subject="Ordre $order_no er avklart: $cost",
        body="""\
Hei $full_name,

$operator_name har sett på ladingen din ved $charger.

Ordre: $order_no
Energi: $energy_kwh kWh
Kostnad: $cost
Trukket nå: $deducted
Gitt tilbake nå: $refunded
Ikke betalt: $uncollected
Grunn: $reason
""",
    ),
    "zh": MailText(
        subject="订单 $order_no 已处理：$cost",
        body="""\
$full_name，您好：

$operator_name 已核实您在 $charger 的充电。

订单：$order_no
电量：$energy_kwh kWh
费用：$cost
本次扣除：$deducted
本次退回：$refunded
未支付：$uncollected
原因：$reason
""",
    ),
}
