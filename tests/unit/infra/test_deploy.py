"""Deploying, against moto's S3, SSM and STS; CloudFormation is played here, since moto knows no SAM."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, WaiterError
from moto import mock_aws

from infra import deploy
from infra.deploy import DeploymentRefused, Options
from infra.local.template import load_template

TEMPLATE = """
Parameters: {OriginSecret: {Type: String}, PublicHost: {Type: String, Default: ""}, TablePrefix: {Type: String}}
Resources:
  One: {Type: "AWS::Serverless::Function", Properties: {CodeUri: ./deployment.zip}}
  Two: {Type: "AWS::Serverless::Function", Properties: {CodeUri: ./deployment.zip}}
  Flow: {Type: "AWS::Serverless::StateMachine", Properties: {DefinitionUri: state_machines/flow.asl.json}}
"""
DEFAULTS = {"PublicHost": "", "TablePrefix": "wattfare-", "OriginSecret": "", "ApiGatewayLogs": "off"}


class CloudFormation:
    """One stack. `refuses` is the reason for which the next change set fails."""

    def __init__(self) -> None:
        self.parameters: dict[str, str] | None = None
        self.change_sets: list[dict[str, Any]] = []
        self.refuses = ""
        self.rolls_back = False

    def describe_stacks(self, StackName: str) -> Any:  # noqa: N803
        if self.parameters is None:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "does not exist"}}, "DescribeStacks")
        entries = [{"ParameterKey": name, "ParameterValue": value} for name, value in self.parameters.items()]
        outputs = [{"OutputKey": "DistributionHost", "OutputValue": "d1.cloudfront.example"}]
        return {"Stacks": [{"StackStatus": "UPDATE_COMPLETE", "Parameters": entries, "Outputs": outputs}]}

    def create_change_set(self, **request: Any) -> None:
        self.change_sets.append(request)

    def describe_change_set(self, **_: Any) -> Any:
        return {"StatusReason": self.refuses}

    def delete_change_set(self, **_: Any) -> None:
        self.change_sets.pop()

    def get_waiter(self, name: str) -> Any:
        failing = bool(self.refuses) if name.startswith("change_set") else self.rolls_back

        class Waiter:
            def wait(self, **_: Any) -> None:
                if failing:
                    raise WaiterError(name, "failed", {})

        return Waiter()

    def execute_change_set(self, **_: Any) -> None:
        before = self.parameters or DEFAULTS
        chosen = {
            entry["ParameterKey"]: entry.get("ParameterValue", before.get(entry["ParameterKey"], ""))
            for entry in self.change_sets[-1]["Parameters"]
        }
        self.parameters = {**before, **chosen}


class ApiGateway:
    """The account's settings of API Gateway."""

    def __init__(self) -> None:
        self.account: dict[str, str] = {}

    def get_account(self) -> dict[str, str]:
        return self.account


class Account:
    """Clients of an account in eu-west-1."""

    def __init__(self) -> None:
        self.cloudformation = CloudFormation()
        self.api_gateway = ApiGateway()
        self.said: list[str] = []

    def client(self, service: str) -> Any:
        played = {"cloudformation": self.cloudformation, "apigateway": self.api_gateway}
        return played.get(service) or boto3.client(service, region_name="eu-west-1")

    def give_stripe_secrets(self) -> None:
        for name in deploy.GIVEN_SECRETS:
            self.client("ssm").put_parameter(Name=f"/wattfare/{name}", Value="sk", Type="SecureString")

    def deploy(self, package: Path, **environment: str) -> deploy.Stack:
        return deploy.deploy(package, Options.from_environment(environment), self.client, self.said.append)

    def secret(self, name: str) -> str:
        answer = self.client("ssm").get_parameter(Name=f"/wattfare/{name}", WithDecryption=True)
        return str(answer["Parameter"]["Value"])


@pytest.fixture
def account() -> Iterator[Account]:
    with mock_aws():
        yield Account()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "state_machines").mkdir()
    (tmp_path / "state_machines" / "flow.asl.json").write_text("{}")
    (tmp_path / "deployment.zip").write_bytes(b"PK")
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    return tmp_path


def chosen(change_set: dict[str, Any]) -> dict[str, str]:
    return {entry["ParameterKey"]: entry.get("ParameterValue", "<as before>") for entry in change_set["Parameters"]}


def test_the_first_deployment_tells_the_functions_the_name_of_the_cdn(account: Account, package: Path) -> None:
    account.give_stripe_secrets()
    stack = account.deploy(package, MAIL_FROM="a@b.example")
    create, update = account.cloudformation.change_sets
    assert (create["ChangeSetType"], update["ChangeSetType"]) == ("CREATE", "UPDATE")
    assert chosen(create) == {"MailFrom": "a@b.example", "OriginSecret": account.secret("origin-verify")}
    assert chosen(update)["PublicHost"] == "d1.cloudfront.example"
    assert stack.parameters["PublicHost"] == "d1.cloudfront.example"


