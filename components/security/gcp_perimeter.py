"""A perimeter around a project of Google Cloud, which its data does not leave."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from ..component import Component, checked, checked_name, matching
from ..problems import InputError, Problem
from .google import GcpScope, scope_problem

RESTRICTED_SERVICES = (
    "artifactregistry.googleapis.com",
    "certificatemanager.googleapis.com",
    "cloudkms.googleapis.com",
    "cloudtrace.googleapis.com",
    "compute.googleapis.com",
    "container.googleapis.com",
    "dns.googleapis.com",
    "gkebackup.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "logging.googleapis.com",
    "memorystore.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
    "secretmanager.googleapis.com",
    "sqladmin.googleapis.com",
    "storage.googleapis.com",
    "sts.googleapis.com",
)
"""The services of environments that a perimeter can hold."""
_SERVICE = r"[a-z0-9-]+\.googleapis\.com"
_IDENTITY = r"(user|serviceAccount):[^@\s]+@[^@\s]+\.[^@\s]+|principal(Set)?://iam\.googleapis\.com/\S+"
# Ids take 50 characters, and the longest is the name with a role after it.
_LONGEST_NAME = 42


class GcpServicePerimeterArgs(TypedDict):
    """What stands inside, and who comes in from outside."""

    scope: GcpScope
    """The project that is inside."""
    access_policy: str
    """Number of the organization's access policy, or of one that is scoped to the project."""
    other_projects: NotRequired[list[str]]
    """Numbers of further projects inside. A project can be in one perimeter. Default: none."""
    services: NotRequired[list[str]]
    """Services that answer only inside. Default: those that environments use and a perimeter can hold."""
    accessible_services: NotRequired[list[str]]
    """Services that machines inside may call besides those, such as `oauth2.googleapis.com`. Default: none."""
    allowed_cidrs: NotRequired[list[str]]
    """Public ranges of addresses from which everyone whom IAM lets in may come. Default: none."""
    allowed_identities: NotRequired[list[pulumi.Input[str]]]
    """Who comes in from everywhere, such as deployments: `serviceAccount:<address>`, `user:<address>`, or a `principal`
    of a pool. Default: nobody."""
    enforced: NotRequired[bool]
    """Whether requests over the border are refused. Without, audit logs show what would be: look at these for some
    weeks before. Default: no."""


_RULES = {
    "scope": scope_problem,
    "access_policy": matching(r"[1-9]\d{5,18}", "give the policy's number, in quotes"),
}


