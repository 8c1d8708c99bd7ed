"""What only Google Cloud has of the settings of a project that environments share."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field

from components.network.subnets import client_block_problem
from components.problems import MISSING, Problem
from components.security.google import ACCOUNT_ID, NUMBER, PROJECT
from components.storage.gcs import dual_region_problem

from ..model import Part
from ..reading import regions_of
from .gcp_place import REGIONS, label_problems, region_problems

MEMBER = r"(user|group|serviceAccount):[^@\s]+@[^@\s]+\.[^@\s]+"
PREVIEWS, DEPLOYS = "preview", "deploy-{}"
"""What the ids of CI's service accounts end with; the second, with the name of one of GitHub's environments."""


class PerimeterSection(Part):
    """VPC Service Controls around the project."""

    access_policy: Annotated[str, Field(pattern=f"^{NUMBER}$")]
    """Number of the organization's access policy."""
    enforced: bool = False
    """Whether requests over the border are refused, instead of only logged."""
    allow: tuple[str, ...] = ()
    """IPv4 blocks from which people come in."""
    identities: dict[str, Annotated[str, Field(pattern=f"^{MEMBER}$")]] = Field(default_factory=dict)
    """IAM members that come in from everywhere, beside CI, by a name for each."""


class Section(Part):
    """The `gcp` section of an account's stack file."""

    project: Annotated[str, Field(pattern=f"^{PROJECT}$")]
    """Id of the project."""
    project_number: Annotated[str, Field(pattern=f"^{NUMBER}$")]
    """Number of the project."""
    billing_account: Annotated[str, Field(pattern=r"^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$")]
    """Id of the billing account that pays for it."""
    account_prefix: Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?$")] = "ci"
    """What the ids of CI's service accounts begin with."""
    perimeter: PerimeterSection | None = None
    """VPC Service Controls around the project. Default: none; they need an organization."""
    locations: tuple[str, ...] = ("in:eu-locations",)
    """Where anything may stand: regions, or groups of them as policies of the organization name them."""
    nodes: dict[str, Annotated[str, Field(pattern=f"^{MEMBER}$")]] = Field(default_factory=dict)
    """IAM members that pull images, beside the accounts of clusters that are granted by their own stacks, by a name for
    each."""


def problems(values: Mapping[str, Any], section: Section) -> list[Problem]:
    """What is wrong in the section, and with what else the stack file says."""
    regions = regions_of(values)
    found = [*region_problems(regions), *label_problems(values.get("tags"))]
    home, away = regions.get("region"), regions.get("recoveryRegion")
    if home in REGIONS and away in REGIONS and home != away and (remedy := dual_region_problem(home, away)):
        found.append(Problem("recoveryRegion", away, remedy))
    found += _accounts(values, section)
    if section.perimeter:
        found += _perimeter(section.perimeter)
    return found


def _accounts(values: Mapping[str, Any], section: Section) -> Iterator[Problem]:
    account = values.get("account")
    environments = account.get("environments", []) if isinstance(account, dict) else []
    for name in [PREVIEWS, *(DEPLOYS.format(each) for each in environments if isinstance(each, str))]:
        id_ = f"{section.account_prefix}-{name}"
        if not re.fullmatch(ACCOUNT_ID, id_):
            remedy = (
                f"makes the service account {id_}, {len(id_)} characters; "
                "an id has 6 to 30 small letters, digits and hyphens"
            )
            yield Problem("gcp.accountPrefix", section.account_prefix, remedy)
            return


def _perimeter(perimeter: PerimeterSection) -> Iterator[Problem]:
    for i, block in enumerate(perimeter.allow):
        if remedy := client_block_problem(block):
            yield Problem(f"gcp.perimeter.allow[{i}]", block, remedy)
    if perimeter.enforced and not perimeter.allow and not perimeter.identities:
        remedy = "an enforced perimeter that lets in nobody but CI locks people out; name your own addresses"
        yield Problem("gcp.perimeter.allow", MISSING, remedy)
