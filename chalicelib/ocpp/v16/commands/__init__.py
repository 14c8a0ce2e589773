"""Us → charger: `wordings` says the intents of the platform in 1.6; other files store what answers tell."""
