"""The ledger: double entry in integer minor units. Whoever moves money asks its service; nobody else writes here."""