class GcpServicePerimeter(Component):
    """A perimeter of VPC Service Controls: services of the project answer to requests from inside it, to those from the
    allowed addresses and to the allowed identities, and machines inside call no service outside. It is tried first, and
    refuses nothing before it is `enforced`.

    Its id is the component's name, with `_` for what Google does not take.

    Raises `InputError` for bad args, for ranges that are private or most of the internet, and for names without a
    letter first.
    """

    perimeter_name: pulumi.Output[str]
    """Name of the perimeter, `accessPolicies/<number>/servicePerimeters/<id>`."""

    def __init__(self, name: str, args: GcpServicePerimeterArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"GcpServicePerimeter {name}"
        args = checked(GcpServicePerimeterArgs, args, subject, _RULES)
        remedy = "use letters, digits, hyphens and underscores, a letter first"
        checked_name(name, subject, _LONGEST_NAME, r"[A-Za-z][A-Za-z0-9_-]*", remedy)
        if problems := list(_problems(args)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        policy = f"accessPolicies/{args['access_policy']}"
        short = re.sub(r"[^A-Za-z0-9_]", "_", name)
        cidrs = args.get("allowed_cidrs", [])
        border = _border(args, [self._addresses(name, policy, short, cidrs)] if cidrs else [])
        enforced = args.get("enforced", False)
        perimeter = gcp.accesscontextmanager.ServicePerimeter(
            name,
            parent=policy,
            name=f"{policy}/servicePerimeters/{short}",
            title=name,
            description=f"Keeps the data of {args['scope']['project']} inside",
            perimeter_type="PERIMETER_TYPE_REGULAR",
            status=border if enforced else None,
            spec=None if enforced else border,
            use_explicit_dry_run_spec=not enforced,
            # Its title and its project can be in one perimeter only.
            opts=self._child(delete_before_replace=True),
        )
        self.perimeter_name = perimeter.name
        self._register()

    def _addresses(self, name: str, policy: str, short: str, cidrs: list[str]) -> pulumi.Output[str]:
        return gcp.accesscontextmanager.AccessLevel(
            name,
            parent=policy,
            name=f"{policy}/accessLevels/{short}",
            title=name,
            description="Comes from addresses that are known",
            basic={"conditions": [{"ip_subnetworks": cidrs}]},
            opts=self._child(delete_before_replace=True),
        ).name


def _border(args: GcpServicePerimeterArgs, levels: list[pulumi.Output[str]]) -> Any:
    """What is inside, and who comes in: the same whether it is tried or enforced."""
    numbers = [args["scope"]["number"], *args.get("other_projects", [])]
    border: dict[str, Any] = {
        "resources": [f"projects/{number}" for number in numbers],
        "restricted_services": args.get("services", list(RESTRICTED_SERVICES)),
        "vpc_accessible_services": {
            "enable_restriction": True,
            "allowed_services": ["RESTRICTED-SERVICES", *args.get("accessible_services", [])],
        },
    }
    if levels:
        border["access_levels"] = levels
    if identities := args.get("allowed_identities"):
        known = {
            "title": "Known identities",
            # What comes from GitHub has no address that anybody knows: who it is must be enough.
            "ingress_from": {"identities": identities, "sources": [{"access_level": "*"}]},
            "ingress_to": {"resources": ["*"], "operations": [{"service_name": "*"}]},
        }
        border["ingress_policies"] = [known]
    return border


def _problems(args: GcpServicePerimeterArgs) -> Iterator[Problem]:
    numbers = args.get("other_projects", [])
    for i, number in enumerate(numbers):
        if not re.fullmatch(r"[1-9]\d{5,18}", number):
            yield Problem(f"other_projects[{i}]", number, "give the project's number, in quotes")
        elif number in (args["scope"]["number"], *numbers[:i]):
            yield Problem(f"other_projects[{i}]", number, "is inside already; leave it out")
    if "services" in args and not args["services"]:
        yield Problem("services", args["services"], "name one or more, or leave it out: none would be held back")
    for field in ("services", "accessible_services"):
        for i, service in enumerate(args.get(field, [])):
            if not re.fullmatch(_SERVICE, service):
                yield Problem(f"{field}[{i}]", service, "give the name of its API, such as storage.googleapis.com")
    for i, identity in enumerate(args.get("allowed_identities", [])):
        if isinstance(identity, str) and not re.fullmatch(_IDENTITY, identity):
            yield Problem(
                f"allowed_identities[{i}]", identity, "write it as serviceAccount:<address> or user:<address>"
            )
    for i, cidr in enumerate(args.get("allowed_cidrs", [])):
        if remedy := _range_problem(cidr):
            yield Problem(f"allowed_cidrs[{i}]", cidr, remedy)


def _range_problem(cidr: str) -> str | None:
    try:
        network = ipaddress.ip_network(cidr)
    except ValueError:
        return "give a range such as 203.0.113.0/24, without bits of a host"
    if network.prefixlen < (8 if network.version == 4 else 16):
        return "is most of the internet; name your own ranges"
    # Ranges of documentation are what examples say.
    private = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
    inside = [ipaddress.ip_network(each) for each in private]
    if any(each.version == network.version and network.subnet_of(each) for each in inside):  # pyright: ignore[reportArgumentType]
        return "is private; name the public range that requests come from"
    return None
