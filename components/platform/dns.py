"""DNS records of what a cluster serves."""

from collections.abc import Iterator
from typing import Any, NotRequired, TypedDict

import pulumi

from ..component import Component, checked, matching
from ..problems import Problem
from .add_on import (
    API_SERVER,
    AWS_IDENTITY,
    CONTAINER_SECURITY,
    GOOGLE_IDENTITY,
    POD_SECURITY,
    AddOn,
    Pods,
    account,
    called_at,
    given,
    install,
    resources,
)
from .charts import CHART_RULES
from .names import annotations_problem, label_problem, subdomain_problem
from .provider import provider_problem

NAMESPACE = "external-dns"
"""Namespace of external-dns."""
SERVICE_ACCOUNT = "external-dns"
"""Service account of its pod."""
_POD = {"app.kubernetes.io/name": "external-dns"}
_METRICS = 7979
_DOMAIN = r"([a-z0-9_]([a-z0-9_-]*[a-z0-9])?\.)+[a-z]{2,}"


class AwsDnsZone(TypedDict):
    """A hosted zone of Route 53."""

    zone_id: pulumi.Input[str]
    """Id of the hosted zone."""
    region: pulumi.Input[str]
    """Region of the cluster, in which requests are signed."""


class GoogleDnsZone(TypedDict):
    """A managed zone of Cloud DNS."""

    zone: pulumi.Input[str]
    """Name of the managed zone, or its number."""
    project: pulumi.Input[str]
    """Id of the zone's project."""


class DnsProvider(TypedDict):
    """The zone in which records are kept, in one cloud."""

    aws: NotRequired[AwsDnsZone]
    """A zone of Route 53."""
    google: NotRequired[GoogleDnsZone]
    """A zone of Cloud DNS."""


class ExternalDnsArgs(TypedDict):
    """Which records are kept, and where."""

    provider: DnsProvider
    """The zone: of `aws` or of `google`."""
    domains: list[str]
    """Domains whose records it may touch, with all below them, for example `dev.example.com`."""
    owner: str
    """Who it says the records belong to, in a TXT record beside each: it leaves all others alone. Give each cluster and
    environment its own, and never another one later."""
    gateway_namespace: NotRequired[pulumi.Input[str]]
    """Namespace of the Gateways whose routes get records. Default: any."""
    interval: NotRequired[str]
    """How often records are compared; changes of routes are seen at once. Default: `1m`."""
    mirror: NotRequired[str]
    """Where charts come from, as `HelmRelease` takes it. Default: the chart's own repository."""
    images: NotRequired[dict[str, str]]
    """Where images come from: what stands in place of a registry's name, by that, for example `quay.io`. Default: each
    image's own registry."""
    service_account_annotations: NotRequired[dict[str, pulumi.Input[str]]]
    """Annotations of the service account, by which Workload Identity knows it. Default: none, since Pod Identity needs
    none."""
    priority_class: NotRequired[pulumi.Input[str]]
    """Priority class of its pod. Default: none."""


