"""Each role's policy, held against what its user calls."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from components.security.github import SERVICES
from policy.rules.documents import many
from policy.rules.identity import ATTACHMENT, IDENTITY_POLICIES, ROLE
from preview.plan import Plan, Resource

from ..support import known_plan
from .test_environments import services_of

STACKS = ("dev", "prod", "account-aws")


@pytest.fixture(scope="module", params=STACKS)
def plan(request: pytest.FixtureRequest) -> Plan:
    return known_plan(request.param)


USES = {"secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"}
READS = {"s3:ListBucket", "s3:GetObject", "s3:GetObjectVersion", "kms:Decrypt"}
APPENDS = {"s3:PutObject", "kms:GenerateDataKey", "kms:Decrypt"}
KEEPS = {
    f"secretsmanager:{call}"
    for call in (
        "CreateSecret",
        "PutSecretValue",
        "UpdateSecret",
        "DescribeSecret",
        "RestoreSecret",
        "TagResource",
        "DeleteSecret",
    )
}
COPIES = {
    f"s3:{call}"
    for call in (
        "GetReplicationConfiguration",
        "ListBucket",
        "GetObjectVersionForReplication",
        "GetObjectVersionAcl",
        "GetObjectVersionTagging",
        "GetObjectRetention",
        "GetObjectLegalHold",
        "ReplicateObject",
        "ReplicateDelete",
        "ReplicateTags",
    )
}
CALLS: dict[str, set[str]] = {
    # Services: the stores that the model says, and credentials of tasks. Their own secrets they are given.
    "portal": READS,
    "user": APPENDS | KEEPS,
    "scheduler": APPENDS | USES,
    "execution": APPENDS,
    "error-handling": APPENDS,
    "audit": READS | APPENDS,
    "telemetry": {"cloudwatch:PutMetricData"},
    # External Secrets brings them, and reads them for that.
    "external-secrets": USES | {"kms:Decrypt"},
    "autoscaler": {
        "eks:DescribeNodegroup",
        *(
            f"autoscaling:{call}"
            for call in (
                "DescribeAutoScalingGroups",
                "DescribeAutoScalingInstances",
                "DescribeLaunchConfigurations",
                "DescribeScalingActivities",
                "SetDesiredCapacity",
                "TerminateInstanceInAutoScalingGroup",
            )
        ),
        *(
            f"ec2:{call}"
            for call in (
                "DescribeImages",
                "DescribeInstanceTypes",
                "DescribeLaunchTemplateVersions",
                "GetInstanceTypesFromInstanceRequirements",
            )
        ),
    },
    # The controller makes network load balancers, with their groups, and looks at where they stand.
    "load-balancers": {
        "iam:CreateServiceLinkedRole",
        *(
            f"ec2:{call}"
            for call in (
                "AuthorizeSecurityGroupIngress",
                "CreateSecurityGroup",
                "CreateTags",
                "DeleteSecurityGroup",
                "DeleteTags",
                "DescribeAccountAttributes",
                "DescribeAddresses",
                "DescribeAvailabilityZones",
                "DescribeInstances",
                "DescribeInternetGateways",
                "DescribeNetworkInterfaces",
                "DescribeRouteTables",
                "DescribeSecurityGroups",
                "DescribeSubnets",
                "DescribeVpcs",
                "GetSecurityGroupsForVpc",
                "RevokeSecurityGroupIngress",
            )
        ),
        *(
            f"elasticloadbalancing:{verb}{what}"
            for verb, targets in (
                ("Add", ("ListenerCertificates", "Tags")),
                ("Create", ("Listener", "LoadBalancer", "TargetGroup")),
                ("Delete", ("Listener", "LoadBalancer", "TargetGroup")),
                ("Deregister", ("Targets",)),
                (
                    "Describe",
                    (
                        "ListenerAttributes",
                        "ListenerCertificates",
                        "Listeners",
                        "LoadBalancerAttributes",
                        "LoadBalancers",
                        "Rules",
                        "Tags",
                        "TargetGroupAttributes",
                        "TargetGroups",
                        "TargetHealth",
                    ),
                ),
                (
                    "Modify",
                    (
                        "Listener",
                        "ListenerAttributes",
                        "LoadBalancerAttributes",
                        "TargetGroup",
                        "TargetGroupAttributes",
                    ),
                ),
                ("Register", ("Targets",)),
                ("Remove", ("ListenerCertificates", "Tags")),
                ("Set", ("IpAddressType", "SecurityGroups", "Subnets")),
            )
            for what in targets
        ),
    },
    "external-dns": {
        "route53:ChangeResourceRecordSets",
        "route53:ListResourceRecordSets",
        "route53:ListHostedZones",
    },
    # VPC flow logs, into their own log group.
    "network-flow-logs": {"logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"},
    # RDS Proxy signs in as the application.
    "database-proxy": {"secretsmanager:GetSecretValue", "kms:Decrypt"},
    # S3 reads every version here and writes it there, under the key of each side.
    ".*-replication": COPIES | {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"},
    # The scheduler sets how long the broker's log groups are kept.
    "broker-logs": {"logs:PutRetentionPolicy"},
    # The scheduler starts EKS's own update, which starts nodes out of the launch template in the caller's name.
    "patching": {"eks:UpdateNodegroupVersion", "ec2:RunInstances", "ec2:CreateTags"},
    # The volume driver makes encrypted volumes: EC2 uses the key by a grant.
    "volumes": {
        "kms:CreateGrant",
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
    },
    # CloudTrail writes its log group.
    "trail-logs": {"logs:CreateLogStream", "logs:PutLogEvents"},
    # ECR makes the repositories of copies, encrypted by a grant of the key.
    "image-copies-copies": {
        "ecr:CreateRepository",
        "ecr:ReplicateImage",
        "ecr:TagResource",
        "kms:CreateGrant",
        "kms:DescribeKey",
        "kms:RetireGrant",
    },
}
"""What the user of each role calls, by the pattern of the role's name."""
MANAGED: dict[str, set[str]] = {
    "backup": {"AWSBackupServiceRolePolicyForBackup", "AWSBackupServiceRolePolicyForS3Backup"},
    "backup-restore": {"AWSBackupServiceRolePolicyForRestores", "AWSBackupServiceRolePolicyForS3Restore"},
    "bastion": {"AmazonSSMManagedInstanceCore"},
    "ci-preview": {"SecurityAudit"},
    "cluster": {"AmazonEKSClusterPolicy"},
    "database-monitoring": {"AmazonRDSEnhancedMonitoringRole"},
    "insights": {"CloudWatchAgentServerPolicy"},
    "network": {"AmazonEKS_CNI_Policy"},
    "nodes": {"AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"},
    "volumes": {"AmazonEBSCSIDriverPolicyV2"},
}
"""The policies that AWS keeps for what its own services and agents call, likewise."""
DEPLOYS = "ci-deploy-.*"
"""Whoever deploys has a test of its own."""


