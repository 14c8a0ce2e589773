"""DynamoDB inside the process, on one SQLite file: the data store of the local stack and of the tests.

`engine.Engine` answers DynamoDB's JSON operations; `hook.install` puts it behind every botocore client. The
contract suite (`tests/contract/dynamodb`) holds it against moto, and against real tables when asked.
"""
