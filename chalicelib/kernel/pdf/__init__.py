"""Documents of text and tables as PDF (A4), for receipts and invoices: what they say is given in blocks, from top to
bottom; this breaks lines and pages.

`render(title, blocks, footer)` is pure: the same blocks are the same bytes. Letters that the font has not are shown as
question marks (`fonts.py`).
"""

from chalicelib.kernel.pdf.paper import Block, Column, Heading, Pairs, Space, Table, Text, render

__all__ = ["Block", "Column", "Heading", "Pairs", "Space", "Table", "Text", "render"]
