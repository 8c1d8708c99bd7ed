"""Where things stand on Google Cloud: regions, zones, projects, and the provider of each region."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pulumi
import pulumi_gcp as gcp

from components.problems import Problem, one_of
from components.security.google import LABEL

_ZONES = {"europe-west1": "bcd", "us-central1": "abcf", "us-east1": "bcd"}
_OTHERS = "abc"
"""The letters of a region's zones, where they are the usual ones."""
REGIONS = (
    "africa-south1",
    "asia-east1",
    "asia-east2",
    "asia-northeast1",
    "asia-northeast2",
    "asia-northeast3",
    "asia-south1",
    "asia-south2",
    "asia-southeast1",
    "asia-southeast2",
    "australia-southeast1",
    "australia-southeast2",
    "europe-central2",
    "europe-north1",
    "europe-north2",
    "europe-southwest1",
    "europe-west1",
    "europe-west2",
    "europe-west3",
    "europe-west4",
    "europe-west6",
    "europe-west8",
    "europe-west9",
    "europe-west10",
    "europe-west12",
    "me-central1",
    "me-central2",
    "me-west1",
    "northamerica-northeast1",
    "northamerica-northeast2",
    "northamerica-south1",
    "southamerica-east1",
    "southamerica-west1",
    "us-central1",
    "us-east1",
    "us-east4",
    "us-east5",
    "us-south1",
    "us-west1",
    "us-west2",
    "us-west3",
    "us-west4",
)
"""Google's regions in August 2026. The SDK has no list of them."""


def zones_of(region: str) -> list[str]:
    """The zones of a region."""
    return [f"{region}-{letter}" for letter in _ZONES.get(region, _OTHERS)]


def region_problems(regions: Mapping[str, Any]) -> Iterator[Problem]:
    """The regions that there are not, by the keys that name them."""
    for key, value in regions.items():
        if isinstance(value, str) and value not in REGIONS:
            yield Problem(key, value, f"no such region of Google Cloud; {one_of(REGIONS, value)}")


def zone_problems(zones: Sequence[str], region: str) -> Iterator[Problem]:
    """The zones that the region does not have, or that stand there twice."""
    known = zones_of(region)
    for i, zone in enumerate(zones):
        if zone not in known:
            yield Problem(f"gcp.zones[{i}]", zone, f"is no zone of {region}; {one_of(known, zone)}")
        elif zone in zones[:i]:
            yield Problem(f"gcp.zones[{i}]", zone, "stands twice; name each zone once")


def label_problems(tags: Any) -> Iterator[Problem]:
    """The tags that no resource can be labelled with."""
    for key, value in tags.items() if isinstance(tags, dict) else ():
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", key) or not re.fullmatch(LABEL, str(value)):
            remedy = "Google Cloud's labels are small letters, digits, _ and -, 63 at most, a letter first"
            yield Problem(f"tags.{key}", value, remedy)


def project_provider(
    name: str,
    role: str,
    project: str,
    region: str,
    labels: Mapping[str, str],
    after: Iterable[pulumi.Resource] = (),
) -> pulumi.ProviderResource:
    """A provider for one project and region, which comes after other resources: what it makes does too."""
    return gcp.Provider(
        f"{name}-{role}",
        project=project,
        region=region,
        default_labels=dict(labels),
        # Calls count against the project that they are about, whoever makes them.
        user_project_override=True,
        billing_project=project,
        opts=pulumi.ResourceOptions(depends_on=list(after)),
    )
