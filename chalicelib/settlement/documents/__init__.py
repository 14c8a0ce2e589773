"""How invoices, credit notes and statements look when they leave: XML for machines (`ubl`), PDF for people (`paper`,
`statement`).

Pure: the same document is the same bytes. Called by `api_operator`."""

from chalicelib.settlement.documents.paper import as_pdf
from chalicelib.settlement.documents.statement import statement_as_pdf
from chalicelib.settlement.documents.ubl import as_xml

__all__ = ["as_pdf", "as_xml", "statement_as_pdf"]
