"""The network: locations, chargers, their EVSEs and connectors, connections, handshakes and commands."""
