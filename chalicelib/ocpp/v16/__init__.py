"""OCPP 1.6J: its surface (`routes`), what chargers send (`actions`), what we send (`commands`)."""
