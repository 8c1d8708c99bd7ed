"""A system in an existing cluster, with nothing of any cloud: on a laptop, or in a cluster that a team brings."""

from typing import Any

import pulumi
import pulumi_random as random

from components.broker.kubernetes import KubernetesRabbitMq
from components.cache.kubernetes import KubernetesValkey
from components.database.kubernetes import KubernetesPostgres
from components.images import POSTGRES, RABBITMQ, VALKEY, mirrored
from components.platform.server import ServerClient
from components.platform.traffic import pods_of
from components.secrets.kubernetes import KubernetesGeneratedSecret

from ..model import Eviction, Service
from ..settings import Settings
from .cluster import Exposed, Ground, Platform, cluster_provider
from .kubernetes_settings import AddressSection, BrokerSection, Section
from .workloads import (
    BROKER_ADMINISTRATOR,
    BROKER_APPLICATION,
    BROKER_USER,
    CACHE_USER,
    DATABASE_USER,
    POSTGRES_USER,
    BrokerSetup,
    Credentials,
    DatabaseSetup,
    Link,
    Links,
    Workloads,
    declarations,
)

PARTS = ("platform", "database, cache and broker, or their addresses", "secrets", "services and jobs")
"""What of a system is realised here."""


def deploy(settings: Settings) -> "KubernetesEnvironment":
    """Make the environment."""
    return KubernetesEnvironment(settings)


