"""Certificates, for the world and for inside."""

from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from ..component import Component, between, checked, known_after
from .add_on import (
    API_SERVER,
    CONTAINER_SECURITY,
    POD_SECURITY,
    SOME_STAY,
    AddOn,
    Pods,
    account,
    called_at,
    given,
    install,
    labels_of,
    resources,
    spread,
)
from .charts import CHART_RULES
from .names import subdomain_problem

NAMESPACE = "cert-manager"
"""Namespace of cert-manager."""
SERVICE_ACCOUNT = "cert-manager"
"""Service account of its controller."""
LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
"""The directory of Let's Encrypt."""
ACME_ISSUER = "letsencrypt-prod"
"""Name of the issuer whose certificates the world trusts."""
SELF_SIGNED_ISSUER = "self-signed"
"""Name of the issuer of certificates that vouch for themselves."""
INTERNAL_ISSUER = "internal-ca"
"""Name of the issuer whose certificates are trusted by those who were given its CA's."""
SOLVER_POD = {"acme.cert-manager.io/http01-solver": "true"}
"""Labels of the pods that answer for a domain, in the namespace of its certificate. The gateway must reach them."""
SOLVER_PORT = 8089
"""Port at which they answer."""

_WEBHOOK, _METRICS = 10250, 9402
_WEB = [80, 443, 10080, 10443]
"""Where the controller looks whether a domain answers. A node may turn the address of a load balancer into that of a
proxy behind it at once: Envoy Gateway's listen 10,000 above the ports below 1024."""
_TEN_YEARS, _ONE_YEAR = "87600h", "8760h"


class Acme(TypedDict):
    """How Let's Encrypt sees that a domain is ours: it asks for a file there, by way of a Gateway."""

    email: NotRequired[pulumi.Input[str]]
    """Address that the authority may write to. Default: none."""
    server: NotRequired[pulumi.Input[str]]
    """URL of the authority's directory. Default: Let's Encrypt's."""
    gateway: pulumi.Input[str]
    """Name of the Gateway that the domains lead to. It listens at port 80 and need not be there yet."""
    gateway_namespace: pulumi.Input[str]
    """Its namespace."""


class CertManagerArgs(TypedDict):
    """How certificates are had."""

    acme: NotRequired[Acme]
    """How certificates are had that the world trusts. Default: not at all."""
    mirror: NotRequired[str]
    """Where charts come from, as `HelmRelease` takes it. Default: the chart's own repository."""
    images: NotRequired[dict[str, str]]
    """Where images come from: what stands in place of a registry's name, by that, for example `quay.io`. Default: each
    image's own registry."""
    priority_class: NotRequired[pulumi.Input[str]]
    """Priority class of its pods. Default: none."""
    replicas: NotRequired[int]
    """Pods of the controller, of the webhook and of the injector each, 1 to 5. Default: 2."""