def test_a_host_name_of_ones_own_needs_no_second_pass(account: Account, package: Path) -> None:
    account.give_stripe_secrets()
    account.deploy(package, PUBLIC_HOST="charge.example", CERTIFICATE_ARN="arn:c")
    assert len(account.cloudformation.change_sets) == 1


def test_the_next_deployment_keeps_what_was_chosen_before(account: Account, package: Path) -> None:
    account.give_stripe_secrets()
    account.deploy(package, PUBLIC_HOST="charge.example", CERTIFICATE_ARN="arn:c")
    account.deploy(package)
    assert len(account.cloudformation.change_sets) == 2
    assert chosen(account.cloudformation.change_sets[-1])["PublicHost"] == "<as before>"
    assert account.cloudformation.parameters is not None
    assert account.cloudformation.parameters["PublicHost"] == "charge.example"


def test_the_template_names_what_was_uploaded(account: Account, package: Path, tmp_path: Path) -> None:
    account.give_stripe_secrets()
    account.deploy(package)
    url = account.cloudformation.change_sets[0]["TemplateURL"]
    bucket, key = "wattfare-artifacts-123456789012-eu-west-1", url.split(".amazonaws.com/")[1]
    assert url == f"https://{bucket}.s3.eu-west-1.amazonaws.com/{key}"
    s3 = account.client("s3")
    uploaded = tmp_path / "uploaded.yaml"
    uploaded.write_bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    resources = load_template(uploaded)["Resources"]
    code = resources["One"]["Properties"]["CodeUri"]
    assert code == resources["Two"]["Properties"]["CodeUri"]
    assert s3.get_object(**code)["Body"].read() == b"PK"
    assert json.load(s3.get_object(**resources["Flow"]["Properties"]["DefinitionUri"])["Body"]) == {}
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]["RestrictPublicBuckets"]


def test_secrets_are_made_once(account: Account, package: Path) -> None:
    account.give_stripe_secrets()
    account.deploy(package)
    before = [account.secret(name) for name in deploy.MADE_SECRETS]
    assert len(set(before)) == len(deploy.MADE_SECRETS)
    assert all(len(secret) >= 32 for secret in before)
    account.deploy(package)
    assert [account.secret(name) for name in deploy.MADE_SECRETS] == before
    assert not any(secret in "".join(account.said) for secret in before)


def test_missing_secrets_of_the_payment_provider_are_named_and_nothing_happens(account: Account, package: Path) -> None:
    with pytest.raises(DeploymentRefused, match="stripe-webhook-secret"):
        account.deploy(package)
    assert account.cloudformation.change_sets == []
    assert account.client("s3").list_buckets()["Buckets"] == []
    assert account.client("ssm").describe_parameters()["Parameters"] == []


def test_nothing_to_change_is_no_failure(account: Account, package: Path) -> None:
    account.give_stripe_secrets()
    account.deploy(package)
    account.cloudformation.refuses = "The submitted information didn't contain changes."
    assert account.deploy(package).outputs["DistributionHost"] == "d1.cloudfront.example"


def test_a_refused_change_is_told_in_its_own_words(account: Account, package: Path) -> None:
    account.give_stripe_secrets()
    account.cloudformation.refuses = "Transform failed: bad template"
    with pytest.raises(DeploymentRefused, match="bad template"):
        account.deploy(package)


def test_a_rollback_is_a_failure(account: Account, package: Path) -> None:
    account.give_stripe_secrets()
    account.cloudformation.rolls_back = True
    with pytest.raises(DeploymentRefused, match="rolled back"):
        account.deploy(package)


def test_the_log_switch_follows_the_account(account: Account, package: Path) -> None:
    account.give_stripe_secrets()
    account.api_gateway.account = {"cloudwatchRoleArn": "arn:role"}
    account.deploy(package)
    assert chosen(account.cloudformation.change_sets[0])["ApiGatewayLogs"] == "on"


@pytest.mark.parametrize(
    ("environment", "words"),
    [({"CERTIFICATE_ARN": "arn:c"}, "PUBLIC_HOST"), ({"STACK_NAME": "a" * 25}, "24 characters")],
)
def test_contradictions_are_refused_before_anything_is_asked(environment: dict[str, str], words: str) -> None:
    with pytest.raises(DeploymentRefused, match=words):
        Options.from_environment(environment)


def test_without_a_package_the_command_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DeploymentRefused, match="make package"):
        deploy.main(tmp_path, {})
