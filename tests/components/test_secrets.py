"""Secrets, and the functions that rotate them."""

import json
from string import printable
from typing import Any
from urllib.parse import quote

import pulumi
import pulumi_aws as aws
import pytest

from components.secrets.aws import AwsSecret
from components.secrets.generated import AwsGeneratedSecret
from components.secrets.rotation import AwsRotationFunction
from preview.plan import Plan
from preview.record import plain

from ..support import known, one, planned, recorded, remedies
from .examples.secrets import FUNCTION, GENERATED, NOTED, ROTATED
from .examples.shared import AWAY_KEY, KEY, LOG_KEY

SECRET = "aws:secretsmanager/secret:Secret"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"
STACK = "aws:serverlessrepository/cloudFormationStack:CloudFormationStack"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"


def noted(**changes: Any) -> Plan:
    return planned(lambda opts: AwsSecret("mail", {**NOTED, **changes}, opts))  # pyright: ignore[reportArgumentType]


def rotated(**changes: Any) -> Plan:
    return planned(lambda opts: AwsSecret("mail", {**ROTATED, **changes}, opts))  # pyright: ignore[reportArgumentType]


def function(**changes: Any) -> Plan:
    return planned(lambda opts: AwsRotationFunction("turn", {**FUNCTION, **changes}, opts))  # pyright: ignore[reportArgumentType]


def refused(name: str = "mail", without: str = "", **changes: Any) -> dict[str, str]:
    args = {key: value for key, value in {**NOTED, **changes}.items() if key != without}
    return remedies(lambda: AwsSecret(name, args))  # pyright: ignore[reportArgumentType]


def output(plan: Plan, name: str) -> Any:
    return next(each for each in plan.resources if each.type.startswith("plinth:index:")).outputs[name]


def test_a_secret_is_encrypted_and_can_be_had_back() -> None:
    secret = one(noted(), SECRET)
    assert secret["kmsKeyId"] == KEY
    assert secret["recoveryWindowInDays"] == 30
    assert one(noted(recovery_days=0), SECRET)["recoveryWindowInDays"] == 0


def test_a_secret_that_no_function_rotates_says_how_it_is_rotated() -> None:
    plan = noted()
    assert one(plan, SECRET)["tags"] == {"rotation": "by hand in the console of the mail service"}
    assert plan.of_type(ROTATION) == []
    assert "tags" not in one(rotated(), SECRET)


def value(**changes: Any) -> str:
    """The secret's value as it is sent, out of its envelope."""

    def program() -> None:
        AwsSecret("mail", {**NOTED, **changes}, pulumi.ResourceOptions(providers=[aws.Provider("cloud")]))  # pyright: ignore[reportArgumentType]

    requests = recorded(program, answer=known).recorder.requests.values()
    version = next(request for request in requests if request.type == VERSION)
    assert plain(version.object)["secretString"] == "[secret]"
    return version.object.fields["secretString"].struct_value.fields["value"].string_value


def test_its_fields_are_one_json_object_that_nobody_sees() -> None:
    assert json.loads(value()) == {"user": "shop", "password": "hidden"}


def test_without_a_function_a_new_value_is_stored() -> None:
    version = noted().of_type(VERSION)[0]
    assert "ignoreChanges" not in version.options
    assert "versionStages" not in version.inputs


def test_a_rotated_password_is_never_set_back() -> None:
    """Neither by a change of its fields, nor by moving the label of the current version back, nor by making the first
    version again after Secrets Manager has deleted it: a label of its own keeps that one."""
    version = rotated().of_type(VERSION)[0]
    assert set(version.options["ignoreChanges"]) == {"secretString", "versionStages"}
    assert version.inputs["versionStages"] == ["AWSCURRENT", "FIRST"]


def test_the_rotation_begins_with_a_value_and_not_at_once() -> None:
    plan = rotated()
    rotation = plan.of_type(ROTATION)[0]
    assert rotation.inputs.items() >= {
        "rotationLambdaArn": "arn:aws:lambda:eu-central-1:123456789012:function:rotate",
        "rotationRules": {"automaticallyAfterDays": 30},
        "rotateImmediately": False,
    }.items()  # fmt: skip
    assert plan.of_type(VERSION)[0].urn in plan.waits_for(rotation.urn)


