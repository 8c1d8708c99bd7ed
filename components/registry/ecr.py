"""Container images on Amazon ECR."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..component import Component, between, checked, checked_name, known_after
from ..problems import InputError, Problem
from ..security.policy import AwsScope, allow, arn, document, trust

EVERYTHING = "ROOT"
"""The prefix of the settings for every repository that has no others."""

_NAME = r"[a-z0-9]+([._-][a-z0-9]+)*(/[a-z0-9]+([._-][a-z0-9]+)*)*"
_REGION = r"[a-z]{2}(-[a-z]+)+-\d"
_LONGEST_NAME = 256
_MOST_REGIONS = 25
_LIFECYCLE_RULES = {"keep_images": between(1, 10000, "images"), "untagged_days": between(1, 365, "days")}


class EcrRegistryArgs(TypedDict):
    """Which repositories a registry has, and how long it keeps their images."""

    scope: AwsScope
    """Account and region of the registry."""
    key_arn: pulumi.Input[str]
    """ARN of the KMS key that encrypts the images (CKV_AWS_136). A new one replaces the repositories."""
    repositories: list[str]
    """Names of the repositories, one or more, for example `skipper/portal`."""
    replicate_to: NotRequired[list[str]]
    """Regions that receive copies of what is pushed from then on. An `EcrReplicaSettings` there says how they are kept.
    Default: none."""
    enhanced: NotRequired[bool]
    """Whether Amazon Inspector scans the images, and again whenever a vulnerability becomes known. It costs extra.
    Default: no; ECR scans each image when it is pushed (CKV_AWS_163)."""
    keep_images: NotRequired[int]
    """How many tagged images each repository keeps, the newest ones. Give more than are made while one is in use.
    Default: 50."""
    untagged_days: NotRequired[int]
    """Days until an image without a tag is deleted. Default: 7."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete the repositories. Default: yes."""
    delete_contents: NotRequired[bool]
    """Whether the deletion of a repository deletes its images too, instead of failing. Default: no."""


