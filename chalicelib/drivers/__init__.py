"""People who charge, and what they present at a charger: drivers, their id tokens, their operators."""