def test_copies_stand_in_other_regions_under_the_same_name() -> None:
    plan = rotated()
    assert one(plan, SECRET)["replicas"] == [{"region": "eu-west-1", "kmsKeyId": AWAY_KEY}]
    assert output(plan, "secret") == "arn:aws:mock:region:123456789012:mail"
    assert output(plan, "replicaArns") == {"eu-west-1": "arn:aws:mock:eu-west-1:123456789012:mail"}
    assert output(noted(), "replicaArns") == {}


def test_whoever_gets_its_arn_waits_for_its_value() -> None:
    def make(opts: pulumi.ResourceOptions) -> None:
        secret = AwsSecret("mail", NOTED, opts)
        provider = aws.Provider("other")
        aws.ssm.Parameter("reader", type="String", value=secret.secret, opts=pulumi.ResourceOptions(provider=provider))

    plan = planned(make)
    reader = plan.of_type("aws:ssm/parameter:Parameter")[0]
    assert plan.of_type(VERSION)[0].urn in plan.waits_for(reader.urn)


def test_a_secret_that_is_never_rotated_needs_a_reason() -> None:
    assert "needs a written reason" in refused(without="rotation_note")["rotation"]


def test_a_secret_has_one_way_to_be_rotated() -> None:
    assert "`rotation` names the function" in refused(rotation=ROTATED["rotation"])["rotation_note"]  # pyright: ignore[reportTypedDictNotRequiredAccess]


@pytest.mark.parametrize("days", [0, 91])
def test_rotation_comes_within_90_days(days: int) -> None:
    rotation = {"function_arn": "arn", "days": days}
    assert refused(without="rotation_note", rotation=rotation) == {"rotation.days": "give 1 to 90 days"}


def test_copies_in_the_own_region_or_twice_are_refused() -> None:
    copies = [{"region": region, "key_arn": AWAY_KEY} for region in ("eu-central-1", "eu-west-1", "eu-west-1")]
    problems = refused(replicas=copies)
    assert "name another region" in problems["replicas[0].region"]
    assert "one copy" in problems["replicas[2].region"]
    assert set(problems) == {"replicas[0].region", "replicas[2].region"}


def test_bad_args_are_refused() -> None:
    assert "one field" in refused(fields={})["fields"]
    assert "letters, digits, spaces" in refused(rotation_note="by hand, sometimes")["rotation_note"]
    assert "1 to 256" in refused(rotation_note="")["rotation_note"]
    assert "7 to 30 days" in refused(recovery_days=6)["recovery_days"]
    assert "letters, digits" in refused(name="mail key")["name"]
    assert "use 504 or fewer" in refused(name="m" * 505)["name"]


def test_the_function_is_the_one_that_aws_publishes_in_a_pinned_version() -> None:
    stack = one(function(), STACK)
    assert stack["applicationId"] == (
        "arn:aws:serverlessrepo:us-east-1:297356227824:applications/SecretsManagerRDSPostgreSQLRotationSingleUser"
    )
    assert stack["semanticVersion"] == "1.1.671"
    assert stack["capabilities"] == ["CAPABILITY_IAM", "CAPABILITY_RESOURCE_POLICY"]


def test_the_function_runs_in_the_vpc_and_reaches_the_key() -> None:
    assert one(function(), STACK)["parameters"].items() >= {
        "endpoint": "https://secretsmanager.eu-central-1.amazonaws.com",
        "functionName": "turn",
        "vpcSubnetIds": "subnet-1,subnet-2",
        "vpcSecurityGroupIds": "turn-function-id",
        "kmsKeyArn": KEY,
    }.items()  # fmt: skip


def test_its_passwords_stand_in_a_url_as_they_are() -> None:
    excluded = set(one(function(), STACK)["parameters"]["excludeCharacters"])
    assert excluded == {each for each in printable if each.isprintable() and quote(each, safe="") != each} - {" "}


