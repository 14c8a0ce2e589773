"""Writes the roles of the Lambda functions as a part of the stack: what each one's code needs, and nothing else.

A role allows named actions on named tables and indexes. `*` stands only where AWS has no name yet when the stack is
made: the connections of the WebSocket API, the streams of a log group.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from chalicelib.kernel.context import table_name
from infra.iam.functions import entry_points
from infra.iam.needs import Need, needs_of
from infra.iam.reach import reach

ROLES_PATH: Final = Path(__file__).resolve().parent.parent / "stack" / "roles.yaml"

_HEAD: Final = """\
# One role per function: what its code asks of AWS, read from the code by `python -m infra.iam`, which writes this file.
# Review the difference as you would review code: it is what a function may do from now on.
Metadata:
  AssumedByLambda: &assumed_by_lambda
    Version: "2012-10-17"
    Statement: [{ Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: sts:AssumeRole }]
  WriteItsLog: &write_its_log
    Effect: Allow
    Action: [logs:CreateLogStream, logs:PutLogEvents]
    Resource: !Sub
      - "arn:${AWS::Partition}:logs:${Here}:log-group:/aws/lambda/${AWS::StackName}-*"
      - { Here: !Sub "${AWS::Region}:${AWS::AccountId}" }

Resources:
"""
_ROLE: Final = """\
  {name}:
    Properties:
      Role: !GetAtt {name}Role.Arn

  {name}Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: *assumed_by_lambda
      Policies:
        - PolicyName: calls
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - *write_its_log
"""
_STATEMENT: Final = """\
              - Effect: Allow
                Action: [{actions}]
                Resource: {resource}
"""
_EVENT_SOURCES: Final = {
    "OutboxRelay": (
        (
            "dynamodb:DescribeStream, dynamodb:GetRecords, dynamodb:GetShardIterator, dynamodb:ListStreams",
            "!GetAtt OutboxTable.StreamArn",
        ),
        ("sqs:SendMessage", "!GetAtt RelayFailures.Arn"),
    ),
    "WebhookSend": (
        (
            "dynamodb:DescribeStream, dynamodb:GetRecords, dynamodb:GetShardIterator, dynamodb:ListStreams",
            "!GetAtt WebhooksTable.StreamArn",
        ),
    ),
}
"""What Lambda does in a function's name before its code runs."""


def function_needs() -> dict[str, frozenset[Need]]:
    """By logical id of the function. Raises needs.Unreadable."""
    return {name: needs_of(reach(roots), table_name("")) for name, roots in sorted(entry_points().items())}


def render() -> str:
    """The text of roles.yaml for the code of the day."""
    return _HEAD + "\n".join(_role(name, needs) for name, needs in function_needs().items())


def _role(name: str, needs: Iterable[Need]) -> str:
    by_resource: dict[str, set[str]] = defaultdict(set)
    for need in needs:
        by_resource[_resource(need)].add(need.action.partition(" ")[0])
    statements = [(", ".join(sorted(actions)), resource) for resource, actions in sorted(by_resource.items())]
    statements += _EVENT_SOURCES.get(name, ())
    return _ROLE.format(name=name) + "".join(
        _STATEMENT.format(actions=actions, resource=resource) for actions, resource in statements
    )


def _resource(need: Need) -> str:
    service = need.action.partition(":")[0]
    here = "${AWS::Region}:${AWS::AccountId}"
    if service == "dynamodb":
        table, _, index = need.resource.partition("/")
        table = f"{table.capitalize()}Table"
        return f'!Sub "${{{table}.Arn}}/index/{index}"' if index else f"!GetAtt {table}.Arn"
    if service == "ssm":
        return f'!Sub "arn:${{AWS::Partition}}:ssm:{here}:parameter${{SecretPrefix}}{need.resource}"'
    if service == "states":
        # Named, not referenced: the workflow itself refers to functions.
        return f'!Sub "arn:${{AWS::Partition}}:states:{here}:stateMachine:${{TablePrefix}}{need.resource}"'
    if service == "execute-api":
        method = need.action.partition(" ")[2]
        return f'!Sub "arn:${{AWS::Partition}}:execute-api:{here}:${{WebSocketApi}}/live/{method}/@connections/*"'
    if service == "ses":
        return f'!Sub "arn:${{AWS::Partition}}:ses:{here}:identity/${{MailIdentity}}"'
    raise ValueError(f"no resource is known for {need.action}")
