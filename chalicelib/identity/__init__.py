"""Who people are: organisations, users and their permissions, sign-in. Knows nothing of chargers or money."""
