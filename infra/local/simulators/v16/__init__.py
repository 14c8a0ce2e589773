"""The OCPP 1.6 face of a simulated charger."""