def roles(plan: Plan) -> dict[str, tuple[set[str], set[str]]]:
    """What each role may do by its own policies, and which policies of AWS it has, by its name in the environment."""
    environment = plan.outputs.get("environment", "account-aws")
    return {
        role.name.removeprefix(f"{environment}-"): (
            {
                str(action)
                for policy in attached(plan, role, *IDENTITY_POLICIES)
                for statement in json.loads(policy.inputs["policy"])["Statement"]
                if statement["Effect"] == "Allow"
                for action in many(statement["Action"])
            },
            {str(each.inputs["policyArn"]).rpartition("/")[2] for each in attached(plan, role, ATTACHMENT)},
        )
        for role in plan.of_type(ROLE)
    }


def attached(plan: Plan, role: Resource, *types: str) -> list[Resource]:
    return [each for each in plan.of_type(*types) if role.urn in each.property_dependencies.get("role", ())]


def test_each_role_may_do_what_its_user_calls_and_no_more(plan: Plan) -> None:
    def told(table: Mapping[str, set[str]], name: str) -> set[str]:
        return next((calls for pattern, calls in table.items() if re.fullmatch(pattern, name)), set())

    for name, found in roles(plan).items():
        if not re.fullmatch(DEPLOYS, name):
            assert found == (told(CALLS, name), told(MANAGED, name)), name
            assert found != (set(), set()), name


def test_every_pattern_is_about_some_role() -> None:
    names = {name for stack in STACKS for name in roles(known_plan(stack))}
    assert [pattern for pattern in (*CALLS, *MANAGED) if not any(re.fullmatch(pattern, name) for name in names)] == []


def test_who_deploys_reaches_what_environments_are_made_of() -> None:
    """Else a deployment by CI would fail where one by an administrator does not."""
    prod = known_plan("prod")
    assert services_of(prod) - {"iam", "s3"} <= set(SERVICES)
    trusted = {
        principal
        for role in prod.of_type(ROLE)
        for statement in json.loads(role.inputs["assumeRolePolicy"])["Statement"]
        for principal in many(statement["Principal"]["Service"])
    }
    account = known_plan("account-aws")
    passed = {
        target
        for policy in account.of_type(*IDENTITY_POLICIES)
        if "deploy" in policy.name
        for statement in json.loads(policy.inputs["policy"])["Statement"]
        if "iam:PassRole" in many(statement.get("Action"))
        for target in many(statement["Condition"]["StringEquals"]["iam:PassedToService"])
    }
    assert trusted <= passed


def wide(plan: Plan) -> Iterator[tuple[Resource, Mapping[str, Any]]]:
    """Statements that allow an action or a resource with a wildcard for all of it, on no condition."""
    for policy in plan.of_type(*IDENTITY_POLICIES):
        for statement in json.loads(policy.inputs["policy"])["Statement"]:
            if statement["Effect"] == "Allow" and "Condition" not in statement:
                actions = [action for action in many(statement["Action"]) if "*" in action]
                if actions or "*" in many(statement["Resource"]):
                    yield policy, statement


REASONS: dict[tuple[str, str], str] = {}
"""Why a statement may be that wide, by the end of its policy's name and its id."""


def test_what_is_wide_without_a_condition_has_a_reason(plan: Plan) -> None:
    for policy, statement in wide(plan):
        found = [why for (end, sid), why in REASONS.items() if policy.name.endswith(end) and statement["Sid"] == sid]
        assert found, f"{policy.name}: {statement}"