class ExternalDns(Component):
    """external-dns: it keeps, in one zone, the records of the host names of HTTPRoutes, and deletes those of routes
    that are gone.

    It runs as one pod, since it elects no leader. It reads the Gateway API, whose kinds must be there before it. Its
    identity must be there before it too.

    Raises `InputError` for bad args, among them a provider of no cloud or of two.
    """

    ready: pulumi.Output[str]
    """Name of the release, once it is there and its pod is ready."""
    namespace: pulumi.Output[str]
    """Name of its namespace."""

    def __init__(self, name: str, args: ExternalDnsArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"ExternalDns {name}"
        args = checked(ExternalDnsArgs, args, subject, _RULES, _problems)
        super().__init__(name, opts)
        installed = install(name, _add_on(args), self._child)
        self.ready = installed.release.ready
        self.namespace = installed.namespace
        self._register()


def _add_on(args: ExternalDnsArgs) -> AddOn:
    provider = args["provider"]
    values = {
        **(_route53(provider["aws"], args["domains"]) if "aws" in provider else {}),
        **(_cloud_dns(provider["google"], args["domains"]) if "google" in provider else {}),
        "sources": ["gateway-httproute"],
        "policy": "sync",
        "registry": "txt",
        "txtOwnerId": args["owner"],
        # A domain itself may have a record too, so this stands in a label of its own. Its type keeps owners of an A and
        # of an AAAA record apart.
        "txtPrefix": "owner-%{record_type}.",
        "interval": args.get("interval", "1m"),
        "triggerLoopOnEvent": True,
        "logFormat": "json",
        "serviceAccount": account(SERVICE_ACCOUNT, args.get("service_account_annotations")),
        "podSecurityContext": POD_SECURITY,
        "securityContext": CONTAINER_SECURITY,
        "resources": resources("10m", "64Mi", "250m", "128Mi"),
        **given(gatewayNamespace=args.get("gateway_namespace"), priorityClassName=args.get("priority_class")),
    }
    identity = AWS_IDENTITY if "aws" in provider else GOOGLE_IDENTITY
    pods = Pods(_POD, {**API_SERVER, **identity}, called_at(_METRICS))
    # Its own kind of records is not read.
    return AddOn(
        "external-dns", NAMESPACE, {"controller": pods}, values, args.get("mirror"), args.get("images"), skip_crds=True
    )


def _route53(zone: AwsDnsZone, domains: list[str]) -> dict[str, Any]:
    return {
        "provider": {"name": "aws"},
        "env": [{"name": key, "value": zone["region"]} for key in ("AWS_REGION", "AWS_DEFAULT_REGION")],
        "domainFilters": domains,
        # The filter is asked about the zone too, which has a shorter name than the domains in it.
        "extraArgs": {**_FOR_WILDCARDS, "zone-id-filter": zone["zone_id"], "aws-zone-match-parent": True},
    }


def _cloud_dns(zone: GoogleDnsZone, domains: list[str]) -> dict[str, Any]:
    return {
        "provider": {"name": "google"},
        "extraArgs": {
            **_FOR_WILDCARDS,
            "zone-id-filter": zone["zone"],
            "google-project": zone["project"],
            # In place of a plain filter, which no zone passes whose name is shorter than the domains'.
            "regex-domain-filter": _with_parents(domains),
        },
    }


def _with_parents(domains: list[str]) -> str:
    """A pattern of the domains with all below them, and of the names of zones that they may stand in."""
    zones = {domain.split(".", i)[i] for domain in domains for i in range(1, domain.count("."))}
    alternatives = [
        *(rf"(.+\.)?{_literal(domain)}" for domain in domains),
        *map(_literal, sorted(zones - set(domains))),
    ]
    return f"^({'|'.join(alternatives)})$"


def _literal(domain: str) -> str:
    return domain.replace(".", r"\.")


def _problems(args: ExternalDnsArgs) -> Iterator[Problem]:
    yield from provider_problem(args["provider"])
    if not args["domains"]:
        yield Problem("domains", [], "name one domain or more; without any, it would touch the whole zone")
    fits = matching(_DOMAIN, "write it in small letters and without a dot at the end, for example `dev.example.com`")
    for i, domain in enumerate(args["domains"]):
        if remedy := fits(domain):
            yield Problem(f"domains[{i}]", domain, remedy)


_FOR_WILDCARDS = {"txt-wildcard-replacement": "any"}
"""A star inside a name is no wildcard, and refused by most."""
_RULES = {
    **CHART_RULES,
    "gateway_namespace": label_problem,
    "service_account_annotations": annotations_problem,
    "priority_class": subdomain_problem,
    "owner": matching(r"[A-Za-z0-9][A-Za-z0-9._-]*", "give letters, digits and ._-, for example `shop-dev`"),
    "interval": matching(r"[1-9]\d*[smh]", "give seconds, minutes or hours, for example `1m`"),
}
