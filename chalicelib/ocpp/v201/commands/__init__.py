"""Us → charger: `routes` has every command, `wordings` says the intents of the platform in 2.x."""
