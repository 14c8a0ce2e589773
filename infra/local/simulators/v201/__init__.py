"""The OCPP 2.0.1 face of a simulated charger."""
