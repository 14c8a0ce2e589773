"""OCPP: what chargers say and are told. The only folder that knows the protocol; nothing below imports it."""
