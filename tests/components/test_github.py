"""What GitHub's workflows may do."""

import json
import re
from fnmatch import fnmatchcase
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.security.github import GithubDeployRoles
from preview.plan import Plan

from ..support import one, planned, remedies, statements
from .examples.registry import ROLES, ROLES_FULL

PROVIDER = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
MANAGED = "aws:iam/policy:Policy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
ISSUER = "token.actions.githubusercontent.com"
BOUNDARY = "arn:aws:mock:region:123456789012:ci-boundary"

Statements = dict[str, dict[str, Any]]


def roles(name: str = "ci", **changes: Any) -> Plan:
    return planned(lambda opts: GithubDeployRoles(name, {**ROLES, **changes}, opts))  # pyright: ignore[reportArgumentType]


def full(**changes: Any) -> Plan:
    return roles(**{**ROLES_FULL, **changes})


def refused(name: str = "ci", **changes: Any) -> dict[str, str]:
    return remedies(lambda: GithubDeployRoles(name, {**ROLES, **changes}))  # pyright: ignore[reportArgumentType]


def deployment() -> Statements:
    return statements(one(full(), ROLE_POLICY, "ci-deploy-prod")["policy"])


def boundary() -> Statements:
    return statements(one(full(), MANAGED)["policy"])


def preview(**changes: Any) -> Statements:
    return statements(one(full(**changes), ROLE_POLICY, "ci-preview")["policy"])


def trusted(plan: Plan, name: str) -> dict[str, Any]:
    (statement,) = statements(one(plan, ROLE, name)["assumeRolePolicy"]).values()
    return statement


def subjects(plan: Plan, name: str) -> list[str]:
    return trusted(plan, name)["Condition"]["StringEquals"][f"{ISSUER}:sub"]


def allowing(policy: Statements, action: str) -> list[dict[str, Any]]:
    """The statements that allow an action."""
    return _matching(policy, action, "Allow")


def denied(policy: Statements, action: str) -> bool:
    """Whether a statement refuses an action on anything."""
    return any("*" in each.get("Resource", []) for each in _matching(policy, action, "Deny"))


def _matching(policy: Statements, action: str, effect: str) -> list[dict[str, Any]]:
    return [
        each
        for each in policy.values()
        if each["Effect"] == effect and any(fnmatchcase(action, pattern) for pattern in each["Action"])
    ]


def test_the_account_knows_github_without_a_thumbprint() -> None:
    assert one(roles(), PROVIDER) == {"url": f"https://{ISSUER}", "clientIdLists": ["sts.amazonaws.com"]}


def test_the_account_keeps_the_provider_that_it_has() -> None:
    plan = full()
    assert plan.of_type(PROVIDER) == []
    assert trusted(plan, "ci-preview")["Principal"] == {"Federated": ROLES_FULL.get("provider_arn")}


def test_every_role_is_for_tokens_of_the_one_repository() -> None:
    plan = roles(environments=["dev", "prod"])
    assert {each.name for each in plan.of_type(ROLE)} == {"ci-preview", "ci-deploy-dev", "ci-deploy-prod"}
    for role in plan.of_type(ROLE):
        statement = trusted(plan, role.name)
        assert statement["Action"] == ["sts:AssumeRoleWithWebIdentity"]
        assert statement["Principal"] == {"Federated": f"arn:aws:iam::123456789012:oidc-provider/{ISSUER}"}
        assert set(statement["Condition"]) == {"StringEquals"}, "a wildcard would let others in"
        assert statement["Condition"]["StringEquals"][f"{ISSUER}:aud"] == "sts.amazonaws.com"
        assert all(each.startswith("repo:shop/Infrastructure:") for each in subjects(plan, role.name))


def test_pull_requests_and_the_branch_preview_and_nothing_else_of_theirs() -> None:
    assert subjects(roles(), "ci-preview") == [
        "repo:shop/Infrastructure:pull_request",
        "repo:shop/Infrastructure:ref:refs/heads/main",
    ]


def test_jobs_of_an_environment_deploy_to_it_alone() -> None:
    plan = roles(environments=["dev", "prod"])
    assert subjects(plan, "ci-deploy-dev") == ["repo:shop/Infrastructure:environment:dev"]
    assert subjects(plan, "ci-deploy-prod") == ["repo:shop/Infrastructure:environment:prod"]


