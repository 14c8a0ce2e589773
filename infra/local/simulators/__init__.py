"""Things that stand in the street, simulated: chargers with cars at them, on the platform's clock."""
