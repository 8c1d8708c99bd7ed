"""What GitHub's workflows may do in an AWS account."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..component import Component, checked, checked_name, known_after, matching
from ..problems import InputError, Problem
from .policy import AwsScope, allow, arn, document

ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"

GLOBAL_REGION = "us-east-1"
"""The region that a request to a service without regions counts as."""

SERVICES = (
    "acm",
    "autoscaling",
    "backup",
    "backup-storage",
    "cloudformation",
    "cloudwatch",
    "ec2",
    "eks",
    "elasticache",
    "elasticloadbalancing",
    "kms",
    "lambda",
    "logs",
    "mq",
    "rds",
    "scheduler",
    "secretsmanager",
    "serverlessrepo",
    "sns",
    "ssm",
    "tag",
)
"""The services that environments are made of, as IAM names them. Buckets, zones and roles have limits of their own."""

WORKLOAD_SERVICES = (
    "acm",
    "autoscaling",
    "backup",
    "backup-storage",
    "cloudwatch",
    "ec2",
    "ec2messages",
    "eks",
    "eks-auth",
    "elasticache",
    "elasticloadbalancing",
    "events",
    "kms",
    "lambda",
    "logs",
    "mq",
    "rds",
    "rds-db",
    "scheduler",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "ssmmessages",
    "tag",
    "wafv2",
    "xray",
)
"""The services that an environment's own roles may be let into."""

_IMAGES = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGet*",
    "ecr:Describe*",
    "ecr:Get*",
    "ecr:List*",
)
"""Images are read: who deploys does not push."""

_PROFILE_ACTIONS = (
    "iam:AddRoleToInstanceProfile",
    "iam:CreateInstanceProfile",
    "iam:DeleteInstanceProfile",
    "iam:GetInstanceProfile",
    "iam:ListInstanceProfileTags",
    "iam:RemoveRoleFromInstanceProfile",
    "iam:TagInstanceProfile",
    "iam:UntagInstanceProfile",
)

_PASSED_TO = (
    "backup.amazonaws.com",
    "cloudformation.amazonaws.com",
    "ec2.amazonaws.com",
    "eks.amazonaws.com",
    "lambda.amazonaws.com",
    "monitoring.rds.amazonaws.com",
    "pods.eks.amazonaws.com",
    "rds.amazonaws.com",
    "s3.amazonaws.com",
    "scheduler.amazonaws.com",
    "vpc-flow-logs.amazonaws.com",
)
"""The services that work with roles of an environment."""

_SERVICE_LINKED = (
    "autoscaling.amazonaws.com",
    "backup.amazonaws.com",
    "eks.amazonaws.com",
    "eks-nodegroup.amazonaws.com",
    "elasticache.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
    "mq.amazonaws.com",
    "rds.amazonaws.com",
    "spot.amazonaws.com",
)
"""The services that make a role of their own when they are first used."""

_GUARDS = (
    "access-analyzer:Delete*",
    "account:*",
    "aws-portal:*",
    "billing:*",
    "cloudtrail:Delete*",
    "cloudtrail:Put*",
    "cloudtrail:StopLogging",
    "cloudtrail:UpdateTrail",
    "config:Delete*",
    "config:Put*",
    "config:Stop*",
    "ec2:DisableEbsEncryptionByDefault",
    "ec2:DisableImageBlockPublicAccess",
    "ec2:DisableSnapshotBlockPublicAccess",
    "ec2:ModifyEbsDefaultKmsKeyId",
    "ec2:ModifyInstanceMetadataDefaults",
    "guardduty:Delete*",
    "guardduty:Disassociate*",
    "guardduty:Stop*",
    "guardduty:Update*",
    "inspector2:Disable*",
    "organizations:*",
    "s3:PutAccountPublicAccessBlock",
    "securityhub:BatchDisableStandards",
    "securityhub:Delete*",
    "securityhub:Disable*",
    "securityhub:Disassociate*",
)
"""What guards the account, and the account itself: no deployment touches it, whatever else is granted one day."""

