"""Wallets: what drivers have paid in and may spend. A wallet is a guarded ledger account plus rules."""
