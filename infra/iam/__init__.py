"""Which AWS calls each Lambda function makes, read from the product's code, and the roles that allow just these.

`python -m infra.iam` writes `infra/stack/roles.yaml`; tests/architecture/test_iam.py holds that file against the code
of the day, and the calls of real flows against the file. Nothing here ships.
"""
