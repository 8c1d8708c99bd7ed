"""Where things stand on AWS: regions, accounts, and the provider of each."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import pulumi
import pulumi_aws as aws

from components.problems import Problem, one_of

from ..shapes import shaped

REGIONS = tuple(region.value for region in aws.Region if re.match(r"(?!cn-|us-gov-|us-iso|eu-iso|eusc-)", region.value))
"""Regions of the commercial partition: the others have other names for endpoints and principals."""
GLOBAL_REGION = "us-east-1"
"""From where AWS takes what CloudFront and Route 53 need."""
AccountId = Annotated[str, shaped(r"\d{12}", "write the twelve digits of an account's id in quotes")]
EMULATED = (
    "accessanalyzer",
    "autoscaling",
    "backup",
    "budgets",
    "ce",
    "cloudtrail",
    "cloudwatch",
    "configservice",
    "ec2",
    "ecr",
    "eks",
    "elasticache",
    "events",
    "guardduty",
    "iam",
    "inspector2",
    "kms",
    "logs",
    "mq",
    "rds",
    "route53",
    "s3",
    "s3control",
    "scheduler",
    "secretsmanager",
    "securityhub",
    "serverlessrepo",
    "sns",
    "sts",
)
"""The AWS services that stacks call, as the provider's `endpoints` names them."""


def region_problems(regions: Mapping[str, Any]) -> Iterator[Problem]:
    """The regions that there are not, by the keys that name them."""
    for key, value in regions.items():
        if isinstance(value, str) and value not in REGIONS:
            yield Problem(key, value, f"no such AWS region; {one_of(REGIONS, value)}")


def endpoint_problems(endpoint: str | None) -> Iterator[Problem]:
    """What is wrong with the URL of an emulator."""
    if endpoint is not None and not re.fullmatch(r"https?://[^/\s]+/?", endpoint):
        yield Problem("aws.endpoint", endpoint, "no URL; write one like http://127.0.0.1:5000")


def regional_provider(
    name: str, region: str, account: str, endpoint: str | None, tags: Mapping[str, str]
) -> pulumi.ProviderResource:
    """A provider for one region and account. One that is forgotten fails instead of landing elsewhere."""
    emulator = {}
    if endpoint:
        emulator = {
            "endpoints": [dict.fromkeys(EMULATED, endpoint)],
            "access_key": "emulator",
            "secret_key": "emulator",
            "s3_use_path_style": True,
            "skip_credentials_validation": True,
            "skip_metadata_api_check": True,
        }
    return aws.Provider(
        f"{name}-{region}",
        region=region,
        allowed_account_ids=[account],
        default_tags={"tags": dict(tags)},
        **emulator,
    )
