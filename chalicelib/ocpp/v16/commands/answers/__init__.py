"""What the answers to an operator's commands tell, kept where a person would look: one file per noun.

Every function here is held by a `KeptBy` (`ocpp/keeping.py`) and stores for a charger what `asked` and the answer say
together.
"""
