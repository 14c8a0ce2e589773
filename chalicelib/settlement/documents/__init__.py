"""How invoices, credit notes and statements look when they leave: XML for machines (`ubl`), PDF for people (`paper`,
`statement`).

Pure: the same document is the same bytes. Called by `api_operator`, and by `enclosing` for mails."""

from chalicelib.settlement.documents.paper import as_pdf
from chalicelib.settlement.documents.statement import statement_as_pdf, statement_number
from chalicelib.settlement.documents.ubl import XML_TYPE, as_xml

__all__ = ["XML_TYPE", "as_pdf", "as_xml", "statement_as_pdf", "statement_number"]
