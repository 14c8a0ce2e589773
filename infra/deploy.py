"""Brings a package to AWS: `python -m infra.deploy build/package`, or `make deploy`.

Uses the credentials and the region of your shell. Reads STACK_NAME, TABLE_PREFIX, SECRET_PREFIX, MAIL_FROM,
MAIL_IDENTITY, ALARM_MAIL, PUBLIC_HOST, CERTIFICATE_ARN, DEFAULT_CURRENCY, ARTIFACT_BUCKET, ADMIN_EMAIL. May be run
again after any failure: secrets are made once and never replaced, uploads are named by their content, and the stack
changes as a whole or not at all.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError, WaiterError

from infra.compose import to_yaml
from infra.local.template import load_template

MADE_SECRETS: Final = ("access-token-key", "charger-password-key", "origin-verify", "voucher-key")
GIVEN_SECRETS: Final = ("stripe-secret-key", "stripe-webhook-secret")
MAX_STACK_NAME: Final = 24
"""Longer ones are cut in the names of functions, and the roles know their logs by the whole name."""
_OPTIONAL: Final = {
    "TABLE_PREFIX": "TablePrefix",
    "SECRET_PREFIX": "SecretPrefix",
    "MAIL_FROM": "MailFrom",
    "MAIL_IDENTITY": "MailIdentity",
    "ALARM_MAIL": "AlarmMail",
    "PUBLIC_HOST": "PublicHost",
    "CERTIFICATE_ARN": "CertificateArn",
    "TRUST_STORE_ID": "TrustStoreId",
    "DEFAULT_CURRENCY": "DefaultCurrency",
}

Clients = Callable[[str], Any]
"""botocore clients by name of the service."""
Say = Callable[[str], object]


class DeploymentRefused(Exception):
    """Something is missing or wrong, in words for the person who deploys."""


@dataclass(frozen=True)
class Options:
    """What the deployer chose; `parameters` are the template's that differ from its defaults."""

    stack_name: str
    parameters: Mapping[str, str]
    bucket: str = ""
    secret_prefix: str = "/wattfare/"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Options:
        """Raises DeploymentRefused."""
        stack_name = environment.get("STACK_NAME", "wattfare")
        if len(stack_name) > MAX_STACK_NAME:
            raise DeploymentRefused(f"STACK_NAME has {MAX_STACK_NAME} characters at most.")
        parameters = {_OPTIONAL[name]: environment[name] for name in _OPTIONAL if environment.get(name)}
        if parameters.get("CertificateArn") and not parameters.get("PublicHost"):
            raise DeploymentRefused("CERTIFICATE_ARN needs PUBLIC_HOST, the name that it certifies.")
        prefix = parameters.get("SecretPrefix", "/wattfare/")
        return cls(stack_name, parameters, environment.get("ARTIFACT_BUCKET", ""), prefix)


@dataclass(frozen=True)
class Stack:
    """A deployed stack: its parameters as they are, its outputs."""

    parameters: Mapping[str, str]
    outputs: Mapping[str, str]


def deploy(package: Path, options: Options, clients: Clients, say: Say) -> Stack:
    """Deploys and returns the stack. Raises DeploymentRefused."""
    account = clients("sts").get_caller_identity()["Account"]
    region = clients("s3").meta.region_name
    origin_secret = ensure_secrets(clients("ssm"), options.secret_prefix, say)
    bucket = options.bucket or f"wattfare-artifacts-{account}-{region}"
    _ensure_bucket(clients("s3"), bucket, region, say)
    template_url = _upload(clients("s3"), bucket, package, region)
    parameters = {**options.parameters, "OriginSecret": origin_secret}
    if clients("apigateway").get_account().get("cloudwatchRoleArn"):
        parameters["ApiGatewayLogs"] = "on"
    cloudformation = clients("cloudformation")
    stack = _apply(cloudformation, options.stack_name, template_url, parameters, say)
    if not stack.parameters.get("PublicHost"):
        # The functions have to know the CDN's name, which only the finished stack tells.
        parameters["PublicHost"] = stack.outputs["DistributionHost"]
        stack = _apply(cloudformation, options.stack_name, template_url, parameters, say)
    return stack


def ensure_secrets(ssm: Any, prefix: str, say: Say) -> str:
    """Makes the secrets that nobody has to know, asks for those of others; returns the origin secret.

    Raises DeploymentRefused naming what is missing.
    """
    names = [prefix + name for name in (*MADE_SECRETS, *GIVEN_SECRETS)]
    known = {found["Name"] for found in ssm.get_parameters(Names=names)["Parameters"]}
    missing = [name for name in GIVEN_SECRETS if prefix + name not in known]
    if missing:
        commands = [
            f"  aws ssm put-parameter --type SecureString --name {prefix}{name} --value ..." for name in missing
        ]
        raise DeploymentRefused("The payment provider's secrets are not there yet:\n" + "\n".join(commands))
    for name in MADE_SECRETS:
        if prefix + name not in known:
            # Never replaced: every sign-in, charger's password, and voucher hangs on them.
            ssm.put_parameter(Name=prefix + name, Value=secrets.token_urlsafe(48), Type="SecureString", Overwrite=False)
            say(f"made the secret {prefix}{name}")
    answer = ssm.get_parameter(Name=f"{prefix}origin-verify", WithDecryption=True)
    return str(answer["Parameter"]["Value"])


