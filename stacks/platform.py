"""What a stack file says of its cluster: the add-ons that services need there, and where images come from."""

from enum import Enum
from typing import Annotated

from pydantic import Field

from .model import Part, System
from .shapes import Registry, shaped


class ImagesSection(Part):
    """Where the images of services come from."""

    registry: Registry | None = None
    """Registry, and the path in it. Default: the system's own."""
    pull_secret: str | None = None
    """Reference of the secret with which a private registry is read: what `docker login` writes, in the cloud's secret
    store, or the name of a Kubernetes Secret where no cloud is. Default: none; nodes read the cloud's own registry as
    themselves."""


class AddOn(Enum):
    """What services need of a cluster, by the name of its chart."""

    LOAD_BALANCERS = "aws-load-balancer-controller"
    """Network load balancers of AWS for services of a cluster."""
    GATEWAY = "gateway-helm"
    """Envoy Gateway, with the Gateway API."""
    CERTIFICATES = "cert-manager"
    """Certificates, from Let's Encrypt and of its own."""
    DNS = "external-dns"
    """DNS records of routes."""
    SECRETS = "external-secrets"
    """Secrets out of the cloud's secret store."""
    SEALED_SECRETS = "sealed-secrets"
    """Secrets that are sealed for the cluster."""
    METRICS = "metrics-server"
    """What pods use, by which services scale."""
    NODES = "cluster-autoscaler"
    """As many nodes as pods need."""
    RELOADS = "reloader"
    """New pods for new secrets."""


class PlatformSection(Part):
    """What the cluster has before services run in it."""

    charts: str | None = None
    """Mirror of the Helm charts: `oci://<registry>/<path>`, `https://<repository>`, or a folder of chart archives.
    Default: each chart's own repository."""
    images: dict[str, str] = Field(default_factory=dict)
    """Mirrors of the registries that charts, and jobs and servers here, have their images from: what stands in place of
    a registry's name, by that, for example `quay.io`. Default: none; each image comes from its own registry."""
    provided: tuple[AddOn, ...] = ()
    """Add-ons that the cluster has already. Default: none; each is installed."""
    contact: Annotated[str, shaped(r"[^@\s]+@[^@\s]+\.[^@\s]+", "write an e-mail address")] | None = None
    """Address that Let's Encrypt may write to. Default: none."""
    viewers: tuple[str, ...] = ()
    """Groups of people who look into the environment's namespace. They read no secrets."""
    operators: tuple[str, ...] = ()
    """Groups of people who also restart and scale what runs there."""
    operators_exec: bool = False
    """Whether operators may open a shell in a pod, which shows them what the pod is given. Default: no."""


def always_installed(system: System) -> set[AddOn]:
    """The add-ons that a system's cluster gets in every environment, unless it has them."""
    routed = any(service.route for service in system.services.values())
    return {AddOn.CERTIFICATES, AddOn.SEALED_SECRETS, AddOn.RELOADS} | ({AddOn.GATEWAY} if routed else set())


def longest_name(system: System) -> int:
    """The most characters of an environment's name, after which what runs in its cluster is named."""
    migrated = [name for name, service in system.services.items() if service.migrations]
    jobs = ["database-upkeep", *(f"{name}-migrations-down" for name in migrated)]
    return min(
        50,  # of gateways
        54 - max(len(f"-{job}") for job in jobs),
    )
