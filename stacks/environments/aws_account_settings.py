"""What only AWS has of an account's settings."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from components.problems import Problem

from ..model import Part
from .aws_place import ACCOUNT_ID, endpoint_problems, region_problems


class Section(Part):
    """The `aws` section of an account's stack file."""

    account: Annotated[str, Field(pattern=ACCOUNT_ID)]
    """Account id. The provider refuses to touch any other."""
    endpoint: str | None = None
    """URL of an AWS emulator to use instead of AWS."""


def problems(regions: Mapping[str, Any], section: Section) -> list[Problem]:
    """What is wrong in the section, and with the regions by the keys that name them."""
    return [*region_problems(regions), *endpoint_problems(section.endpoint)]
