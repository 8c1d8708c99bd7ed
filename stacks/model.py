"""What a system needs, as plain data: no Pulumi type and no cloud's name in it.

A system's function returns a `System`; a stack file overrides its parts by the same names, in camelCase, and the same
types check both.
"""

from enum import Enum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Tier(Enum):
    """How much an environment matters."""

    DEV = "dev"
    STAGING = "staging"
    PROD = "prod"


class Size(Enum):
    """How large a part is, in steps that each cloud translates."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"
    XLARGE = "xlarge"


class PostgresVersion(Enum):
    """Major versions that both clouds offer."""

    V15 = "15"
    V16 = "16"
    V17 = "17"
    V18 = "18"


class Part(BaseModel):
    """A part of a system: frozen, and closed to unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Postgres(Part):
    """A PostgreSQL database and the application's role in it."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,55}$")
    """Name of the database."""
    version: PostgresVersion = PostgresVersion.V17
    """Major version."""
    size: Size
    """Size of each instance."""
    storage_gb: Annotated[int, Field(ge=20, le=65536)]
    """Storage that it starts with, in GB."""
    max_storage_gb: Annotated[int, Field(ge=20, le=65536)]
    """Storage up to which it grows by itself, in GB."""
    highly_available: bool
    """Whether a standby in another zone takes over."""
    replicas: Annotated[int, Field(ge=0, le=5)]
    """Read replicas."""
    pooling: bool
    """Whether connections go through a managed pool."""
    backup_days: Annotated[int, Field(ge=1, le=35)]
    """Days of point-in-time recovery."""
    copy_backups: bool
    """Whether backups are copied to the recovery region."""


class ObjectStore(Part):
    """A store of objects, with every version of each."""

    purpose: str
    """What it keeps."""
    archive_after_days: Annotated[int, Field(ge=0, le=36500)] = 90
    """Days until an object moves to a colder class, 0 for never."""
    keep_days: Annotated[int, Field(ge=0, le=36500)] = 0
    """Days until an object is deleted, 0 for never."""
    keep_versions_days: Annotated[int, Field(ge=1, le=36500)] = 90
    """Days that an overwritten or deleted object can be had back."""
    lock_days: Annotated[int, Field(ge=0, le=36500)] = 0
    """Days during which no version can be deleted, 0 for none."""
    replicate: bool
    """Whether objects are copied to the recovery region."""


class Service(Part):
    """A service and what it needs."""

    purpose: str
    """What it does."""
    database: bool = False
    """Whether it connects to the database."""
    reads: tuple[str, ...] = ()
    """Names of the stores that it reads."""
    appends: tuple[str, ...] = ()
    """Names of the stores that it adds objects to."""

    @property
    def needs_identity(self) -> bool:
        """Whether it needs anything that the cloud grants."""
        return bool(self.database or self.reads or self.appends)


class System(Part):
    """A whole system."""

    name: str
    """Name of the system."""
    title: str
    """What it is, in a few words."""
    services: dict[str, Service]
    """Its services, by name."""
    database: Postgres
    """Its database."""
    stores: dict[str, ObjectStore]
    """Its object stores, by name."""

    @property
    def copies(self) -> list[str]:
        """The parts that are copied to the recovery region, by their path in a stack file."""
        stores = [f"stores.{name}.replicate" for name, store in self.stores.items() if store.replicate]
        return (["database.copyBackups"] if self.database.copy_backups else []) + stores
