"""OCPP 2.1: what 2.0.1 has, by its own schemas, and what it adds. It never edits a file of 2.0.1."""
