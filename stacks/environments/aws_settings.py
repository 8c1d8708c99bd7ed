"""What only AWS has of a stack's settings, and the checks that only AWS needs."""

import re
from typing import Annotated

from pulumi_aws import Region
from pulumi_aws.rds import InstanceType
from pydantic import Field

from components.database.rds import INSTANCE_CLASS
from components.network.aws import INTERFACE_ENDPOINTS, NatMode
from components.network.subnets import zone_slot
from components.problems import Problem, one_of

from ..model import Part, Size, Tier

REGIONS = tuple(region.value for region in Region if re.match(r"(?!cn-|us-gov-|us-iso|eu-iso|eusc-)", region.value))
"""Regions of the commercial partition: the others have other names for endpoints and principals."""

INSTANCE_CLASSES = {
    Size.SMALL: "db.t4g.medium",
    Size.MEDIUM: "db.m6g.large",
    Size.LARGE: "db.m6g.2xlarge",
    Size.XLARGE: "db.r6g.4xlarge",
}
NAT_MODES = {Tier.DEV: NatMode.SINGLE, Tier.STAGING: NatMode.PER_ZONE, Tier.PROD: NatMode.PER_ZONE}
INTERFACE_ENDPOINTS_OF = {Tier.DEV: (), Tier.STAGING: INTERFACE_ENDPOINTS, Tier.PROD: INTERFACE_ENDPOINTS}


class DatabaseSection(Part):
    """The database's AWS side."""

    instance_class: str | None = None
    """Instance class. Default: by the database's size."""


class Section(Part):
    """The `aws` section of a stack file."""

    account: Annotated[str, Field(pattern=r"^\d{12}$")]
    """Account id. The provider refuses to touch any other."""
    zones: tuple[str, ...]
    """Availability zones to span."""
    nat: NatMode | None = None
    """How private subnets reach the internet. Default: by tier."""
    interface_endpoints: tuple[str, ...] | None = None
    """AWS services reached over private addresses. Default: by tier."""
    endpoint: str | None = None
    """URL of an AWS emulator to use instead of AWS."""
    database: DatabaseSection = DatabaseSection()
    """The database's AWS side."""


def problems(region: str, recovery_region: str | None, section: Section) -> list[Problem]:
    """What is wrong in the section and with the regions."""
    found = []
    for key, value in (("region", region), ("recoveryRegion", recovery_region)):
        if isinstance(value, str) and value not in REGIONS:
            found.append(Problem(key, value, f"no such AWS region; {one_of(REGIONS, value)}"))
    if region in REGIONS:
        found += [problem for i, zone in enumerate(section.zones) for problem in _zone(i, zone, region, section.zones)]
    instance_class = section.database.instance_class
    if instance_class is not None and not re.fullmatch(INSTANCE_CLASS, instance_class):
        remedy = "no instance class; write db.<family>.<size>, for example db.m6g.large"
        found.append(Problem("aws.database.instanceClass", instance_class, remedy))
    if section.endpoint is not None and not re.fullmatch(r"https?://[^/\s]+/?", section.endpoint):
        found.append(Problem("aws.endpoint", section.endpoint, "no URL; write one like http://127.0.0.1:5000"))
    for service in section.interface_endpoints or ():
        if service not in INTERFACE_ENDPOINTS:
            found.append(Problem("aws.interfaceEndpoints", service, one_of(INTERFACE_ENDPOINTS, service)))
    return found


def warnings(section: Section) -> list[str]:
    """What AWS may refuse, as far as the SDK knows."""
    instance_class = section.database.instance_class
    if instance_class and instance_class not in {each.value for each in InstanceType}:
        return [
            f"plinth:aws.database.instanceClass={instance_class}: the SDK does not list this class; see that it exists"
        ]
    return []


def _zone(i: int, zone: str, region: str, zones: tuple[str, ...]) -> list[Problem]:
    path = f"aws.zones[{i}]"
    try:
        zone_slot(zone)
    except ValueError as error:
        return [Problem(path, zone, str(error))]
    if zone[:-1] != region:
        return [Problem(path, zone, f"is not in {region}; name one of its zones, like {region}a")]
    if zone in zones[:i]:
        return [Problem(path, zone, "stands twice; name each zone once")]
    return []
