"""The Helm charts that a cluster gets: one pinned catalogue, and where charts and their images come from."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..images import ALL, ENVOY, mirror_of_images_problem, mirrored, registry_of
from ..problems import one_of


class ChartImage(NamedTuple):
    """An image that a chart runs, and how the chart is told of another place for it. Which version, the chart says."""

    repository: str
    """Registry and path, without a tag."""
    key: str = "image.repository"
    """Key of the chart's values that takes both; the path alone where `registry_key` takes the registry."""
    registry_key: str | None = None
    """Key of the chart's values that takes the registry alone."""
    runs: bool = True
    """Whether pods run it as the chart is installed here. Else it is named somewhere, and no more."""


class Chart(NamedTuple):
    """A chart in one exact version."""

    name: str
    """Name of the chart. Its release is called the same."""
    version: str
    """Exact version."""
    repository: str
    """Where its makers publish it: a repository, `https://...`, or a path of a registry, `oci://...`."""
    why: str
    """What it is there for."""
    images: tuple[ChartImage, ...]
    """The images that its pods run, and the pods that these make."""


class Source(NamedTuple):
    """Where Helm gets a chart."""

    chart: str
    """Name in a repository, reference in a registry, or path of an archive."""
    repository: str | None
    """URL of the repository. None: the chart is found without one."""


_CATALOGUE = (
    Chart(
        "aws-load-balancer-controller",
        "3.5.0",
        "https://aws.github.io/eks-charts",
        "Gives a Service of type LoadBalancer a network load balancer of AWS.",
        (ChartImage("public.ecr.aws/eks/aws-load-balancer-controller"),),
    ),
    Chart(
        "cert-manager",
        "v1.21.1",
        "https://charts.jetstack.io",
        "Has certificates signed, by Let's Encrypt for the world and by a CA of its own inside, and renews them.",
        (
            ChartImage("quay.io/jetstack/cert-manager-controller"),
            ChartImage("quay.io/jetstack/cert-manager-webhook", "webhook.image.repository"),
            ChartImage("quay.io/jetstack/cert-manager-cainjector", "cainjector.image.repository"),
            # Pods that the controller makes, and that answer Let's Encrypt.
            ChartImage("quay.io/jetstack/cert-manager-acmesolver", "acmesolver.image.repository"),
            ChartImage("quay.io/jetstack/cert-manager-startupapicheck", "startupapicheck.image.repository"),
        ),
    ),
    Chart(
        "cluster-autoscaler",
        "9.59.0",
        "https://kubernetes.github.io/autoscaler",
        "Adds nodes for pods that find no room, and takes away those that are not needed.",
        (ChartImage("registry.k8s.io/autoscaling/cluster-autoscaler"),),
    ),
    Chart(
        "external-dns",
        "1.21.1",
        "https://kubernetes-sigs.github.io/external-dns",
        "Keeps the DNS records of the host names that routes serve.",
        (ChartImage("registry.k8s.io/external-dns/external-dns"),),
    ),
    Chart(
        "external-secrets",
        "2.9.0",
        "https://charts.external-secrets.io",
        "Brings secrets of the cloud's store to the pods that need them.",
        tuple(
            ChartImage("ghcr.io/external-secrets/external-secrets", f"{pods}image.repository")
            for pods in ("", "webhook.", "certController.")
        ),
    ),
    Chart(
        "gateway-helm",
        "v1.9.0",
        "oci://docker.io/envoyproxy",
        "Runs the proxies of gateways, by which the cluster is reached from outside.",
        (
            # The proxies' companion is the same.
            ChartImage("docker.io/envoyproxy/gateway", "deployment.envoyGateway.image.repository"),
            # Of gateways that do not say which; those made here do. Without a tag, the chart adds its own.
            ChartImage(ENVOY, "global.images.envoyProxy.image"),
            # Started for limits over all proxies together, of which there are none here.
            ChartImage("docker.io/envoyproxy/ratelimit", "global.images.ratelimit.image", runs=False),
        ),
    ),
    Chart(
        "metrics-server",
        "3.13.1",
        "https://kubernetes-sigs.github.io/metrics-server",
        "Measures pods and nodes, for autoscaling and `kubectl top`.",
        (ChartImage("registry.k8s.io/metrics-server/metrics-server"),),
    ),
    Chart(
        "reloader",
        "2.2.16",
        "https://stakater.github.io/stakater-charts",
        "Restarts the pods whose Secret or ConfigMap has changed, such as a rotated password.",
        (ChartImage("ghcr.io/stakater/reloader"),),
    ),
    Chart(
        "sealed-secrets",
        "2.18.5",
        "https://bitnami-labs.github.io/sealed-secrets",
        "Opens secrets that were sealed for this cluster, and so can stand in a repository.",
        (
            # The project's own registry, not a catalogue that may move.
            ChartImage("ghcr.io/bitnami-labs/sealed-secrets-controller", registry_key="image.registry"),
        ),
    ),
)

