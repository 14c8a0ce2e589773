"""Charging: charging sessions from request to sealed CDR. Versions of OCPP translate into this; it knows none."""
