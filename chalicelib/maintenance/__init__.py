"""Maintenance: what is installed on a charger, and what it tells of itself. It records and asks; it never charges."""
