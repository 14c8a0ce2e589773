"""Settlement: what a business day earned each operator, stated once and agreed with the ledger."""
