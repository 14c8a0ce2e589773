"""Webhooks: what happens here is told to the systems of those whose it is."""