def test_numbers_stand_in_the_subject_where_they_are_given() -> None:
    assert subjects(full(), "ci-preview")[1] == "repo:shop@123/Infrastructure@456:ref:refs/heads/release/1.0"


def test_a_session_is_short_and_a_first_deployment_fits_in() -> None:
    hours = {each.name: each.inputs["maxSessionDuration"] / 3600 for each in full().of_type(ROLE)}
    assert hours == {"ci-preview": 1, "ci-deploy-dev": 2, "ci-deploy-prod": 2}


def test_nobody_deploys_unless_an_environment_is_named() -> None:
    assert [each.name for each in roles().of_type(ROLE)] == ["ci-preview"]


def test_a_preview_reads_configuration_alone() -> None:
    plan = roles()
    assert one(plan, ATTACHMENT)["policyArn"] == "arn:aws:iam::aws:policy/SecurityAudit"
    policy = statements(one(plan, ROLE_POLICY)["policy"])
    assert {each["Effect"] for each in policy.values()} == {"Deny"}


@pytest.mark.parametrize(
    "action",
    [
        "secretsmanager:GetSecretValue",
        "ssm:GetParameter",
        "ssm:GetParametersByPath",
        "logs:GetLogEvents",
        "lambda:GetFunction",
        "ec2:GetPasswordData",
        "ecr:BatchGetImage",
        "dynamodb:Scan",
    ],
)
def test_a_preview_reads_no_data(action: str) -> None:
    assert denied(preview(), action)
    assert not allowing(preview(), action)


def test_a_preview_reads_and_decrypts_nothing_but_the_state() -> None:
    without = statements(one(roles(), ROLE_POLICY)["policy"])
    assert denied(without, "s3:GetObject")
    assert denied(without, "kms:Decrypt")
    policy = preview()
    assert policy["NoObjects"]["NotResource"] == ["arn:aws:s3:::shop-state/*"]
    assert policy["NoDecryption"]["NotResource"] == [ROLES_FULL["state"]["key_arn"]]  # pyright: ignore[reportTypedDictNotRequiredAccess]
    assert policy["StateObjects"]["Action"] == ["s3:GetObject"]
    assert policy["StateKey"]["Action"] == ["kms:Decrypt"]
    assert policy["StateKey"]["Condition"] == {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}}


def test_a_deployment_writes_the_state_and_does_not_lose_it() -> None:
    policy = deployment()
    assert policy["StateObjects"]["Action"] == ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    assert policy["StateObjects"]["Resource"] == ["arn:aws:s3:::shop-state/*"]
    refused_there = policy["State"]["Resource"]
    assert refused_there == [
        "arn:aws:s3:::shop-state",
        "arn:aws:s3:::shop-state/*",
        ROLES_FULL["state"]["key_arn"],  # pyright: ignore[reportTypedDictNotRequiredAccess]
    ]
    for action in ("s3:DeleteBucket", "s3:DeleteObjectVersion", "s3:PutBucketPolicy", "kms:ScheduleKeyDeletion"):
        assert _matching({"State": policy["State"]}, action, "Deny"), action


def test_services_are_touched_in_the_regions_alone() -> None:
    for policy in (deployment(), boundary()):
        for action in ("ec2:RunInstances", "rds:CreateDBInstance", "kms:CreateKey", "eks:CreateCluster"):
            (statement,) = allowing(policy, action)
            assert statement["Condition"] == {"StringEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}}, (
                action
            )


def test_a_wildcard_has_a_condition() -> None:
    for policy in (deployment(), boundary(), preview()):
        for sid, statement in policy.items():
            if statement["Effect"] == "Allow" and "*" in "".join(statement["Action"]):
                assert statement.get("Condition"), sid


def test_buckets_are_those_of_the_environments() -> None:
    for policy in (deployment(), boundary()):
        (statement,) = allowing(policy, "s3:DeleteBucket")
        assert statement["Resource"] == ["arn:aws:s3:::skipper-*"]


def test_records_change_in_the_named_zones() -> None:
    for policy in (deployment(), boundary()):
        (statement,) = allowing(policy, "route53:ChangeResourceRecordSets")
        assert statement["Resource"] == ["arn:aws:route53:::hostedzone/ZSHOP"]
        assert not allowing(policy, "route53:DeleteHostedZone")
    without = roles(environments=["dev"])
    for inputs in (one(without, ROLE_POLICY, "ci-deploy-dev"), one(without, MANAGED)):
        assert not allowing(statements(inputs["policy"]), "route53:ChangeResourceRecordSets")