class CertManager(Component):
    """cert-manager, an issuer of certificates that the world trusts where `acme` is given, and a CA inside the cluster
    with an issuer of its own.

    It reads the Gateway API, whose kinds must be there before it. Destroying it takes its kinds away, and with them
    every Certificate in the cluster.

    Raises `InputError` for bad args.
    """

    ready: pulumi.Output[str]
    """Name of the release, once it is there and its webhook answers."""
    namespace: pulumi.Output[str]
    """Name of its namespace."""
    issuer: pulumi.Output[str]
    """Name of the ClusterIssuer for what the world sees, once it is made: of Let's Encrypt, or without `acme` the one
    inside."""
    internal_issuer: pulumi.Output[str]
    """Name of the ClusterIssuer inside, once it is made."""

    def __init__(self, name: str, args: CertManagerArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(CertManagerArgs, args, f"CertManager {name}", _RULES)
        super().__init__(name, opts)
        self._prefix = name
        installed = install(name, _add_on(args), self._child)
        # Before the release the cluster knows no such kinds, and nobody answers for them.
        self._after_release = self._child(depends_on=[installed.release])
        self.ready = installed.release.ready
        self.namespace = installed.namespace
        self.internal_issuer = self._internal(installed.namespace)
        self.issuer = self._acme(args["acme"]) if "acme" in args else self.internal_issuer
        self._register()

    def _internal(self, namespace: pulumi.Output[str]) -> pulumi.Output[str]:
        """A CA that signed itself, and the issuer that signs in its name."""
        self_signed = self._issuer("self-signed", SELF_SIGNED_ISSUER, {"selfSigned": {}})
        authority = self._made(
            "internal-ca-certificate",
            "Certificate",
            {"name": INTERNAL_ISSUER, "namespace": namespace},
            {
                "isCA": True,
                "commonName": INTERNAL_ISSUER,
                "secretName": INTERNAL_ISSUER,
                "duration": _TEN_YEARS,
                "renewBefore": _ONE_YEAR,
                # With the same key, what was signed before stays good.
                "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Never"},
                "issuerRef": {
                    "group": "cert-manager.io",
                    "kind": "ClusterIssuer",
                    "name": known_after(SELF_SIGNED_ISSUER, self_signed.urn),
                },
            },
        )
        secret = known_after(INTERNAL_ISSUER, authority.urn)
        return known_after(
            INTERNAL_ISSUER, self._issuer("internal-ca", INTERNAL_ISSUER, {"ca": {"secretName": secret}}).urn
        )

    def _acme(self, acme: Acme) -> pulumi.Output[str]:
        gateway = {
            "group": "gateway.networking.k8s.io",
            "kind": "Gateway",
            "name": acme["gateway"],
            "namespace": acme["gateway_namespace"],
        }
        # The container itself is restricted by cert-manager: it is read-only and has no capabilities.
        pod = {"spec": {"securityContext": POD_SECURITY}}
        issuer = self._issuer(
            "acme",
            ACME_ISSUER,
            {
                "acme": {
                    **given(email=acme.get("email")),
                    "server": acme.get("server", LETS_ENCRYPT),
                    "privateKeySecretRef": {"name": f"{ACME_ISSUER}-account"},
                    "solvers": [{"http01": {"gatewayHTTPRoute": {"parentRefs": [gateway], "podTemplate": pod}}}],
                }
            },
        )
        return known_after(ACME_ISSUER, issuer.urn)

    def _issuer(self, role: str, name: str, spec: Any) -> kubernetes.apiextensions.CustomResource:
        return self._made(role, "ClusterIssuer", {"name": name}, spec)

    def _made(self, role: str, kind: str, metadata: Any, spec: Any) -> kubernetes.apiextensions.CustomResource:
        return kubernetes.apiextensions.CustomResource(
            f"{self._prefix}-{role}",
            api_version="cert-manager.io/v1",
            kind=kind,
            metadata={**metadata, "labels": labels_of("cert-manager")},
            spec=spec,
            opts=self._after_release,
        )


def _add_on(args: CertManagerArgs) -> AddOn:
    pods = {
        "controller": Pods(
            _pod("controller"),
            {**API_SERVER, **called_at(*_WEB)},
            called_at(_METRICS),
        ),
        "webhook": Pods(_pod("webhook"), API_SERVER, called_at(_WEBHOOK, _METRICS)),
        "injector": Pods(_pod("cainjector"), API_SERVER, called_at(_METRICS)),
        "start-check": Pods(_pod("startupapicheck"), API_SERVER, {}),
    }
    replicas = args.get("replicas", 2)

    def several(component: str) -> dict[str, Any]:
        return {
            "replicaCount": replicas,
            "podDisruptionBudget": {"enabled": replicas > 1, **SOME_STAY},
            "topologySpreadConstraints": spread(_pod(component)),
            **_SECURITY,
        }

    values = {
        # What the release makes goes with it: a destroyed environment leaves nothing in the cluster.
        "crds": {"enabled": True, "keep": False},
        "global": {
            "leaderElection": {"namespace": NAMESPACE},
            **given(priorityClassName=args.get("priority_class")),
        },
        "config": {"gatewayAPI": {"enabled": True}},
        "serviceAccount": account(SERVICE_ACCOUNT),
        **several("controller"),
        "resources": resources("25m", "64Mi", "500m", "256Mi"),
        "webhook": {**several("webhook"), "resources": resources("10m", "32Mi", "250m", "128Mi")},
        "cainjector": {**several("cainjector"), "resources": resources("10m", "64Mi", "250m", "512Mi")},
        "startupapicheck": {**_SECURITY, "resources": resources("10m", "32Mi", "100m", "64Mi")},
    }
    return AddOn("cert-manager", NAMESPACE, pods, values, args.get("mirror"), args.get("images"))


def _pod(component: str) -> dict[str, str]:
    return {"app.kubernetes.io/instance": "cert-manager", "app.kubernetes.io/component": component}


_SECURITY = {"securityContext": POD_SECURITY, "containerSecurityContext": CONTAINER_SECURITY}
_RULES = {
    **CHART_RULES,
    "priority_class": subdomain_problem,
    "replicas": between(1, 5, "pods"),
}
