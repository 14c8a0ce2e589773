"""Us → charger: `wordings` says the platform's intents in 1.6; `answers` keeps what an operator's commands bring."""
