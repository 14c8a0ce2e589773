"""An EN 16931 document in the syntax of UBL 2.1 (CEN/TS 16931-3-2): elements in the order of its schema."""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from chalicelib.kernel.money import Money
from chalicelib.settlement.model.einvoice import NO_TAX_STATED, Account, EInvoice, Line, Party, TaxTotal, rate_of

XML_TYPE: Final = "application/xml"
CAC: Final = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
CBC: Final = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
ROOTS: Final = {
    "380": ("Invoice", "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"),
    "381": ("CreditNote", "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2"),
    "389": ("Invoice", "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"),
    "261": ("CreditNote", "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2"),
}
CUSTOMIZATION: Final = "urn:cen.eu:en16931:2017"
CREDIT_TRANSFER: Final = "30"
ONE: Final = "C62"
"""UN/ECE Recommendation 20: one, a unit of what has none."""
ElementTree.register_namespace("cac", CAC)
ElementTree.register_namespace("cbc", CBC)
ElementTree.register_namespace("invoice", ROOTS["380"][1])
ElementTree.register_namespace("creditnote", ROOTS["381"][1])


def as_xml(document: EInvoice) -> bytes:
    """The document as UTF-8 XML. A credit note's amounts are what is given back: positive (EN 16931-1, 6.5.1)."""
    name, namespace = ROOTS[document.type_code]
    root = Element(f"{{{namespace}}}{name}")
    _basics(root, document)
    _party(SubElement(root, _cac("AccountingSupplierParty")), document.seller)
    _party(SubElement(root, _cac("AccountingCustomerParty")), document.buyer)
    if document.account is not None:
        _payment_means(root, document.account)
    _taxes(root, document)
    _totals(root, document)
    for line in document.lines:
        _line(root, document, line)
    ElementTree.indent(root)
    declared: bytes = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return declared + b"\n"


def _basics(root: Element, document: EInvoice) -> None:
    is_credit = document.is_credit
    _text(root, "CustomizationID", CUSTOMIZATION)
    _text(root, "ID", document.number)
    _text(root, "IssueDate", document.issue_date)
    if not is_credit:
        _text(root, "DueDate", document.due_date)
    _text(root, "CreditNoteTypeCode" if is_credit else "InvoiceTypeCode", document.type_code)
    _text(root, "Note", document.note)
    _text(root, "DocumentCurrencyCode", document.currency)
    _text(root, "BuyerReference", document.buyer_reference)
    if document.period is not None:
        period = SubElement(root, _cac("InvoicePeriod"))
        _text(period, "StartDate", document.period[0])
        _text(period, "EndDate", document.period[1])
    if document.preceding is not None:
        reference = SubElement(SubElement(root, _cac("BillingReference")), _cac("InvoiceDocumentReference"))
        _text(reference, "ID", document.preceding)


def _party(parent: Element, party: Party) -> None:
    inner = SubElement(parent, _cac("Party"))
    address = SubElement(inner, _cac("PostalAddress"))
    _text(address, "StreetName", party.address)
    _text(address, "CityName", party.city)
    _text(address, "PostalZone", party.postal_code)
    if party.country:
        _text(SubElement(address, _cac("Country")), "IdentificationCode", party.country)
    if party.tax_number:
        scheme = SubElement(inner, _cac("PartyTaxScheme"))
        _text(scheme, "CompanyID", party.tax_number)
        _text(SubElement(scheme, _cac("TaxScheme")), "ID", "VAT")
    entity = SubElement(inner, _cac("PartyLegalEntity"))
    _text(entity, "RegistrationName", party.name)
    _text(entity, "CompanyID", party.registration)
    if party.email:
        _text(SubElement(inner, _cac("Contact")), "ElectronicMail", party.email)


def _payment_means(root: Element, account: Account) -> None:
    means = SubElement(root, _cac("PaymentMeans"))
    _text(means, "PaymentMeansCode", CREDIT_TRANSFER)
    payee = SubElement(means, _cac("PayeeFinancialAccount"))
    _text(payee, "ID", account.number)
    _text(payee, "Name", account.holder)
    if account.bic:
        _text(SubElement(payee, _cac("FinancialInstitutionBranch")), "ID", account.bic)


def _taxes(root: Element, document: EInvoice) -> None:
    total = SubElement(root, _cac("TaxTotal"))
    _amount(total, "TaxAmount", document.tax, document.currency)
    for each in document.taxes:
        subtotal = SubElement(total, _cac("TaxSubtotal"))
        _amount(subtotal, "TaxableAmount", each.taxable, document.currency)
        _amount(subtotal, "TaxAmount", each.tax, document.currency)
        _category(subtotal, "TaxCategory", each)


def _category(parent: Element, name: str, total: TaxTotal | Line) -> None:
    category = SubElement(parent, _cac(name))
    _text(category, "ID", total.category)
    _text(category, "Percent", rate_of(total.vat))
    if total.category == "E" and isinstance(total, TaxTotal):
        _text(category, "TaxExemptionReason", NO_TAX_STATED)
    _text(SubElement(category, _cac("TaxScheme")), "ID", "VAT")


def _totals(root: Element, document: EInvoice) -> None:
    totals = SubElement(root, _cac("LegalMonetaryTotal"))
    for name, amount in (
        ("LineExtensionAmount", document.net),
        ("TaxExclusiveAmount", document.net),
        ("TaxInclusiveAmount", document.total),
        ("PrepaidAmount", document.paid),
        ("PayableRoundingAmount", document.rounding),
        ("PayableAmount", document.payable),
    ):
        if amount or name not in ("PrepaidAmount", "PayableRoundingAmount"):
            _amount(totals, name, amount, document.currency)


def _line(root: Element, document: EInvoice, line: Line) -> None:
    """A negative position (what a credit CDR takes back) is one of minus one: a price is never negative (BR-27)."""
    is_credit = document.is_credit
    inner = SubElement(root, _cac("CreditNoteLine" if is_credit else "InvoiceLine"))
    _text(inner, "ID", line.line_id)
    quantity = SubElement(inner, _cbc("CreditedQuantity" if is_credit else "InvoicedQuantity"), {"unitCode": ONE})
    quantity.text = "1" if line.net >= 0 else "-1"
    _amount(inner, "LineExtensionAmount", line.net, document.currency)
    item = SubElement(inner, _cac("Item"))
    _text(item, "Description", line.description)
    _text(item, "Name", line.name)
    _category(item, "ClassifiedTaxCategory", line)
    _amount(SubElement(inner, _cac("Price")), "PriceAmount", abs(line.net), document.currency)


def _amount(parent: Element, name: str, amount: int, currency: str) -> None:
    element = SubElement(parent, _cbc(name), {"currencyID": currency})
    element.text = format(Money(amount, currency).to_decimal(), "f")


def _text(parent: Element, name: str, text: str | None) -> None:
    if text:
        SubElement(parent, _cbc(name)).text = text


def _cac(name: str) -> str:
    return f"{{{CAC}}}{name}"


def _cbc(name: str) -> str:
    return f"{{{CBC}}}{name}"
