"""Us → charger. One file per command whose outcome the business must know; the others need only a line in `routes`."""