_ESCALATION = (
    "iam:AddUserToGroup",
    "iam:Attach*",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:CreateOpenIDConnectProvider",
    "iam:CreatePolicy*",
    "iam:CreateRole",
    "iam:CreateSAMLProvider",
    "iam:CreateUser",
    "iam:Delete*Boundary",
    "iam:Put*",
    "iam:SetDefaultPolicyVersion",
    "iam:UpdateAssumeRolePolicy",
)
"""How a role would give itself, or another identity, more than it has."""

_DATA = (
    "cloudformation:GetTemplate",
    "dynamodb:BatchGet*",
    "dynamodb:GetItem",
    "dynamodb:Query",
    "dynamodb:Scan",
    "ec2:GetConsole*",
    "ec2:GetPasswordData",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
    "lambda:GetFunction",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:GetQueryResults",
    "logs:StartQuery",
    "rds:DownloadDBLogFilePortion",
    "secretsmanager:BatchGetSecretValue",
    "secretsmanager:GetSecretValue",
    "sqs:ReceiveMessage",
    "ssm:GetParameter*",
)
"""What holds data, or the secrets that lead to it."""

_SEGMENT = r"[A-Za-z0-9_.-]+"
_REGION = r"[a-z]{2}(-[a-z]+)+-\d"
_PREFIX = r"[a-z][a-z0-9]+(-[a-z0-9]+)*-"
# IAM takes 64 characters: the name, a hyphen and seven random ones.
_LONGEST_ROLE = 56
# A policy takes 6144 characters, and these stand in it several times.
_LONGEST_PREFIX = 24
_MOST_PREFIXES, _MOST_REGIONS, _MOST_ZONES = 5, 8, 8


class GithubIds(TypedDict):
    """The numbers of a repository, which stay its own when names change hands."""

    owner: str
    """Number of the user or organisation that owns it."""
    repository: str
    """Number of the repository."""


class PulumiState(TypedDict):
    """The bucket that holds the state of the stacks."""

    bucket_arn: pulumi.Input[str]
    """ARN of the bucket."""
    key_arn: pulumi.Input[str]
    """ARN of the KMS key that encrypts the bucket."""


class GithubDeployRolesArgs(TypedDict):
    """Whose workflows they are, and what these may touch."""

    scope: AwsScope
    """The account. Roles belong to no region."""
    repository: str
    """The repository as `owner/name`, written as GitHub writes it: capitals count."""
    ids: NotRequired[GithubIds]
    """The numbers in the subject of its tokens. Repositories that were made, renamed or transferred since July 2026
    have them there, others where their settings say so. Default: names alone."""
    branch: NotRequired[str]
    """The branch whose workflows may preview, besides pull requests. Default: `main`."""
    environments: NotRequired[list[str]]
    """Names of the GitHub environments whose jobs may deploy, each with a role of its own. Whom they wait for is up to
    their protection rules. Default: none."""
    role_prefixes: list[str]
    """What the names of the roles, instance profiles, policies and buckets of the deployed environments begin with,
    such as `skipper-`. Nothing else in the account may be named so."""
    regions: list[str]
    """Regions that a deployment may touch, those that receive copies among them."""
    zone_arns: NotRequired[list[pulumi.Input[str]]]
    """ARNs of the Route 53 zones in which deployments, and what they deploy, change records. Default: none."""
    state: NotRequired[PulumiState]
    """Where the stacks have their state, if that is S3. Default: elsewhere."""
    provider_arn: NotRequired[pulumi.Input[str]]
    """ARN of the account's identity provider for GitHub, where it has one: it can have one alone. Default: it is made
    here."""


_RULES = {
    "repository": matching(rf"{_SEGMENT}/{_SEGMENT}", "write it as owner/name, without wildcards"),
    "branch": matching(rf"{_SEGMENT}(/{_SEGMENT})*", "give one branch, without wildcards"),
}


