"""What only Google Cloud has of the settings of a project that environments share."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field

from components.network.ranges import PRIVATE
from components.network.subnets import client_block_problem, parse_network
from components.problems import MISSING, Problem, one_of
from components.registry.artifact import UPSTREAMS
from components.security.gcp_github import deploy_account_id, preview_account_id
from components.security.google import ACCOUNT_ID, NUMBER

from ..model import Part
from ..reading import regions_of
from ..shapes import shaped
from .gcp_place import REGIONS, label_problems, region_problems
from .gcp_settings import AccountPrefix, Member, Project, ProjectNumber, two_regions_problems

_Identity = Annotated[
    str,
    shaped(
        r"(user|serviceAccount):[^@\s]+@[^@\s]+\.[^@\s]+|principal(Set)?://iam\.googleapis\.com/\S+",
        "nobody whom a perimeter knows, which knows no groups; write user: or serviceAccount: and an e-mail address, "
        "or principal://iam.googleapis.com/...",
    ),
]
_Image = Annotated[
    str,
    shaped(
        r"[a-z0-9-]+(\.[a-z0-9-]+)+(:\d+)?(/[a-z0-9._-]+)+",
        "write host and path as the image begins, without a tag and a wildcard: docker.io/library/postgres",
    ),
]
_PLACE = r"in:[a-z0-9-]+-locations|is:[a-z0-9-]+"
_BRANCH = r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*"
_ENVIRONMENT = r"[A-Za-z0-9_.-]+"


class PerimeterSection(Part):
    """VPC Service Controls around the project."""

    access_policy: Annotated[
        str, shaped(NUMBER, "write the number of an access policy, in quotes, like '123456789012'")
    ]
    """Number of the organization's access policy."""
    enforced: bool = False
    """Whether requests over the border are refused, instead of only logged."""
    allow: tuple[str, ...] = ()
    """IPv4 blocks from which people come in."""
    identities: dict[str, _Identity] = Field(default_factory=dict)
    """IAM members that come in from everywhere, beside CI, by a name for each. No groups: a perimeter knows none."""


class Section(Part):
    """The `gcp` section of an account's stack file."""

    project: Project
    """Id of the project."""
    project_number: ProjectNumber
    """Number of the project."""
    billing_account: Annotated[
        str,
        shaped(r"[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}", "write the id of a billing account, like 012345-6789AB-CDEF01"),
    ]
    """Id of the billing account that pays for it."""
    account_prefix: AccountPrefix = "ci"
    """What the ids of CI's service accounts begin with."""
    perimeter: PerimeterSection | None = None
    """VPC Service Controls around the project. Default: none; they need an organization."""
    locations: tuple[str, ...] = ("in:eu-locations", "is:europe")
    """Where anything may stand: regions, groups of them such as `in:eu-locations`, and places that are several regions
    at once, such as `is:europe`, which the group does not have."""
    images: tuple[_Image, ...] = ()
    """Images out of other registries that clusters of the project run besides, in any version: those of systems that
    are built elsewhere, such as `ghcr.io/example/intelligent-workflows`."""
    public_images: bool = True
    """Whether clusters run the images of charts, jobs and servers as their makers publish them. Without them, the
    environments' `platform.images` name mirrors for all of them."""
    mirrors: tuple[str, ...] = ()
    """Registries whose images are kept in the project once a cluster has pulled them, out of `docker.io`, `ghcr.io`,
    `quay.io` and `registry.k8s.io`. Default: none."""
    nodes: dict[str, Member] = Field(default_factory=dict)
    """IAM members that pull images, beside the accounts of clusters that are granted by their own stacks, by a name for
    each."""


def problems(values: Mapping[str, Any], section: Section) -> list[Problem]:
    """What is wrong in the section, and with what else the stack file says."""
    regions = regions_of(values)
    found = [*region_problems(regions), *label_problems(values.get("tags")), *two_regions_problems(regions)]
    if isinstance(account := values.get("account"), dict):
        found += _github(account, section)
    found += _locations(section)
    found += _images(section)
    if section.perimeter:
        found += _perimeter(section.perimeter)
    return found


def _github(account: Mapping[str, Any], section: Section) -> Iterator[Problem]:
    """What no workflows of GitHub can be trusted with. Wrong types are reported with the file's shape."""
    branch = account.get("branch", "main")
    if isinstance(branch, str) and not re.fullmatch(_BRANCH, branch):
        yield Problem("account.branch", branch, "name one branch, without wildcards, like main or release/2026")
    preview = preview_account_id(section.account_prefix)
    if not re.fullmatch(ACCOUNT_ID, preview):
        remedy = f"makes the service account {preview}, {len(preview)} characters; give a shorter prefix: 30 are taken"
        yield Problem("gcp.accountPrefix", section.account_prefix, remedy)
        return  # as every environment's account would be
    environments = account.get("environments")
    made: dict[str, str] = {}
    for i, name in enumerate(environments if isinstance(environments, list) else []):
        if not isinstance(name, str):
            continue
        id_ = deploy_account_id(section.account_prefix, name)
        if remedy := _environment_problem(name, id_, made.get(id_)):
            yield Problem(f"account.environments[{i}]", name, remedy)
        made.setdefault(id_, name)


def _environment_problem(name: str, id_: str, other: str | None) -> str | None:
    """What is wrong with an environment of GitHub whose service account has an id, which another one has already."""
    if not re.fullmatch(_ENVIRONMENT, name):
        return "rename it to letters, digits and . _ -"
    if name == other:
        return "stands twice; name each environment once"
    if other:
        return f"makes the service account {id_}, as {other} does; rename one"
    if not re.fullmatch(ACCOUNT_ID, id_):
        return (
            f"makes the service account {id_}, {len(id_)} characters; an id has 6 to 30, a letter or digit last: "
            "rename the environment, or shorten gcp.accountPrefix"
        )
    return None


def _locations(section: Section) -> Iterator[Problem]:
    words = "regions like europe-west3, groups like in:eu-locations, and places like is:europe"
    if not section.locations:
        yield Problem("gcp.locations", "[]", f"nothing could be made anywhere; name {words}")
    for i, place in enumerate(section.locations):
        if place not in REGIONS and not re.fullmatch(_PLACE, place):
            yield Problem(f"gcp.locations[{i}]", place, f"no such place; name {words}")


def _images(section: Section) -> Iterator[Problem]:
    for i, image in enumerate(section.images):
        if image in section.images[:i]:
            yield Problem(f"gcp.images[{i}]", image, "stands twice; name each image once")
    for i, registry in enumerate(section.mirrors):
        if registry not in UPSTREAMS:
            yield Problem(f"gcp.mirrors[{i}]", registry, f"no mirror is made of it; {one_of(UPSTREAMS, registry)}")
        elif registry in section.mirrors[:i]:
            yield Problem(f"gcp.mirrors[{i}]", registry, "stands twice; name each registry once")


def _perimeter(perimeter: PerimeterSection) -> Iterator[Problem]:
    for i, block in enumerate(perimeter.allow):
        if remedy := client_block_problem(block) or _private_problem(block):
            yield Problem(f"gcp.perimeter.allow[{i}]", block, remedy)
    if perimeter.enforced and not perimeter.allow and not perimeter.identities:
        remedy = "an enforced perimeter that lets in nobody but CI locks people out; name your own addresses"
        yield Problem("gcp.perimeter.allow", MISSING, remedy)


def _private_problem(block: str) -> str | None:
    if any(parse_network(block).overlaps(parse_network(each)) for each in PRIVATE):
        return "is private, and nobody comes from there; name the public addresses of your own network"
    return None