class EcrRegistry(Component):
    """The image repositories of an account in a region: encrypted (CKV_AWS_136), with tags that never move
    (CKV_AWS_51), scanned (CKV_AWS_163), with a lifecycle and, by choice, copies in other regions.

    An account has one registry a region, with one scan and one replication setting: make one of these there.

    Raises `InputError` for bad args.
    """

    registry_host: pulumi.Output[str]
    """Host name of the registry, to sign in to."""
    repository_urls: pulumi.Output[dict[str, str]]
    """What to push to and pull from, without a tag, by repository."""
    repository_arns: pulumi.Output[dict[str, str]]
    """ARNs of the repositories, by name."""

    def __init__(self, name: str, args: EcrRegistryArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"EcrRegistry {name}"
        args = checked(EcrRegistryArgs, args, subject, _LIFECYCLE_RULES)
        problems = [*_name_problems(args["repositories"]), *_region_problems(args)]
        if problems:
            raise InputError(subject, problems)
        super().__init__(name, opts)
        scope = args["scope"]
        scanning = _scanning(name, args.get("enhanced", False), self._child())
        repositories = {each: self._repository(name, each, args, scanning) for each in args["repositories"]}
        if regions := args.get("replicate_to", []):
            aws.ecr.ReplicationConfiguration(
                name,
                replication_configuration={
                    "rules": [
                        {
                            "destinations": [{"region": region, "registry_id": scope["account"]} for region in regions],
                            "repository_filters": [
                                {"filter": prefix, "filter_type": "PREFIX_MATCH"}
                                for prefix in _prefixes(args["repositories"])
                            ],
                        }
                    ]
                },
                opts=self._child(),
            )
        domain = "amazonaws.com.cn" if scope.get("partition") == "aws-cn" else "amazonaws.com"
        host = f"{scope['account']}.dkr.ecr.{scope['region']}.{domain}"
        self.registry_host = pulumi.Output.from_input(host)
        self.repository_urls = pulumi.Output.all(**{each: made.repository_url for each, made in repositories.items()})
        self.repository_arns = pulumi.Output.all(**{each: made.arn for each, made in repositories.items()})
        self._register()

    def _repository(
        self, name: str, repository: str, args: EcrRegistryArgs, scanning: aws.ecr.RegistryScanningConfiguration
    ) -> aws.ecr.Repository:
        made = aws.ecr.Repository(
            f"{name}-{repository}",
            name=repository,  # whoever pulls writes it
            image_tag_mutability="IMMUTABLE",
            encryption_configurations=[{"encryption_type": "KMS", "kms_key": args["key_arn"]}],
            force_delete=args.get("delete_contents", False),
            opts=self._child(
                protect=args.get("protect", True),
                delete_before_replace=True,  # its name is taken while it exists
                # What is pushed before the registry scans stays unscanned; no value carries that.
                depends_on=[scanning],
            ),
        )
        aws.ecr.LifecyclePolicy(
            f"{name}-{repository}",
            repository=made.name,
            policy=_lifecycle(args.get("keep_images", 50), args.get("untagged_days", 7)),
            opts=self._child(),
        )
        return made


class EcrReplicaSettingsArgs(TypedDict):
    """How copies of repositories are kept."""

    scope: AwsScope
    """Account, and the region that receives the copies: that of this component's provider."""
    key_arn: pulumi.Input[str]
    """ARN of a KMS key in that region, which encrypts the copies (CKV_AWS_136)."""
    prefixes: NotRequired[list[str]]
    """Which copies are meant: first parts of their names, such as `skipper` for `skipper/portal`, or `ROOT` for all
    that have no settings of their own. Default: `ROOT` alone."""
    enhanced: NotRequired[bool]
    """Whether Amazon Inspector scans the copies. It costs extra. Default: no; ECR scans each when it arrives
    (CKV_AWS_163)."""
    keep_images: NotRequired[int]
    """How many tagged images each copy keeps, the newest ones: deletions are not copied. Default: 50."""
    untagged_days: NotRequired[int]
    """Days until an image without a tag is deleted. Default: 7."""


class EcrReplicaSettings(Component):
    """What ECR makes of repositories that it copies into the region of this component's provider: encrypted with a key
    of that region (CKV_AWS_136), with tags that never move (CKV_AWS_51), scanned (CKV_AWS_163) and with a lifecycle.

    Without it, copies have AWS's own encryption and tags that move. It is about repositories that ECR makes afterwards,
    so it comes before the first image is pushed. An account has one registry a region: make one of these there.

    Raises `InputError` for bad args and for a name of which no role's can be made.
    """

    prefixes: pulumi.Output[list[str]]
    """The prefixes that have settings. Known once copies can be made by them."""
    role_arn: pulumi.Output[str]
    """ARN of the role with which ECR makes the copies. Known once the role has its policy."""

    def __init__(self, name: str, args: EcrReplicaSettingsArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"EcrReplicaSettings {name}"
        args = checked(EcrReplicaSettingsArgs, args, subject, _LIFECYCLE_RULES)
        # IAM takes 64 characters: the name, `-copies`, a hyphen and seven random ones.
        checked_name(name, subject, 49, r"[\w+=,.@-]+", "IAM takes letters, digits and _+=,.@-")
        prefixes = args.get("prefixes", [EVERYTHING])
        if problems := list(_prefix_problems(prefixes)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        scope = args["scope"]
        _scanning(name, args.get("enhanced", False), self._child())
        role = aws.iam.Role(
            f"{name}-copies",
            description="Makes the repositories that ECR copies into the region",
            assume_role_policy=trust(scope, "ecr.amazonaws.com"),
            opts=self._child(),
        )
        policy = aws.iam.RolePolicy(
            f"{name}-copies",
            role=role.id,
            policy=document(
                allow(
                    "Repositories",
                    ["ecr:CreateRepository", "ecr:ReplicateImage", "ecr:TagResource"],
                    [
                        arn(scope, "ecr", "repository/*" if prefix == EVERYTHING else f"repository/{prefix}/*")
                        for prefix in prefixes
                    ],
                ),
                allow("Key", ["kms:CreateGrant", "kms:DescribeKey", "kms:RetireGrant"], [args["key_arn"]]),
            ),
            opts=self._child(),
        )
        self.role_arn = known_after(role.arn, policy.id)
        templates = [
            aws.ecr.RepositoryCreationTemplate(
                f"{name}-{prefix}",
                prefix=prefix,
                description="Copies from another region",
                applied_fors=["REPLICATION"],
                image_tag_mutability="IMMUTABLE",
                encryption_configurations=[{"encryption_type": "KMS", "kms_key": args["key_arn"]}],
                custom_role_arn=self.role_arn,
                lifecycle_policy=_lifecycle(args.get("keep_images", 50), args.get("untagged_days", 7)),
                opts=self._child(),
            )
            for prefix in prefixes
        ]
        self.prefixes = pulumi.Output.all(*[template.prefix for template in templates])
        self._register()


def _scanning(name: str, enhanced: bool, opts: pulumi.ResourceOptions) -> aws.ecr.RegistryScanningConfiguration:
    """The registry scans whatever it gets: the setting of a single repository is deprecated."""
    return aws.ecr.RegistryScanningConfiguration(
        name,
        scan_type="ENHANCED" if enhanced else "BASIC",
        rules=[
            {
                "scan_frequency": "CONTINUOUS_SCAN" if enhanced else "SCAN_ON_PUSH",
                "repository_filters": [{"filter": "*", "filter_type": "WILDCARD"}],
            }
        ],
        opts=opts,
    )


def _lifecycle(keep_images: int, untagged_days: int) -> str:
    untagged = {
        "tagStatus": "untagged",
        "countType": "sinceImagePushed",
        "countUnit": "days",
        "countNumber": untagged_days,
    }
    tagged = {
        "tagStatus": "tagged",
        "tagPatternList": ["*"],
        "countType": "imageCountMoreThan",
        "countNumber": keep_images,
    }
    rules = [("Images without a tag", untagged), ("All but the newest", tagged)]
    return json.dumps(
        {
            "rules": [
                {"rulePriority": priority, "description": text, "selection": selection, "action": {"type": "expire"}}
                for priority, (text, selection) in enumerate(rules, 1)
            ]
        }
    )


def _prefixes(repositories: Sequence[str]) -> list[str]:
    """The first parts of the names: one filter for all repositories of a system."""
    return sorted({f"{first}{slash}" for first, slash, _ in (each.partition("/") for each in repositories)})


def _name_problems(repositories: Sequence[str]) -> Iterable[Problem]:
    if not repositories:
        yield Problem("repositories", [], "name one repository or more")
    for i, repository in enumerate(repositories):
        if not re.fullmatch(_NAME, repository) or not 2 <= len(repository) <= _LONGEST_NAME:
            yield Problem(
                f"repositories[{i}]",
                repository,
                f"ECR takes 2 to {_LONGEST_NAME} small letters and digits, with single . _ - / between them",
            )
        elif repository in repositories[:i]:
            yield Problem(f"repositories[{i}]", repository, "is listed twice; leave one out")


def _region_problems(args: EcrRegistryArgs) -> Iterable[Problem]:
    home, regions = args["scope"]["region"], args.get("replicate_to", [])
    if len(regions) > _MOST_REGIONS:
        yield Problem("replicate_to", len(regions), f"ECR copies to {_MOST_REGIONS} regions or fewer")
    for i, region in enumerate(regions):
        path = f"replicate_to[{i}]"
        if not re.fullmatch(_REGION, region):
            yield Problem(path, region, "give a region, for example eu-west-1")
        elif region == home:
            yield Problem(path, region, "is the registry's own region; name another one")
        elif region in regions[:i]:
            yield Problem(path, region, "is listed twice; leave one out")


def _prefix_problems(prefixes: Sequence[str]) -> Iterable[Problem]:
    if not prefixes:
        yield Problem("prefixes", [], f"name one prefix or more, or leave it out for {EVERYTHING}")
    for i, prefix in enumerate(prefixes):
        path = f"prefixes[{i}]"
        if prefix != EVERYTHING and not re.fullmatch(_NAME, prefix):
            yield Problem(path, prefix, f"give the part of names before a slash, without it, or {EVERYTHING}")
        elif prefix in prefixes[:i]:
            yield Problem(path, prefix, "is listed twice; leave one out")
