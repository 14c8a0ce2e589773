"""Step Functions on one machine: a durable runner of the Amazon States Language (JSONPath dialect).

For the local stack and the tests; it never ships in a Lambda. `runner.Runner` runs the same `*.asl.json` files
that are deployed, `language.validate` proofreads them, `hook` answers boto3's `stepfunctions` client.
Invariant: every transition is committed before its effects are seen, so a killed process goes on where it stood.
"""