def test_images_are_pulled_and_not_pushed() -> None:
    for policy in (deployment(), boundary()):
        assert allowing(policy, "ecr:BatchGetImage")
        for action in ("ecr:PutImage", "ecr:DeleteRepository", "ecr:BatchDeleteImage"):
            assert not allowing(policy, action), action


@pytest.mark.parametrize(
    "action", ["iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary"]
)
def test_a_deployment_gives_permissions_only_to_bounded_roles_of_environments(action: str) -> None:
    (statement,) = allowing(deployment(), action)
    assert statement["Condition"] == {"StringEquals": {"iam:PermissionsBoundary": BOUNDARY}}
    assert statement["Resource"] == ["arn:aws:iam::123456789012:role/skipper-*"]


def test_everything_that_a_deployment_changes_in_iam_belongs_to_environments() -> None:
    reading = re.compile(r"iam:(Get|List)\w+")
    for sid, statement in deployment().items():
        changes = [each for each in statement["Action"] if each.startswith("iam:") and not reading.fullmatch(each)]
        if statement["Effect"] == "Allow" and changes and sid != "ServiceLinked":
            for resource in statement["Resource"]:
                assert re.fullmatch(r"arn:aws:iam::123456789012:[a-z-]+/skipper-\*", resource), (sid, resource)


def test_roles_are_passed_to_named_services() -> None:
    for policy in (deployment(), boundary()):
        (statement,) = allowing(policy, "iam:PassRole")
        services = statement["Condition"]["StringEquals"]["iam:PassedToService"]
        assert "rds.amazonaws.com" in services
        assert not [each for each in services if "*" in each]
        assert statement["Resource"] == ["arn:aws:iam::123456789012:role/skipper-*"]


def test_service_linked_roles_are_those_of_named_services() -> None:
    for policy in (deployment(), boundary()):
        (statement,) = allowing(policy, "iam:CreateServiceLinkedRole")
        assert "eks.amazonaws.com" in statement["Condition"]["StringEquals"]["iam:AWSServiceName"]
        assert statement["Resource"] == ["arn:aws:iam::123456789012:role/aws-service-role/*"]


def test_nobody_takes_the_boundary_off() -> None:
    policy = deployment()
    assert denied(policy, "iam:DeleteRolePermissionsBoundary")
    assert policy["Boundary"]["Effect"] == "Deny"
    assert policy["Boundary"]["Resource"] == [BOUNDARY]
    for action in ("iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:SetDefaultPolicyVersion"):
        assert action in policy["Boundary"]["Action"]


@pytest.mark.parametrize(
    "action",
    [
        "cloudtrail:StopLogging",
        "cloudtrail:DeleteTrail",
        "config:DeleteConfigurationRecorder",
        "config:StopConfigurationRecorder",
        "guardduty:DeleteDetector",
        "guardduty:UpdateDetector",
        "securityhub:DisableSecurityHub",
        "organizations:LeaveOrganization",
        "account:CloseAccount",
        "ec2:DisableEbsEncryptionByDefault",
        "ec2:DisableSnapshotBlockPublicAccess",
        "s3:PutAccountPublicAccessBlock",
    ],
)
def test_the_guards_of_the_account_stay(action: str) -> None:
    assert denied(deployment(), action)
    assert denied(boundary(), action)


@pytest.mark.parametrize(
    "action",
    [
        "iam:CreateUser",
        "iam:CreateAccessKey",
        "iam:CreateRole",
        "iam:PutRolePolicy",
        "iam:AttachRolePolicy",
        "iam:UpdateAssumeRolePolicy",
        "iam:CreatePolicyVersion",
        "iam:DeleteRolePermissionsBoundary",
        "iam:PutRolePermissionsBoundary",
    ],
)
def test_no_bounded_role_gives_itself_more(action: str) -> None:
    assert denied(boundary(), action)


def test_no_deployment_makes_a_user_or_takes_another_role() -> None:
    for action in ("iam:CreateUser", "iam:CreateAccessKey", "iam:CreateOpenIDConnectProvider", "sts:AssumeRole"):
        assert not allowing(deployment(), action), action


