"""Where things may stand."""

from collections.abc import Iterator

from .demands import judged
from .rule import Resource, Rule, Stack

REGIONS = (
    "eu-central-1",
    "eu-west-1",
    "eu-west-3",
    "eu-north-1",
    "europe-west1",
    "europe-west3",
    "europe-west4",
    "europe-north1",
)
"""The regions of all clouds in which data may stand."""
GLOBAL_REGION = "us-east-1"
"""The one region from which AWS takes what CloudFront and Route 53 need."""
GLOBAL_TYPES = (
    "aws:acm/",
    "aws:cloudfront/",
    "aws:cloudwatch/",
    "aws:kms/",
    "aws:route53/",
    "aws:shield/",
    "aws:wafv2/",
)
"""What may stand there."""


def _stands_elsewhere(resource: Resource, stack: Stack) -> Iterator[str]:
    region = stack.region(resource)
    if region is None or region in REGIONS:
        return
    if region != GLOBAL_REGION:
        yield f"it stands in {region}"
    elif not resource.type.startswith(GLOBAL_TYPES):
        yield f"it stands in {region}, where only what CloudFront and Route 53 need may"


RULES = (
    Rule(
        "allowed-region",
        "A resource stands in a region where data may stand.",
        ("aws:*", "gcp:*"),
        demands={"region": judged("ap-southeast-2", needed=False)},
        check=_stands_elsewhere,
    ),
)
