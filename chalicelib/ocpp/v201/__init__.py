"""OCPP 2.0.1: its surface (`routes`), what chargers send (`actions`), what we send (`commands`). 2.1 builds on it."""
