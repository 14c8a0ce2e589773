"""DynamoDB's expression language: text to syntax tree (`grammar`), and what each kind of expression does.

Trees are compiled once into closures and cached by text and #names; `:values` are bound at each evaluation.
A wrong expression is a ValidationException in AWS's words; evaluating one never raises anything else.
"""
