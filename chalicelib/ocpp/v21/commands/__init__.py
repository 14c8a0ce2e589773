"""Us → charger: what 2.1 adds to the commands of 2.0.1 (`routes`), and the intents it says otherwise (`wordings`)."""