CHARTS: dict[str, Chart] = {chart.name: chart for chart in _CATALOGUE}
"""Every chart that is used, by name."""

_HOST = r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?"
_PATH = r"(/[A-Za-z0-9._~-]+)"
_MIRRORS = {
    "oci": (rf"{_HOST}{_PATH}+", "give a registry and a path in it, `oci://<registry>/<path>`"),
    "https": (rf"{_HOST}{_PATH}*", "give the URL of a chart repository, `https://<host>/<path>`"),
}
"""What follows the scheme of a mirror, and what to write where something else does."""
_LIKE_A_HOST = r"[^/.]+\.[^/]*(/.*)?"


def mirror_problem(mirror: str) -> str | None:
    """What is wrong with a mirror of charts, and what to write instead. None where nothing is.

    A mirror is a registry (`oci://<registry>/<path>`, whose charts are `<mirror>/<name>`), a chart repository
    (`https://<host>/<path>`), or a folder with archives as `helm pull` writes them (`<name>-<version>.tgz`).
    """
    if not mirror or mirror != mirror.strip():
        return "give a registry (oci://...), a chart repository (https://...) or a folder, with no space around it"
    if mirror.endswith("/"):
        return "leave out the slash at its end"
    scheme, separator, rest = mirror.partition("://")
    if not separator:
        return _folder_problem(mirror)
    if scheme not in _MIRRORS:
        return f"charts come over oci:// or https://, or out of a folder, not over {scheme}://"
    pattern, remedy = _MIRRORS[scheme]
    if "@" in rest:
        return "leave the credentials out; sign in with `helm registry login`"
    return None if re.fullmatch(pattern, rest) else remedy


def _folder_problem(folder: str) -> str | None:
    if folder.startswith("~"):
        return "Helm expands no `~`; write the whole path"
    if ":" in folder or re.fullmatch(_LIKE_A_HOST, folder):
        return f"write oci://{folder} where that is a registry, ./{folder} where it is a folder"
    return None


def source(chart: Chart, mirror: str | None = None) -> Source:
    """Where Helm gets a chart: from its makers, or from a mirror."""
    place = mirror or chart.repository
    scheme, separator, _ = place.partition("://")
    if not separator:
        return Source(f"{place}/{chart.name}-{chart.version}.tgz", None)
    return Source(f"{place}/{chart.name}", None) if scheme == "oci" else Source(chart.name, place)


REGISTRIES = tuple(
    sorted(
        {
            *(registry_of(image.repository) for chart in _CATALOGUE for image in chart.images),
            *(registry_of(image) for image in ALL),
        }
    )
)
"""Where the images of charts, jobs and servers come from."""


def image_values(chart: Chart, mirrors: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The values that tell a chart where its images are: at their makers', or in mirrors of their registries."""
    values: dict[str, Any] = {}
    for image in chart.images:
        place = mirrored(image.repository, mirrors)
        if image.registry_key:
            registry, _, place = place.partition("/")
            _put(values, image.registry_key, registry)
        _put(values, image.key, place)
    return values


def image_mirror_problem(registry: str, mirror: str) -> str | None:
    """What is wrong with the mirror of a registry, and what to write instead. None where nothing is."""
    if registry not in REGISTRIES:
        return f"no image comes from there; {one_of(REGISTRIES, registry)}"
    return mirror_of_images_problem(mirror)


def images_problem(mirrors: Mapping[str, str]) -> str | None:
    """What is wrong with mirrors by registry, and what to write instead. None where nothing is."""
    for registry, mirror in mirrors.items():
        if remedy := image_mirror_problem(registry, mirror):
            return f"{registry}: {remedy}"
    return None


CHART_RULES = {"mirror": mirror_problem, "images": images_problem}
"""Rules for the args of whatever installs a chart."""


def _put(values: dict[str, Any], key: str, value: str) -> None:
    """Set a value at a key with dots in it."""
    *steps, last = key.split(".")
    for step in steps:
        values = values.setdefault(step, {})
    values[last] = value