@pytest.mark.parametrize(
    ("partition", "owner", "endpoint"),
    [
        ("aws-cn", "cn-north-1:193023089310", "https://secretsmanager.eu-central-1.amazonaws.com.cn"),
        ("aws-us-gov", "us-gov-west-1:023102451235", "https://secretsmanager.eu-central-1.amazonaws.com"),
    ],
)
def test_each_partition_has_applications_of_its_own(partition: str, owner: str, endpoint: str) -> None:
    stack = one(function(scope={**FUNCTION["scope"], "partition": partition}), STACK)
    assert stack["applicationId"].startswith(f"arn:{partition}:serverlessrepo:{owner}:applications/")
    assert stack["parameters"]["endpoint"] == endpoint
    assert stack["semanticVersion"] != "1.1.671"


def test_the_function_reaches_its_servers_and_https_and_nothing_else() -> None:
    plan = function(servers={"database": "sg-database"}, port=5433)
    leaving = {
        (each.inputs.get("referencedSecurityGroupId", each.inputs.get("cidrIpv4")), each.inputs["fromPort"])
        for each in plan.of_type(EGRESS)
    }
    assert leaving == {("sg-database", 5433), ("0.0.0.0/0", 443)}
    arriving = one(plan, INGRESS)
    assert (arriving["securityGroupId"], arriving["referencedSecurityGroupId"]) == ("sg-database", "turn-function-id")
    assert one(function(), INGRESS)["fromPort"] == 5432


def test_its_log_group_stands_before_the_function_writes() -> None:
    """Lambda makes a missing group by itself: unencrypted, and kept for ever."""
    plan = function(log_days=30)
    group = plan.of_type("aws:cloudwatch/logGroup:LogGroup")[0]
    assert group.inputs.items() >= {
        "name": "/aws/lambda/turn",
        "kmsKeyId": LOG_KEY,
        "retentionInDays": 30,
    }.items()  # fmt: skip
    assert group.urn in plan.waits_for(plan.of_type(STACK)[0].urn)


def test_a_function_goes_before_another_takes_its_name() -> None:
    assert function().of_type(STACK)[0].options["deleteBeforeReplace"] is True


def test_the_functions_arn_is_the_one_that_the_application_tells() -> None:
    assert output(function(), "functionArn") == "arn:aws:mock:region:123456789012:turn"
    assert output(function(), "securityGroupId") == "turn-function-id"


def test_bad_args_of_a_function_are_refused() -> None:
    def problems(name: str = "turn", **changes: Any) -> dict[str, str]:
        return remedies(lambda: AwsRotationFunction(name, {**FUNCTION, **changes}))  # pyright: ignore[reportArgumentType]

    assert "one server" in problems(servers={})["servers"]
    assert "1 to 65535" in problems(port=0)["port"]
    assert "choose one of postgres" in problems(kind="oracle")["kind"]
    assert "use 64 or fewer" in problems(name="t" * 65)["name"]
    assert "hyphens" in problems(name="turn_it")["name"]
    unknown = problems(scope={**FUNCTION["scope"], "partition": "aws-iso"})
    assert "choose one of aws, aws-cn, aws-us-gov" in unknown["scope.partition"]


def generated(**changes: Any) -> Plan:
    args: Any = {**GENERATED, **changes}
    return planned(lambda opts: AwsGeneratedSecret("signing", args, opts))


def test_a_generated_secret_is_long_random_and_in_one_field() -> None:
    plan = generated()
    password = one(plan, "random:index/randomPassword:RandomPassword")
    assert (password["length"], password["special"]) == (64, False)
    assert one(plan, "aws:secretsmanager/secretVersion:SecretVersion")["secretString"] == "[secret]"
    assert "version" in one(plan, "aws:secretsmanager/secret:Secret")["tags"]["rotation"]


def test_another_version_is_another_value() -> None:
    def keepers(version: int) -> Any:
        return one(generated(version=version), "random:index/randomPassword:RandomPassword")["keepers"]

    assert keepers(1) != keepers(2)


def test_a_generated_secret_is_not_short() -> None:
    args: Any = {**GENERATED, "length": 8}
    assert remedies(lambda: AwsGeneratedSecret("signing", args)) == {"length": "give 32 to 128 characters"}