def test_the_largest_policies_are_short_enough_for_iam() -> None:
    plan = roles(
        environments=["prod"],
        role_prefixes=[f"{letter * 23}-" for letter in "abcde"],
        regions=[f"ap-southeast-{number}" for number in range(1, 9)],
        zone_arns=[f"arn:aws:route53:::hostedzone/Z{number:020}" for number in range(8)],
        state={"bucket_arn": f"arn:aws:s3:::{'s' * 63}", "key_arn": "arn:aws:kms:" + "k" * 80},
    )
    for policy in plan.of_type(MANAGED):
        assert _length(policy.inputs["policy"]) <= 6144, policy.name
    for policy in plan.of_type(ROLE_POLICY):
        assert _length(policy.inputs["policy"]) <= 10240, policy.name


def _length(policy: str) -> int:
    """The characters that IAM counts: white space is free."""
    return len(json.dumps(json.loads(policy), separators=(",", ":")))


def test_roles_can_be_taken_once_they_have_their_policies() -> None:
    def made(opts: pulumi.ResourceOptions) -> None:
        ci = GithubDeployRoles("ci", ROLES_FULL, opts)
        told = pulumi.Output.json_dumps({"preview": ci.preview_role_arn, "deploy": ci.deploy_role_arns})
        aws.sns.Topic("told", display_name=told, opts=pulumi.ResourceOptions(parent=ci))

    plan = planned(made)
    told = plan.of_type("aws:sns/topic:Topic")[0]
    assert json.loads(told.inputs["displayName"]) == {
        "preview": "arn:aws:mock:region:123456789012:ci-preview",
        "deploy": {each: f"arn:aws:mock:region:123456789012:ci-deploy-{each}" for each in ("dev", "prod")},
    }
    waits = {(plan.resource(urn).type, plan.resource(urn).name) for urn in plan.waits_for(told.urn)}
    assert {(ATTACHMENT, "ci-preview"), (ROLE_POLICY, "ci-preview")} <= waits
    assert {(ROLE_POLICY, "ci-deploy-dev"), (ROLE_POLICY, "ci-deploy-prod")} <= waits


@pytest.mark.parametrize("repository", ["shop", "shop/*", "*/infrastructure", "shop/it/more", "shop/it:ref"])
def test_what_is_no_one_repository_is_refused(repository: str) -> None:
    assert refused(repository=repository) == {"repository": "write it as owner/name, without wildcards"}


@pytest.mark.parametrize("branch", ["*", "release/*", "", "main "])
def test_what_is_no_one_branch_is_refused(branch: str) -> None:
    assert refused(branch=branch) == {"branch": "give one branch, without wildcards"}


@pytest.mark.parametrize("name", ["skipper-ci", "skipper"])
def test_a_name_under_which_deployments_could_change_these_roles_is_refused(name: str) -> None:
    assert "could change themselves" in refused(name)["role_prefixes[0]"]


def test_a_prefix_within_their_own_names_is_refused() -> None:
    found = refused(environments=["prod"], role_prefixes=["ci-deploy-prod-more-"])
    assert "could change themselves" in found["role_prefixes[0]"]


@pytest.mark.parametrize("prefix", ["", "*", "-", "skipper", "skipper-*", "Skipper-", "a-"])
def test_a_prefix_that_is_none_is_refused(prefix: str) -> None:
    assert "hyphen at the end" in refused(role_prefixes=[prefix])["role_prefixes[0]"]


def test_bad_args_are_refused_together() -> None:
    assert refused(
        ids={"owner": "shop", "repository": "456"},
        environments=["prod", "prod", "*"],
        role_prefixes=[],
        regions=["eu-*", "eu-west-1", "eu-west-1"],
        zone_arns=["arn"] * 9,
    ) == {
        "ids.owner": "give the number that GitHub's API shows as the id",
        "environments[1]": "is listed twice; leave one out",
        "environments[2]": "give GitHub's name of it in letters, digits and . _ -",
        "role_prefixes": "name 1 to 5 of them: a policy has no room for more",
        "regions[0]": "give a region, for example eu-central-1",
        "regions[2]": "is listed twice; leave one out",
        "zone_arns": "name 0 to 8 of them: a policy has no room for more",
    }
    assert "56 or fewer" in refused(environments=["e" * 50])["environments[0]"]
    assert "24 characters" in refused(role_prefixes=["p" * 24 + "-"])["role_prefixes[0]"]
    assert "1 to 8" in refused(regions=[])["regions"]
    assert "48 or fewer" in refused("c" * 49)["name"]
    assert "IAM takes letters" in refused("c i")["name"]
