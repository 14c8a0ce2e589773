"""Payments: money that payers send through a provider. Knows amounts and purposes, not what is bought with them."""