class KubernetesEnvironment:
    """A system's environment in an existing cluster."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._system, self._name = settings.system, settings.name
        self._section: Section = settings.section
        self._random = random.Provider(f"{self._name}-random")
        self._provider = cluster_provider(self._name, settings)
        self._platform = Platform(
            settings,
            Ground(
                provider=self._provider,
                exposed=Exposed({"type": self._section.exposure}),
                any_kubelet=self._section.any_kubelet,
            ),
        )
        self._workloads = Workloads(settings, self._platform, self._links())

    def outputs(self) -> dict[str, Any]:
        """What an engineer needs to find and use it. No secret is among them."""
        return {"environment": self._name, **self._workloads.outputs()}

    def _links(self) -> Links:
        """What services are connected to: what runs beside them, or elsewhere."""
        system, section = self._system, self._section
        generated = {
            name: KubernetesGeneratedSecret(
                f"{self._name}-{name}",
                {
                    "namespace": self._platform.namespace,
                    "system": system.name,
                    "length": secret.length,
                    "version": secret.version,
                },
                self._opts(),
            ).secret
            for name, secret in system.generated_secrets.items()
        }
        database, owner, setup = self._database(section.database)
        broker, declared = self._broker(section.broker) if system.has_broker else (None, None)
        return Links(
            database=database,
            database_owner=owner,
            database_setup=setup,
            cache=self._cache(section.cache),
            broker=broker,
            broker_setup=declared,
            exchanges={name: name for name in system.broker.exchanges},
            queues={name: name for name in system.broker.queues},
            secrets=generated,
            registry=self._settings.images.pull_secret,
        )

    def _opts(self) -> pulumi.ResourceOptions:
        """Options of what runs in the namespace and makes passwords."""
        return pulumi.ResourceOptions(
            providers=[self._provider, self._random], depends_on=self._platform.opts().depends_on
        )

    def _server(self, image: str) -> Any:
        """What everything that keeps data in the cluster is given: its image out of a mirror, where there is one."""
        storage = self._section.storage_class
        durable = self._settings.protect
        return {
            "namespace": self._platform.namespace,
            "system": self._system.name,
            "image": mirrored(image, self._settings.platform.images),
            "protect": durable,
            "keep": durable,
            **({"storage_class": storage} if storage else {}),
        }

    def _pods(self, name: str) -> ServerClient:
        return {"pods": pods_of(name, self._system.name)}

    def _clients(self, *jobs: str, **uses: bool) -> dict[str, ServerClient]:
        """The services that use something, and the jobs that do."""
        services = self._system.services
        (what,) = uses

        def used(service: Service) -> bool:
            return bool(getattr(service, what))

        migrated = [
            f"{name}-migrate{way}"
            for name, service in services.items()
            if what == "database" and service.migrations
            for way in ("", "-down")
        ]
        names = [*(name for name, service in services.items() if used(service)), *migrated, *jobs]
        return {name: self._pods(name) for name in names}

    def _database(self, given: AddressSection | None) -> tuple[Link, Credentials | None, DatabaseSetup | None]:
        part = self._system.database
        told = {"DB_NAME": part.name, "DB_SSL_MODE": "require"}
        if given:
            found = _elsewhere("DB", given, {**told, "DB_SSL_MODE": "require" if given.tls else "disable"})
            return found, None, None
        args: Any = {
            **self._server(POSTGRES[part.version.value]),
            "database": part.name,
            "version": part.version.value,
            "storage_gb": part.storage_gb,
            "clients": self._clients("database-role", "database-upkeep", database=True),
        }
        made = KubernetesPostgres(f"{self._name}-database", args, self._opts())
        link = Link(
            {**told, "DB_HOST": made.host, "DB_PORT": made.port.apply(str), "DB_READER_HOST": made.reader_host},
            {"ports": [5432], "pods": made.pods},
            {"database": Credentials(made.credentials_secret, DATABASE_USER)},
        )
        setup = DatabaseSetup(
            host=made.host,
            administrator=Credentials(made.administrator_secret, POSTGRES_USER),
            role=made.role,
            password=Credentials(made.credentials_secret, {"ROLE_PASSWORD": "password"}),
        )
        return link, Credentials(made.credentials_secret, POSTGRES_USER), setup

    def _cache(self, given: AddressSection | None) -> Link:
        part = self._system.cache
        if given:
            return _elsewhere("REDIS", given, {"REDIS_TLS": str(given.tls).lower()})
        args: Any = {
            **self._server(VALKEY),
            "eviction": _EVICTION[part.eviction],
            "clients": self._clients(cache=True),
        }
        made = KubernetesValkey(f"{self._name}-cache", args, self._opts())
        return Link(
            {
                "REDIS_HOST": made.host,
                "REDIS_PORT": made.port.apply(str),
                "REDIS_READER_HOST": made.reader_host,
                "REDIS_TLS": "true",
            },
            {"ports": [6379], "pods": made.pods},
            {
                "cache": Credentials(made.credentials_secret, CACHE_USER),
                "cache-authority": Credentials(made.certificate_secret, {"REDIS_CA": "ca.crt"}),
            },
        )

    def _broker(self, given: BrokerSection | None) -> tuple[Link, BrokerSetup | None]:
        part, host = self._system.broker, self._system.name
        if given:
            address = f"{given.host}:{given.port}/{given.virtual_host.removeprefix('/')}"
            told = {"BROKER_ADDRESS": address, "BROKER_PROTOCOL": "amqps" if given.tls else "amqp"}
            return _elsewhere("BROKER", given, told), None
        args: Any = {
            **self._server(RABBITMQ),
            "virtual_host": host,
            "username": host,
            "clients": self._clients(broker=True),
            "administrators": {"broker-topology": self._pods("broker-topology")},
        }
        made = KubernetesRabbitMq(f"{self._name}-broker", args, self._opts())
        link = Link(
            {"BROKER_ADDRESS": made.address, "BROKER_PROTOCOL": made.protocol},
            {"ports": [5671], "pods": made.pods},
            {
                "broker": Credentials(made.credentials_secret, BROKER_USER),
                "broker-authority": Credentials(made.certificate_secret, {"BROKER_CA": "ca.crt"}),
            },
        )
        setup = BrokerSetup(
            definitions=declarations(host, part),
            administrator=Credentials(
                made.administrator_secret,
                BROKER_ADMINISTRATOR,
            ),
            application=Credentials(made.credentials_secret, BROKER_APPLICATION),
            authority=Credentials(made.certificate_secret, {"ROOT_CERTIFICATE": "ca.crt"}),
            reached={"ports": [15671], "pods": made.pods},
        )
        return link, setup


_EVICTION = {Eviction.REFUSE: "noeviction", Eviction.OLDEST: "allkeys-lru"}


def _elsewhere(prefix: str, given: AddressSection, told: dict[str, str]) -> Link:
    """Something that runs elsewhere, and what services are told of it."""
    at = {} if prefix == "BROKER" else {f"{prefix}_HOST": given.host, f"{prefix}_PORT": str(given.port)}
    user = "DB_USER" if prefix == "DB" else f"{prefix}_USERNAME"
    return Link(
        {**told, **at},
        {"ports": [given.port], "cidrs": [given.cidr]},
        {prefix.lower(): Credentials(given.secret, {f"{prefix}_PASSWORD": "password", user: "username"})},
    )