def _ensure_bucket(s3: Any, bucket: str, region: str, say: Say) -> None:
    try:
        s3.head_bucket(Bucket=bucket)
        return
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
            raise DeploymentRefused(f"The bucket {bucket} is there, and closed to you.") from error
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=bucket, **where)
    closed = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=closed)
    say(f"made the bucket {bucket}")


def _upload(s3: Any, bucket: str, package: Path, region: str) -> str:
    """Uploads the files that the template names, then the template; returns its address."""
    template = load_template(package / "template.yaml")
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        if "CodeUri" in properties:
            key = _put(s3, bucket, package / properties["CodeUri"])
            properties["CodeUri"] = {"Bucket": bucket, "Key": key}
        if "DefinitionUri" in properties:
            key = _put(s3, bucket, package / properties["DefinitionUri"])
            properties["DefinitionUri"] = {"Bucket": bucket, "Key": key}
    key = _put_bytes(s3, bucket, "template.yaml", to_yaml(template).encode())
    return f"https://{bucket}.s3.{region}.amazonaws.com/{key}"


def _put(s3: Any, bucket: str, path: Path) -> str:
    return _put_bytes(s3, bucket, path.name, path.read_bytes())


def _put_bytes(s3: Any, bucket: str, name: str, content: bytes) -> str:
    """Under its digest: the same content is uploaded once, another one never takes its place."""
    key = f"{hashlib.sha256(content).hexdigest()}/{name}"
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError:
        s3.put_object(Bucket=bucket, Key=key, Body=content)
    return key


def _apply(cloudformation: Any, name: str, template_url: str, parameters: Mapping[str, str], say: Say) -> Stack:
    """Creates or updates the stack. Raises DeploymentRefused when it did not come about."""
    before = _find(cloudformation, name)
    kind = "CREATE" if before is None else "UPDATE"
    change = {"StackName": name, "ChangeSetName": f"deploy-{secrets.token_hex(8)}"}
    cloudformation.create_change_set(
        **change,
        ChangeSetType=kind,
        TemplateURL=template_url,
        Parameters=_parameters(parameters, before),
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    try:
        cloudformation.get_waiter("change_set_create_complete").wait(**change)
    except WaiterError as error:
        reason = cloudformation.describe_change_set(**change).get("StatusReason", "")
        cloudformation.delete_change_set(**change)
        if before is not None and ("didn't contain changes" in reason or "No updates" in reason):
            say(f"{name}: nothing to change")
            return before
        raise DeploymentRefused(f"CloudFormation refuses the change: {reason}") from error
    say(f"{name}: {kind.lower()} under way; this takes minutes")
    cloudformation.execute_change_set(**change)
    try:
        cloudformation.get_waiter(f"stack_{kind.lower()}_complete").wait(StackName=name)
    except WaiterError as error:
        raise DeploymentRefused(f"The stack was rolled back: its events in {name} say why.") from error
    after = _find(cloudformation, name)
    if after is None:
        raise DeploymentRefused(f"The stack {name} went away while it was deployed.")
    return after


def _parameters(chosen: Mapping[str, str], before: Stack | None) -> list[dict[str, Any]]:
    """What was not chosen this time stays as it is in an existing stack."""
    kept = [] if before is None else [name for name in before.parameters if name not in chosen]
    return [
        *({"ParameterKey": name, "ParameterValue": value} for name, value in chosen.items()),
        *({"ParameterKey": name, "UsePreviousValue": True} for name in kept),
    ]


def _find(cloudformation: Any, name: str) -> Stack | None:
    try:
        [found] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise
    if found["StackStatus"] == "REVIEW_IN_PROGRESS":
        return None  # a change set was made and never executed
    return Stack(
        {entry["ParameterKey"]: entry["ParameterValue"] for entry in found.get("Parameters", [])},
        {entry["OutputKey"]: entry["OutputValue"] for entry in found.get("Outputs", [])},
    )


def ensure_admin(email: str, stack: Stack, region: str) -> str | None:
    """Creates the platform's first administrator in the deployed tables; returns the password if it was made now."""
    # Tables are named when the product is imported.
    os.environ["TABLE_PREFIX"] = stack.parameters["TablePrefix"]
    from chalicelib.identity import service as identity
    from chalicelib.kernel.context import Context, Settings

    password = secrets.token_urlsafe(12)
    settings = Settings(region=region, default_currency=stack.parameters["DefaultCurrency"])
    return password if identity.ensure_platform_admin(Context(settings), email, password) else None


def main(package: Path, environment: Mapping[str, str]) -> None:
    """Raises DeploymentRefused."""
    if not (package / "template.yaml").exists():
        raise DeploymentRefused(f"There is no package in {package}: run `make package`.")
    options = Options.from_environment(environment)
    session = boto3.Session()
    try:
        stack = deploy(package, options, session.client, _say)
        admin_email = environment.get("ADMIN_EMAIL", "")
        password = ensure_admin(admin_email, stack, session.region_name) if admin_email else None
    except (NoCredentialsError, NoRegionError) as error:
        raise DeploymentRefused(
            f"AWS does not know you ({str(error).rstrip('.')}). Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, and AWS_REGION."
        ) from error
    except (ClientError, BotoCoreError) as error:
        raise DeploymentRefused(str(error)) from error
    for name, value in sorted(stack.outputs.items()):
        _say(f"{name}: {value}")
    if password is not None:
        _say(f"administrator: {admin_email} with the password {password} (shown this once)")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/package"), os.environ)
    except DeploymentRefused as refused:
        sys.exit(str(refused))
