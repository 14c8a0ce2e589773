"""Chalice's built-in authorizers, asked as API Gateway asks a TOKEN authorizer before it calls the function.

`RestApi` alone calls it, in the request's own thread. The invariant: no function behind an authorizer runs unless a
policy of this very request allows its method and path (results are not cached).
"""

from __future__ import annotations

import re

from chalice.app import ChaliceAuthorizer

from infra.local.gateway.invocation import JsonObject, LambdaContext
from infra.local.gateway.rest_events import RestRequest, method_arn


class Unauthorized(Exception):
    """No credentials, or the authorizer raised `Exception("Unauthorized")` (HTTP 401)."""


class Denied(Exception):
    """The authorizer's policy does not allow this method and path (HTTP 403)."""


class AuthorizerFailure(Exception):
    """The authorizer raised or answered something that is no policy (HTTP 500)."""


def authorize(authorizer: ChaliceAuthorizer, request: RestRequest) -> JsonObject:
    """What becomes `requestContext.authorizer`. Raises Unauthorized, Denied, AuthorizerFailure."""
    credentials = request.header(authorizer.config.header)
    if not credentials:
        raise Unauthorized
    arn = method_arn(request)
    event = {"type": "TOKEN", "authorizationToken": credentials, "methodArn": arn}
    try:
        # Chalice's annotation says dict; Lambda, and Chalice's own code, pass an object.
        answer = authorizer(event, LambdaContext(authorizer.name))  # type: ignore[arg-type]
    except Exception as error:
        if str(error) == "Unauthorized":
            raise Unauthorized from error
        raise AuthorizerFailure(f"{authorizer.name} raised {type(error).__name__}") from error
    if not isinstance(answer, dict) or "principalId" not in answer:
        raise AuthorizerFailure(f"{authorizer.name} answered no policy")
    if not _allows(answer.get("policyDocument") or {}, arn):
        raise Denied
    return {**(answer.get("context") or {}), "principalId": answer["principalId"]}


def _allows(policy: JsonObject, arn: str) -> bool:
    """IAM's rule: an Allow that matches, and no Deny that does."""
    allowed = False
    for statement in policy.get("Statement") or []:
        if "execute-api:Invoke" not in _listed(statement.get("Action")):
            continue
        if any(_matches(pattern, arn) for pattern in _listed(statement.get("Resource"))):
            if statement.get("Effect") == "Deny":
                return False
            allowed = allowed or statement.get("Effect") == "Allow"
    return allowed


def _listed(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [str(each) for each in value] if isinstance(value, list) else []


def _matches(pattern: str, arn: str) -> bool:
    """`*` any run of characters, `?` any one (IAM's wildcards)."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, arn, re.DOTALL) is not None
