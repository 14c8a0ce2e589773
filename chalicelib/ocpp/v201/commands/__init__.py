"""Us → charger: `routes` has every command; `wordings` says the platform's intents in 2.x; `answers` keeps what an
operator's commands bring, `judging` says which of several items were refused."""