class GithubDeployRoles(Component):
    """The roles that a repository's GitHub workflows take, with no key stored anywhere (CKV_AWS_358): one for previews,
    and one for each GitHub environment that deploys.

    A preview reads how things are configured, and neither data nor secrets: it refreshes no secret's value, and
    previews no stack whose own secrets a KMS key encrypts. A deployment makes what environments are made of, in its
    regions. It makes roles only with `boundary_arn` as their permissions boundary, so that none of them can do more
    than that policy lets it; a stack sets it on every role that it makes. No deployment changes the boundary, these
    roles, what guards the account, or the account itself. Other things in its regions are within its reach, whoever
    made them: give the environments an account of their own.

    Raises `InputError` for bad args, and for a name under which deployments could change these roles.
    """

    provider_arn: pulumi.Output[str]
    """ARN of the account's identity provider for GitHub."""
    preview_role_arn: pulumi.Output[str]
    """ARN of the role for previews. Known once it has its policies."""
    deploy_role_arns: pulumi.Output[dict[str, str]]
    """ARNs of the roles that deploy, by GitHub environment. Known once they have their policies."""
    boundary_arn: pulumi.Output[str]
    """ARN of the policy that every role of a deployed environment has as its permissions boundary."""

    def __init__(self, name: str, args: GithubDeployRolesArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"GithubDeployRoles {name}"
        args = checked(GithubDeployRolesArgs, args, subject, _RULES)
        checked_name(
            name, subject, _LONGEST_ROLE - len("-preview"), r"[\w+=,.@-]+", "IAM takes letters, digits and _+=,.@-"
        )
        if problems := list(_problems(name, args)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        self._prefix = name
        self._args = args
        self._names = _Names(args)
        if "provider_arn" in args:
            self.provider_arn = pulumi.Output.from_input(args["provider_arn"])
        else:
            # AWS knows who signs for GitHub: it takes no thumbprint.
            self.provider_arn = aws.iam.OpenIdConnectProvider(
                name, url=f"https://{ISSUER}", client_id_lists=[AUDIENCE], opts=self._child()
            ).arn
        self._boundary = aws.iam.Policy(
            f"{name}-boundary",
            description="The most that roles of deployed environments may do",
            policy=document(*self._bounds()),
            opts=self._child(),
        )
        self.preview_role_arn = self._preview()
        deployers = {each: self._deploy(each) for each in args.get("environments", [])}
        self.deploy_role_arns = pulumi.Output.all(**deployers) if deployers else pulumi.Output.from_input({})
        self.boundary_arn = self._boundary.arn
        self._register()

    def _role(self, role: str, description: str, claims: Sequence[str], hours: int) -> aws.iam.Role:
        """A role for workflows whose token has one of these subjects, for so long at a time."""
        when = {
            "StringEquals": {
                f"{ISSUER}:aud": AUDIENCE,
                f"{ISSUER}:sub": [f"repo:{_repository(self._args)}:{claim}" for claim in claims],
            }
        }
        return aws.iam.Role(
            f"{self._prefix}-{role}",
            description=description,
            max_session_duration=hours * 3600,
            assume_role_policy=document(
                allow(
                    "GitHub",
                    ["sts:AssumeRoleWithWebIdentity"],
                    principal={"Federated": self.provider_arn},
                    when=when,
                )
            ),
            opts=self._child(),
        )

    def _preview(self) -> pulumi.Output[str]:
        branch = self._args.get("branch", "main")
        role = self._role("preview", "Previews changes", ["pull_request", f"ref:refs/heads/{branch}"], hours=1)
        partition = self._args["scope"].get("partition", "aws")
        # What a refresh reads is hundreds of actions of some twenty services. AWS keeps the list of those that show how
        # a resource is configured, and this is it.
        audit = aws.iam.RolePolicyAttachment(
            f"{self._prefix}-preview",
            role=role.name,
            policy_arn=f"arn:{partition}:iam::aws:policy/SecurityAudit",
            opts=self._child(),
        )
        policy = aws.iam.RolePolicy(
            f"{self._prefix}-preview",
            role=role.id,
            policy=document(*_no_data(self._args.get("state")), *_state(self._args.get("state"), writes=False)),
            opts=self._child(),
        )
        return known_after(role.arn, audit.id, policy.id)

    def _deploy(self, environment: str) -> pulumi.Output[str]:
        claims = [f"environment:{environment}"]
        # A first deployment takes longer than an hour: databases and clusters come one after the other.
        role = self._role(f"deploy-{environment}", f"Deploys {environment}", claims, hours=2)
        policy = aws.iam.RolePolicy(
            f"{self._prefix}-deploy-{environment}",
            role=role.id,
            policy=document(
                allow(
                    "Services",
                    [*(f"{service}:*" for service in SERVICES), *_IMAGES],
                    ["*"],
                    when=self._in_regions(),
                ),
                *self._buckets(),
                *self._zones(),
                *self._identities(),
                *_state(self._args.get("state"), writes=True),
                *self._untouchable(),
            ),
            opts=self._child(),
        )
        return known_after(role.arn, policy.id)

    def _bounds(self) -> list[dict[str, Any]]:
        names, in_global = self._names, {"StringEquals": {"aws:RequestedRegion": GLOBAL_REGION}}
        return [
            allow(
                "Services",
                [*(f"{service}:*" for service in WORKLOAD_SERVICES), *_IMAGES],
                ["*"],
                when=self._in_regions(),
            ),
            *self._buckets(),
            *self._zones(),
            allow(
                "Global",
                [
                    "pricing:GetProducts",
                    "route53:ListHostedZones",
                    "route53:ListHostedZonesByName",
                    "shield:DescribeProtection",
                    "shield:GetSubscriptionState",
                ],
                ["*"],
                when=in_global,
            ),
            # A cluster finds and makes its own nodes' profiles.
            allow("Profiles", _PROFILE_ACTIONS, [*names.profiles, names.of_iam("instance-profile/eks*")]),
            allow("AllProfiles", ["iam:ListInstanceProfiles"], [names.of_iam("instance-profile/*")]),
            allow("OwnRoles", ["iam:GetRole"], names.roles),
            self._pass(),
            self._service_linked(),
            _deny("Guards", [*_GUARDS, *_ESCALATION], ["*"]),
        ]

    def _in_regions(self) -> dict[str, dict[str, Any]]:
        return {"StringEquals": {"aws:RequestedRegion": self._args["regions"]}}

    def _buckets(self) -> list[dict[str, Any]]:
        return [allow("Buckets", ["s3:*"], self._names.buckets, when=self._in_regions())]

    def _zones(self) -> list[dict[str, Any]]:
        zones = self._args.get("zone_arns", [])
        if not zones:
            return []
        partition = self._args["scope"].get("partition", "aws")
        return [
            allow(
                "Records",
                [
                    "route53:ChangeResourceRecordSets",
                    "route53:GetHostedZone",
                    "route53:ListResourceRecordSets",
                    "route53:ListTagsForResource",
                ],
                zones,
            ),
            allow("Changes", ["route53:GetChange"], [f"arn:{partition}:route53:::change/*"]),
        ]

    def _identities(self) -> list[dict[str, Any]]:
        names = self._names
        return [
            allow(
                "Roles",
                [
                    "iam:DeleteRole",
                    "iam:GetRole",
                    "iam:GetRolePolicy",
                    "iam:ListAttachedRolePolicies",
                    "iam:ListInstanceProfilesForRole",
                    "iam:ListRolePolicies",
                    "iam:ListRoleTags",
                    "iam:TagRole",
                    "iam:UntagRole",
                    "iam:UpdateAssumeRolePolicy",
                    "iam:UpdateRole",
                    "iam:UpdateRoleDescription",
                ],
                names.roles,
            ),
            allow(
                "BoundedRoles",
                [
                    "iam:AttachRolePolicy",
                    "iam:CreateRole",
                    "iam:DeleteRolePolicy",
                    "iam:DetachRolePolicy",
                    "iam:PutRolePermissionsBoundary",
                    "iam:PutRolePolicy",
                ],
                names.roles,
                when={"StringEquals": {"iam:PermissionsBoundary": self._boundary.arn}},
            ),
            allow(
                "Policies",
                [
                    "iam:CreatePolicy",
                    "iam:CreatePolicyVersion",
                    "iam:DeletePolicy",
                    "iam:DeletePolicyVersion",
                    "iam:SetDefaultPolicyVersion",
                    "iam:TagPolicy",
                    "iam:UntagPolicy",
                ],
                names.policies,
            ),
            allow(
                "ReadPolicies",
                ["iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyTags", "iam:ListPolicyVersions"],
                [*names.policies, names.managed, self._boundary.arn],
            ),
            allow("Profiles", _PROFILE_ACTIONS, names.profiles),
            self._pass(),
            self._service_linked(),
            allow("ReadServiceLinked", ["iam:GetRole"], [names.service_linked]),
        ]

    def _pass(self) -> dict[str, Any]:
        when = {"StringEquals": {"iam:PassedToService": list(_PASSED_TO)}}
        return allow("Pass", ["iam:PassRole"], self._names.roles, when=when)

    def _service_linked(self) -> dict[str, Any]:
        when = {"StringEquals": {"iam:AWSServiceName": list(_SERVICE_LINKED)}}
        return allow("ServiceLinked", ["iam:CreateServiceLinkedRole"], [self._names.service_linked], when=when)

    def _untouchable(self) -> Iterable[dict[str, Any]]:
        yield _deny("Guards", _GUARDS, ["*"])
        yield _deny("Unbounded", ["iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary"], ["*"])
        yield _deny(
            "Boundary",
            [
                "iam:CreatePolicyVersion",
                "iam:DeletePolicy",
                "iam:DeletePolicyVersion",
                "iam:SetDefaultPolicyVersion",
            ],
            [self._boundary.arn],
        )
        if state := self._args.get("state"):
            yield _deny(
                "State",
                [
                    "kms:DisableKey",
                    "kms:PutKeyPolicy",
                    "kms:ScheduleKeyDeletion",
                    "s3:DeleteBucket*",
                    "s3:DeleteObjectVersion",
                    "s3:PutBucket*",
                    "s3:PutEncryptionConfiguration",
                    "s3:PutLifecycleConfiguration",
                ],
                [state["bucket_arn"], pulumi.Output.concat(state["bucket_arn"], "/*"), state["key_arn"]],
            )


class _Names:
    """ARNs of what deployed environments have, by how their names begin."""

    def __init__(self, args: GithubDeployRolesArgs):
        self._scope = args["scope"]
        partition = self._scope.get("partition", "aws")
        prefixes = args["role_prefixes"]
        self.roles = [self.of_iam(f"role/{prefix}*") for prefix in prefixes]
        self.policies = [self.of_iam(f"policy/{prefix}*") for prefix in prefixes]
        self.profiles = [self.of_iam(f"instance-profile/{prefix}*") for prefix in prefixes]
        self.service_linked = self.of_iam("role/aws-service-role/*")
        self.managed = f"arn:{partition}:iam::aws:policy/*"
        self.buckets = [f"arn:{partition}:s3:::{prefix}*" for prefix in prefixes]
        """Buckets and what is in them: a wildcard takes a slash for any character."""

    def of_iam(self, resource: str) -> str:
        """The ARN of something in the account's IAM."""
        return arn(self._scope, "iam", resource, regional=False)


def _repository(args: GithubDeployRolesArgs) -> str:
    """The repository as the subject of its tokens names it."""
    if "ids" not in args:
        return args["repository"]
    owner, _, name = args["repository"].partition("/")
    return f"{owner}@{args['ids']['owner']}/{name}@{args['ids']['repository']}"


def _deny(sid: str, actions: Sequence[str], resources: Sequence[pulumi.Input[str]]) -> dict[str, Any]:
    return {**allow(sid, actions, resources), "Effect": "Deny"}


def _deny_but(sid: str, actions: Sequence[str], resources: Sequence[pulumi.Input[str]]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Deny", "Action": list(actions), "NotResource": list(resources)}


def _no_data(state: PulumiState | None) -> Iterable[dict[str, Any]]:
    """What AWS adds to its policy one day is no reason to read data."""
    objects, decrypt = ["s3:GetObject*"], ["kms:Decrypt"]
    if state is None:
        yield _deny("NoData", [*_DATA, *objects, *decrypt], ["*"])
    else:
        yield _deny("NoData", _DATA, ["*"])
        yield _deny_but("NoObjects", objects, [pulumi.Output.concat(state["bucket_arn"], "/*")])
        yield _deny_but("NoDecryption", decrypt, [state["key_arn"]])


def _state(state: PulumiState | None, writes: bool) -> Iterable[dict[str, Any]]:
    """A preview reads the state; a deployment writes it, and locks it by an object."""
    if state is None:
        return
    objects = ["s3:GetObject", *(["s3:PutObject", "s3:DeleteObject"] if writes else [])]
    yield allow("StateList", ["s3:GetBucketLocation", "s3:ListBucket"], [state["bucket_arn"]])
    yield allow("StateObjects", objects, [pulumi.Output.concat(state["bucket_arn"], "/*")])
    yield allow(
        "StateKey",
        ["kms:Decrypt", *(["kms:GenerateDataKey"] if writes else [])],
        [state["key_arn"]],
        when={"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}},
    )


def _problems(name: str, args: GithubDeployRolesArgs) -> Iterable[Problem]:
    environments = args.get("environments", [])
    for field, number in args.get("ids", {}).items():
        if not re.fullmatch(r"\d+", str(number)):
            yield Problem(f"ids.{field}", number, "give the number that GitHub's API shows as the id")
    yield from _listed("environments", environments, _SEGMENT, "GitHub's name of it in letters, digits and . _ -")
    for i, environment in enumerate(environments):
        role = f"{name}-deploy-{environment}"
        if len(role) > _LONGEST_ROLE:
            yield Problem(
                f"environments[{i}]",
                environment,
                f"makes the role {role} of {len(role)} characters; use {_LONGEST_ROLE} or fewer",
            )
    prefixes = args["role_prefixes"]
    yield from _listed(
        "role_prefixes", prefixes, _PREFIX, "small letters and digits with a hyphen at the end, such as skipper-"
    )
    own = [f"{name}-boundary-", f"{name}-preview-", *(f"{name}-deploy-{each}-" for each in environments)]
    for i, prefix in enumerate(prefixes):
        if prefix and any(each.startswith(prefix) or prefix.startswith(each) for each in own):
            yield Problem(
                f"role_prefixes[{i}]",
                prefix,
                f"is how these roles begin too, so that they could change themselves; give {name} another name",
            )
    yield from _listed("regions", args["regions"], _REGION, "a region, for example eu-central-1")
    for i, prefix in enumerate(prefixes):
        if len(prefix) > _LONGEST_PREFIX:
            yield Problem(f"role_prefixes[{i}]", prefix, f"use {_LONGEST_PREFIX} characters or fewer")
    for field, count, fewest, most in (
        ("role_prefixes", len(prefixes), 1, _MOST_PREFIXES),
        ("regions", len(args["regions"]), 1, _MOST_REGIONS),
        ("zone_arns", len(args.get("zone_arns", [])), 0, _MOST_ZONES),
    ):
        if not fewest <= count <= most:
            yield Problem(field, count, f"name {fewest} to {most} of them: a policy has no room for more")


def _listed(field: str, values: Sequence[str], pattern: str, wanted: str) -> Iterable[Problem]:
    for i, value in enumerate(values):
        if not re.fullmatch(pattern, value):
            yield Problem(f"{field}[{i}]", value, f"give {wanted}")
        elif value in values[:i]:
            yield Problem(f"{field}[{i}]", value, "is listed twice; leave one out")
