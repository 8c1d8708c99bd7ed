"""What only AWS has of an account's settings."""

from collections.abc import Mapping
from typing import Any

from components.problems import Problem

from ..model import Part
from ..reading import regions_of
from .aws_place import AccountId, endpoint_problems, region_problems


class Section(Part):
    """The `aws` section of an account's stack file."""

    account: AccountId
    """Account id. The provider refuses to touch any other."""
    endpoint: str | None = None
    """URL of an AWS emulator to use instead of AWS."""


def problems(values: Mapping[str, Any], section: Section) -> list[Problem]:
    """What is wrong in the section, and with what else the stack file says."""
    return [*region_problems(regions_of(values)), *endpoint_problems(section.endpoint)]
