"""The settings of an account's stack: what environments share, and what guards them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from components.problems import MISSING, InputError

from .model import Part, Tier
from .reading import Alerts, Cloud, Reader, values_of
from .shapes import shaped
from .systems import SYSTEMS

ACCOUNTS = {Cloud.AWS: "stacks.environments.aws_account", Cloud.GCP: "stacks.environments.gcp_account"}
"""The module of each account that there is."""


_Number = Annotated[str, shaped(r"\d+", "write the number in quotes, like '123456'")]


class RepositoryIds(Part):
    """The numbers that GitHub puts beside the names in the tokens of newer repositories."""

    owner: _Number
    """Number of the owner."""
    repository: _Number
    """Number of the repository."""


class Account(Part):
    """What an account has once."""

    repository: Annotated[
        str, shaped(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+", "write <owner>/<name>, like your-organization/plinth")
    ]
    """GitHub repository of this project, `owner/name`, whose workflows take the account's roles."""
    repository_ids: RepositoryIds | None = None
    """Its numbers, which tokens hold of repositories made, renamed or transferred since July 2026. Default: none."""
    branch: str = "main"
    """The branch that is deployed."""
    environments: tuple[str, ...]
    """GitHub environments whose jobs deploy: each gets a role."""
    domain: Annotated[
        str,
        shaped(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}", "write a domain in small letters, like your-domain.com"),
    ]
    """DNS domain of the zone in which environments are found."""
    monthly_budget: Annotated[int, Field(ge=1)]
    """What a month may cost: in US dollars on AWS, on Google Cloud in what the billing account pays in."""


class AccountFile(Part):
    """The keys of an account's stack file, `plinth:<key>`."""

    account: Account
    """What the account has once; with it, the stack is an account's."""
    cloud: Cloud
    """Where it is."""
    region: str
    """Region of the cloud."""
    recovery_region: str | None = None
    """Second region, to which images are copied and which is guarded too."""
    alerts: Alerts
    """Who is told of findings and of costs."""
    tags: dict[str, str] = Field(default_factory=dict)
    """Cost-allocation tags. `owner` is required."""
    decommission: bool = False
    """Takes the protections off, so that the next `pulumi destroy` can delete everything."""
    aws: dict[str, Any] | None = None
    """What only AWS has."""
    gcp: dict[str, Any] | None = None
    """What only Google Cloud has."""


@dataclass(frozen=True)
class AccountSettings:
    """Everything that an account's program knows of its stack."""

    stack: str
    cloud: Cloud
    region: str
    recovery_region: str | None
    account: Account
    alerts: Alerts
    tags: Mapping[str, str]
    decommission: bool
    section: Any
    """The cloud's own section."""
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the stack, with which its resources' names begin."""
        return self.stack

    @property
    def protect(self) -> bool:
        """Whether deletion is refused."""
        return not self.decommission

    @property
    def images(self) -> list[str]:
        """Names of the images that the systems' services run."""
        systems = {name: system(Tier.PROD) for name, system in SYSTEMS.items()}
        return [f"{name}/{each.image}" for name, system in systems.items() for each in system.services.values()]


def load_account(
    stack: str, config: Mapping[str, str], secrets: frozenset[str] | set[str] = frozenset()
) -> AccountSettings:
    """The settings of an account's stack, out of its configuration as Pulumi hands it over: full keys, text or JSON.

    Raises `InputError` with every problem that there is.
    """
    values, reader = values_of(config), Reader(stack)
    reader.secrets(secrets)
    file = reader.parsed(AccountFile, values, "")
    cloud = reader.member(Cloud, values.get("cloud"))
    module = reader.module(cloud, ACCOUNTS, "an account")
    section = reader.section(module.Section, cloud, values) if module else None
    if module and section:
        reader.add_all(module.problems(values, section))
    if values.get("recoveryRegion") and values["recoveryRegion"] == values.get("region"):
        reader.add("recoveryRegion", values["recoveryRegion"], "is the region itself; name another one")
    reader.receivers(True, values.get("alerts", {}))
    if file and not file.alerts.by_mail:
        reader.add("alerts", MISSING, "a budget tells people by e-mail; name a mailto: address among them")
    reader.tags(values.get("tags", {}))
    if reader.problems:
        raise InputError(reader.file, reader.told())
    if not (file and cloud):
        raise AssertionError("a part of the settings is missing although no problem was found")
    return AccountSettings(
        stack=stack,
        cloud=cloud,
        region=file.region,
        recovery_region=file.recovery_region,
        account=file.account,
        alerts=file.alerts,
        tags=file.tags,
        decommission=file.decommission,
        section=section,
        warnings=tuple(reader.unheard(cloud, values)),
    )
