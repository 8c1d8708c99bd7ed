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
PLACES = ("eu", "europe", "global")
"""What Google Cloud has besides regions: those within the European Union, and what has no data and no region."""
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
    if region is None or region in REGIONS or (resource.type.startswith("gcp:") and _is_european(region.lower())):
        return
    if region != GLOBAL_REGION:
        yield f"it stands in {region}"
    elif not resource.type.startswith(GLOBAL_TYPES):
        yield f"it stands in {region}, where only what CloudFront and Route 53 need may"


def _is_european(location: str) -> bool:
    """Whether a location of Google Cloud is one of ours: a place, a region, or a zone of it."""
    return location in PLACES or location in REGIONS or location[:-2] in REGIONS


RULES = (
    Rule(
        "allowed-region",
        "A resource stands in a region where data may stand.",
        ("aws:*", "gcp:*"),
        demands={"region": judged("ap-southeast-2", needed=False)},
        check=_stands_elsewhere,
    ),
)
