"""The way into a cluster: gateways of the Gateway API, whose proxies Envoy Gateway runs."""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from ..component import Component, at_least, between, checked, known_after
from ..images import ENVOY, mirrored
from ..problems import MISSING, Problem
from ..service.pod import ContainerResources, resource_problems
from .add_on import (
    API_SERVER,
    SOME_STAY,
    AddOn,
    Pods,
    called_at,
    given,
    install,
    labels_of,
    resources,
    spread,
)
from .certificates import SOLVER_POD, SOLVER_PORT
from .charts import CHART_RULES, images_problem
from .envoy import (
    CONFIGURATION_PORT,
    CONTROLLER,
    GROUP,
    METRICS_PORT,
    OWN_PORTS,
    PROXIES,
    VERSION,
    Proxies,
    client_limits,
    header_limits,
    port_of_pods,
)
from .names import (
    LABEL,
    annotations_problem,
    checked_label,
    label_problem,
    label_problems,
    namespace_problems,
    subdomain_problem,
)
from .traffic import Peer, network_policy

NAMESPACE = "envoy-gateway-system"
"""Where Envoy Gateway runs, with the proxies of every gateway. There is one in a cluster."""
CLASS = "envoy-gateway"
"""Name of the class of its gateways."""
PLAIN_LISTENER = "http"
"""Name of a gateway's listener without TLS."""

_API = "gateway.networking.k8s.io"
_HOST = rf"(\*\.)?({LABEL}\.)+(?!\d+$){LABEL}"
_MOST_HOSTS = 63
_LONGEST_NAME = 50
_YEAR = 365 * 24 * 3600
_DRAIN_SECONDS, _CERTIFICATE_SECONDS = 30, 1800
_DOMAINS = (".svc", ".svc.cluster.local")
_PROXY: ContainerResources = {"cpu": "200m", "memory": "256Mi", "memory_limit": "512Mi"}


def listener_name(host: str) -> str:
    """Name of the listener over TLS for a gateway's host. No host: of a gateway that answers for any."""
    return f"https-{_key(host)}" if host else "https"


def _key(host: str) -> str:
    """A host as a part of names, in which there can be no asterisk."""
    return host.replace("*", "any")


class EnvoyGatewayArgs(TypedDict):
    """How Envoy Gateway runs."""

    mirror: NotRequired[str]
    """Where charts come from, as `HelmRelease` takes it. Default: the chart's own repository."""
    images: NotRequired[dict[str, str]]
    """Where images come from: what stands in place of a registry's name, by that, for example `quay.io`. Default: each
    image's own registry."""
    replicas: NotRequired[int]
    """Pods, 1 to 5. While there is none, proxies go on as they were told last. Default: 2."""
    gateway_api_crds: NotRequired[bool]
    """Whether the kinds of the Gateway API are all from here. No: the cluster brings them, as GKE does; of those only
    what it lacks is added, and nothing here stops it from changing them. Default: yes."""
    priority_class: NotRequired[pulumi.Input[str]]
    """Priority class of its pods. Default: none."""
    namespace_labels: NotRequired[dict[str, str]]
    """Labels of its namespace, which has the proxies of all gateways as well, such as one by which a cloud's controller
    of load balancers keeps new proxies from being ready before the load balancer knows them. Default: none."""


class EnvoyGateway(Component):
    """Envoy Gateway, in a namespace of its own, and the class of its gateways. A cluster has one.

    Its chart brings the kinds of the Gateway API, with those that are still experimental, and Envoy Gateway's own.
    Kinds that are there already stay as they are, and Helm never changes one that it brought: before a later version
    of the chart, apply that version's, `helm template gateway-crds-helm ... | kubectl apply --server-side -f -`. That
    chart cannot be a release: it is larger than the Secret of 1 MiB in which Helm keeps one.

    Destroying it leaves the kinds in the cluster.

    Raises `InputError` for bad args.
    """

    ready: pulumi.Output[str]
    """Name of the release, once it is there and its pods are ready."""
    namespace: pulumi.Output[str]
    """Namespace of gateways and their proxies, once gateways can be made there."""
    gateway_class: pulumi.Output[str]
    """Name of the class of gateways, once Envoy Gateway has accepted it."""

    def __init__(self, name: str, args: EnvoyGatewayArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(EnvoyGatewayArgs, args, f"EnvoyGateway {name}", _RULES, _label_problems)
        super().__init__(name, opts)
        installed = install(name, _add_on(args), self._child)
        accepted = kubernetes.apiextensions.CustomResource(
            name,
            api_version=f"{_API}/v1",
            kind="GatewayClass",
            metadata={
                "name": CLASS,
                "labels": labels_of(CLASS),
                "annotations": {"pulumi.com/waitFor": "condition=Accepted"},
            },
            spec={"controllerName": f"{GROUP}/gatewayclass-controller"},
            # The release brings the kind, and who accepts one of it. No value carries that.
            opts=self._child(depends_on=[installed.release]),
        )
        self.ready = installed.release.ready
        self.namespace = known_after(NAMESPACE, accepted.urn)
        self.gateway_class = known_after(CLASS, accepted.urn)
        self._register()


def _add_on(args: EnvoyGatewayArgs) -> AddOn:
    pods = {
        "controller": Pods(
            CONTROLLER,
            API_SERVER,
            {"proxies": Peer(ports=[CONFIGURATION_PORT], pods=PROXIES), **called_at(METRICS_PORT)},
        ),
        # The job that makes the certificates by which proxies and controller know each other.
        "certificates": Pods({"app": "certgen"}, API_SERVER, {}),
    }
    values = {
        "crds": {
            "enabled": True,
            # A rule that refuses other versions of the kinds would be in the way of a cluster that brings its own.
            "gatewayAPI": {"safeUpgradePolicy": {"enabled": args.get("gateway_api_crds", True)}},
        },
        "deployment": {
            "replicas": args.get("replicas", 2),
            "envoyGateway": {"resources": resources("100m", "256Mi", "1", "1024Mi")},
            "pod": {"topologySpreadConstraints": spread(CONTROLLER)},
            **given(priorityClassName=args.get("priority_class")),
        },
        "podDisruptionBudget": SOME_STAY,
        "certgen": {"job": {"resources": resources("10m", "64Mi", "500m", "256Mi")}},
        # A webhook at each start of a pod, so that routes can stay in a zone. Where the API server may not call it,
        # each pod waits until it gives up.
        "topologyInjector": {"enabled": False},
    }
    return AddOn(
        "gateway-helm",
        NAMESPACE,
        pods,
        values,
        args.get("mirror"),
        args.get("images"),
        labels=args.get("namespace_labels", {}),
    )


def _label_problems(args: EnvoyGatewayArgs) -> Iterator[Problem]:
    labels = args.get("namespace_labels", {})
    yield from label_problems("namespace_labels", labels)
    for key in sorted(set(labels) & set(labels_of(""))):
        yield Problem(f"namespace_labels.{key}", labels[key], "that is what all add-ons are labelled by; leave it out")


class Exposure(Enum):
    """How a gateway is reached."""

    LOAD_BALANCER = "LoadBalancer"
    """Through a load balancer that a controller of the cloud makes."""
    CLUSTER = "ClusterIP"
    """From within the cluster, and through whatever a cloud puts in front of its pods."""
    NODE_PORT = "NodePort"
    """Through a port of every node."""


class GatewayService(TypedDict):
    """The Kubernetes Service of a gateway's proxies, which is called as the gateway."""

    type: Exposure
    """How it is reached."""
    annotations: NotRequired[dict[str, pulumi.Input[str]]]
    """What the cloud's controller of load balancers reads. Default: none."""
    load_balancer_class: NotRequired[str]
    """Which controller makes the load balancer, for example `service.k8s.aws/nlb`. Kubernetes never changes it.
    Default: the cluster's own."""


class KubernetesGatewayArgs(TypedDict):
    """Which hosts a gateway answers for, how it is reached, and whose routes it takes."""

    namespace: pulumi.Input[str]
    """Namespace in which Envoy Gateway runs its proxies: `namespace` of `EnvoyGateway`."""
    gateway_class: pulumi.Input[str]
    """Name of the class of gateways: `gateway_class` of `EnvoyGateway`."""
    hosts: list[str]
    """Host names, up to 63, each with a certificate of its own. `*.` at its beginning stands for any label; with a host
    that it covers and that is there as well, clients speak HTTP/1.1. No host: any, with a certificate for names inside
    the cluster, which suits clients that name none, such as a load balancer with the public certificate."""
    issuer: pulumi.Input[str]
    """Name of the ClusterIssuer of cert-manager that signs the certificates."""
    service: GatewayService
    """How it is reached."""
    routes_from: list[str]
    """Namespaces whose routes it takes."""
    backend_ports: NotRequired[list[int]]
    """TCP ports of the pods there that routes lead to. Default: 8080."""
    https_port: NotRequired[int]
    """TCP port over TLS. Default: 443."""
    http_port: NotRequired[int]
    """TCP port without TLS, where clients are sent to the other one and HTTP-01 challenges are answered. 0: none.
    Default: 80."""
    annotations: NotRequired[dict[str, pulumi.Input[str]]]
    """Annotations of the Gateway, such as the target of its DNS records. Default: none."""
    trusted_hops: NotRequired[int]
    """Which address in `X-Forwarded-For` is the client's, counted from the right: 1 behind one proxy, 2 behind an
    application load balancer of Google Cloud, which adds its own. 0: none, the client is who connects. Default: 0."""
    proxy_protocol: NotRequired[bool]
    """Whether connections begin with the client's address in PROXY protocol, as a network load balancer of AWS can be
    told. Those that do not are refused, so nobody else can connect. Default: no."""
    hsts_seconds: NotRequired[int]
    """Seconds for which browsers are to come over TLS only, unless a service says otherwise. 0: it is not said.
    Default: a year where there are hosts, else 0."""
    connections: NotRequired[int]
    """Connections that one proxy takes at each listener. Default: 5000."""
    replicas: NotRequired[int]
    """Proxies at least. Default: 2."""
    max_replicas: NotRequired[int]
    """Proxies at most, for which metrics-server must be there. As many as `replicas`: always so many. Default: four
    times `replicas`."""
    drain_seconds: NotRequired[int]
    """Seconds for which a proxy that leaves takes new connections all the same, 0 to 600; what is open then has 90
    more. A load balancer may send it some until it has heard: one of AWS for two minutes after its target is taken
    out, so give 150 there. Default: 30."""
    certificate_seconds: NotRequired[int]
    """Seconds that its certificates are waited for, 0 to 7200; 0: not at all. One of an ACME authority comes once its
    host leads here for all the world, and cannot come before. Default: 1800."""
    resources: NotRequired[ContainerResources]
    """What each proxy needs, and how much it may take at most. Default: 200m and 256Mi, at most 800m and 512Mi."""
    priority_class: NotRequired[pulumi.Input[str]]
    """Priority class of the proxies. Default: none."""
    images: NotRequired[dict[str, str]]
    """Where images come from: what stands in place of a registry's name, by that: the proxies' is in `docker.io`.
    Default: each image's own registry."""


class KubernetesGateway(Component):
    """A gateway with proxies of its own: TLS 1.2 or later, a certificate for each host, plain requests sent there,
    limits on clients, an access log in JSON, and network policies. A label of the proxies is its name, which therefore
    no other gateway of the cluster may have.

    Proxies say at `/gateway-health` whether they take requests. Before one leaves, it goes on for `drain_seconds`, and
    takes up to a minute and a half more to finish what it has begun.

    Certificates come last: a challenge over HTTP-01 needs the listener without TLS, which works without them, and DNS
    records are made for the hosts of its redirects. Without that listener they come first. Routes do not wait for them.

    Raises `InputError` for bad args, among them hosts that are no host names, ports that are out of range or taken, and
    numbers below zero.
    """

    gateway: pulumi.Output[str]
    """Name of the gateway, once it is reached."""
    namespace: pulumi.Output[str]
    """Namespace of the gateway and its proxies, once it is reached."""
    pods: dict[str, str]
    """Labels by which its proxies are found."""
    listeners: dict[str, str]
    """Name of the listener over TLS, by host; of the one for any host, by `*`."""
    certificates: dict[str, str]
    """Name of the Certificate and its Secret, by host; of the one for any host, by `*`."""

    def __init__(self, name: str, args: KubernetesGatewayArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"KubernetesGateway {name}"
        args = checked(KubernetesGatewayArgs, args, subject, _GATEWAY_RULES, lambda given: _problems(name, given))
        checked_label(name, subject, _LONGEST_NAME)
        super().__init__(name, opts)
        self._prefix, self._args = name, args
        self._hosts: Sequence[str] = args["hosts"] or [""]
        self._https, self._http = args.get("https_port", 443), args.get("http_port", 80)
        self._proxies = Proxies(
            name,
            *_replicas(args),
            args.get("resources", _PROXY),
            _service(args["service"]),
            args.get("priority_class"),
            mirrored(ENVOY, args.get("images")),
            args.get("drain_seconds", _DRAIN_SECONDS),
        )
        self.pods = self._proxies.labels
        self.listeners = {host or "*": listener_name(host) for host in self._hosts}
        self.certificates = {host or "*": self._known_as(_key(host)) for host in self._hosts}
        # A gateway none of whose listeners has a certificate has no proxies, and is never reached.
        first = [] if self._http else [self._certificate(host) for host in self._hosts]
        proxies = self._made("", VERSION, "EnvoyProxy", self._proxies.spec())
        # Its proxies start as soon as it is there; without these they would be open, and without limits.
        gateway = self._gateway(depends_on=[*first, proxies, *self._limits(), *self._policies()])
        if self._http:
            redirects = [self._redirect(host, known_after(name, gateway.urn)) for host in self._hosts]
            for host in self._hosts:
                self._certificate(host, depends_on=redirects)
        self.gateway = known_after(name, gateway.urn)
        self.namespace = known_after(args["namespace"], gateway.urn)
        self._register()

    def _known_as(self, role: str) -> str:
        """Name of an object in the cluster. With a dot, which no gateway's name has, it is no other gateway's."""
        return f"{self._prefix}.{role}" if role else self._prefix

    def _metadata(self, role: str, annotations: Mapping[str, pulumi.Input[str]] | None = None) -> Any:
        return {
            "name": self._known_as(role),
            "namespace": self._args["namespace"],
            "labels": labels_of(self._prefix),
            **({"annotations": dict(annotations)} if annotations else {}),
        }

    def _made(
        self,
        role: str,
        version: str,
        kind: str,
        spec: Any,
        annotations: Mapping[str, pulumi.Input[str]] | None = None,
        **options: Any,
    ) -> kubernetes.apiextensions.CustomResource:
        return kubernetes.apiextensions.CustomResource(
            f"{self._prefix}-{role}" if role else self._prefix,
            api_version=version,
            kind=kind,
            metadata=self._metadata(role, annotations),
            spec=spec,
            opts=self._child(**options),
        )

    def _certificate(self, host: str, **options: Any) -> kubernetes.apiextensions.CustomResource:
        service = pulumi.Output.concat(self._prefix, ".", self._args["namespace"])
        inside = ["localhost", service, *(pulumi.Output.concat(service, domain) for domain in _DOMAINS)]
        spec = {
            "secretName": self._known_as(_key(host)),
            "dnsNames": [host] if host else inside,
            "issuerRef": {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": self._args["issuer"]},
            "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
            "usages": ["digital signature", "server auth"],
        }
        seconds = self._args.get("certificate_seconds", _CERTIFICATE_SECONDS)
        # Nothing else says that one is missing: a route is accepted, and the gateway programmed, without.
        awaited = {"pulumi.com/waitFor": "condition=Ready", "pulumi.com/timeoutSeconds": str(seconds)}
        return self._made(
            _key(host), "cert-manager.io/v1", "Certificate", spec, awaited if seconds else None, **options
        )

    def _limits(self) -> Iterator[pulumi.Resource]:
        args = self._args
        common = client_limits(
            args.get("connections", 5000), args.get("trusted_hops", 0), args.get("proxy_protocol", False)
        )
        hsts = args.get("hsts_seconds", _YEAR if args["hosts"] else 0)
        target = {"group": _API, "kind": "Gateway", "name": self._prefix}
        over_tls = {"targetRefs": [target], **common, "tls": {"minVersion": "1.2"}, "headers": header_limits(hsts)}
        yield self._made("", VERSION, "ClientTrafficPolicy", over_tls)
        if self._http:
            plain = {**target, "sectionName": PLAIN_LISTENER}
            # It comes before the other one there. A client without TLS must not be told to use it (RFC 6797).
            spec = {"targetRefs": [plain], **common, "headers": header_limits()}
            yield self._made("plain", VERSION, "ClientTrafficPolicy", spec)

    def _policies(self) -> Iterator[pulumi.Resource]:
        """Who reaches the proxies, and whom they reach."""
        args = self._args
        listening = [port_of_pods(port) for port in (self._https, self._http) if port]
        backends = {
            f"routes-{namespace}": Peer(ports=args.get("backend_ports", [8080]), namespace=namespace)
            for namespace in args["routes_from"]
        }
        yield network_policy(
            self._prefix,
            self._metadata(""),
            self.pods,
            {
                "controller": Peer(ports=[CONFIGURATION_PORT], pods=CONTROLLER),
                "challenges": Peer(ports=[SOLVER_PORT], pods=SOLVER_POD),
                **backends,
            },
            called_at(*listening, METRICS_PORT),
            self._child(),
        )
        # The pods that cert-manager runs here while a challenge lasts.
        yield network_policy(
            f"{self._prefix}-challenges",
            self._metadata("challenges"),
            SOLVER_POD,
            {},
            {"proxies": Peer(ports=[SOLVER_PORT], pods=self.pods)},
            self._child(),
            resolves_names=False,
        )

    def _gateway(self, **options: Any) -> kubernetes.apiextensions.CustomResource:
        some = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": self._args["routes_from"]}
        plain = {
            "name": PLAIN_LISTENER,
            "port": self._http,
            "protocol": "HTTP",
            # The redirects, and the routes that cert-manager makes for challenges.
            "allowedRoutes": {"namespaces": {"from": "Same"}, "kinds": [_kind("HTTPRoute")]},
        }
        over_tls = [
            {
                "name": listener_name(host),
                **({"hostname": host} if host else {}),
                "port": self._https,
                "protocol": "HTTPS",
                "tls": {
                    "mode": "Terminate",
                    "certificateRefs": [{"group": "", "kind": "Secret", "name": self._known_as(_key(host))}],
                },
                "allowedRoutes": {
                    "namespaces": {"from": "Selector", "selector": {"matchExpressions": [some]}},
                    "kinds": [_kind("HTTPRoute"), _kind("GRPCRoute")],
                },
            }
            for host in self._hosts
        ]
        spec = {
            "gatewayClassName": self._args["gateway_class"],
            "infrastructure": {"parametersRef": {"group": GROUP, "kind": "EnvoyProxy", "name": self._prefix}},
            "listeners": [*([plain] if self._http else []), *over_tls],
        }
        # It has an address then, and a proxy.
        awaited = {"pulumi.com/waitFor": "condition=Programmed", "pulumi.com/timeoutSeconds": "600"}
        annotations = {**self._args.get("annotations", {}), **awaited}
        return self._made("", f"{_API}/v1", "Gateway", spec, annotations, **options)

    def _redirect(self, host: str, gateway: pulumi.Input[str]) -> pulumi.Resource:
        port = {"port": self._https} if self._https != 443 else {}
        redirect = {"scheme": "https", "statusCode": 301, **port}
        spec = {
            "parentRefs": [{**_kind("Gateway"), "name": gateway, "sectionName": PLAIN_LISTENER}],
            # By name, as the routes of challenges are: of two for one host, the one with the exact path comes first.
            **({"hostnames": [host]} if host else {}),
            "rules": [
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                    "filters": [{"type": "RequestRedirect", "requestRedirect": redirect}],
                }
            ],
        }
        return self._made(f"redirect-{_key(host)}" if host else "redirect", f"{_API}/v1", "HTTPRoute", spec)


_RULES = {
    **CHART_RULES,
    "priority_class": subdomain_problem,
    "replicas": between(1, 5, "pods"),
}
_GATEWAY_RULES = {
    "images": images_problem,
    "namespace": label_problem,
    "gateway_class": subdomain_problem,
    "issuer": subdomain_problem,
    "annotations": annotations_problem,
    "priority_class": subdomain_problem,
    "https_port": between(1, 65535, "as the port"),
    "http_port": between(0, 65535, "as the port, 0 for none"),
    "trusted_hops": at_least(0),
    "hsts_seconds": at_least(0),
    "connections": at_least(1),
    "drain_seconds": between(0, 600, "seconds"),
    "certificate_seconds": between(0, 7200, "seconds"),
    "replicas": at_least(1),
}


def _kind(kind: str) -> dict[str, str]:
    return {"group": _API, "kind": kind}


def _service(service: GatewayService) -> dict[str, Any]:
    # Local keeps the client's address: a load balancer finds out which nodes have a proxy. Who takes the port of a node
    # takes that of any.
    policies = {Exposure.LOAD_BALANCER: "Local", Exposure.NODE_PORT: "Cluster"}
    return {
        "type": service["type"].value,
        **given(
            annotations=service.get("annotations") or None,
            loadBalancerClass=service.get("load_balancer_class"),
            externalTrafficPolicy=policies.get(service["type"]),
        ),
    }


def _replicas(args: KubernetesGatewayArgs) -> tuple[int, int]:
    fewest = args.get("replicas", 2)
    return fewest, args.get("max_replicas", 4 * fewest)


def _problems(name: str, args: KubernetesGatewayArgs) -> Iterator[Problem]:
    if name == CLASS:
        yield Problem("name", name, "what runs its proxies is called so, in the same namespace; give another")
    yield from host_problems(args["hosts"])
    yield from _port_problems(args)
    service = args["service"]
    if remedy := annotations_problem(service.get("annotations", {})):
        yield Problem("service.annotations", MISSING, remedy)
    if "load_balancer_class" in service and service["type"] is not Exposure.LOAD_BALANCER:
        remedy = f"a Service of type {service['type'].value} has no load balancer; leave it out"
        yield Problem("service.load_balancer_class", service["load_balancer_class"], remedy)
    if not args["routes_from"]:
        yield Problem("routes_from", [], "give one namespace or more; it takes no others' routes")
    yield from namespace_problems(args["routes_from"], "routes_from")
    fewest, most = _replicas(args)
    if most < fewest:
        yield Problem("max_replicas", most, f"give `replicas`, which is {fewest}, or more")
    yield from resource_problems(args.get("resources", _PROXY), "resources")


def host_problems(hosts: Sequence[str]) -> Iterator[Problem]:
    """What is wrong with the hosts of a gateway, each of which has a listener."""
    if len(hosts) > _MOST_HOSTS:
        yield Problem("hosts", len(hosts), f"give {_MOST_HOSTS} or fewer; a Gateway has room for no more listeners")
    for i, host in enumerate(hosts):
        if len(host) > 253 or not re.fullmatch(_HOST, host):
            remedy = "give a host name in small letters, api.example.org; its first label may be an asterisk"
            yield Problem(f"hosts[{i}]", host, remedy)
        elif _key(host) in {_key(other) for other in hosts[:i]}:
            yield Problem(f"hosts[{i}]", host, "its listener has the name of one before; leave one of them out")


def _port_problems(args: KubernetesGatewayArgs) -> Iterator[Problem]:
    https, http = args.get("https_port", 443), args.get("http_port", 80)
    for key, port in (("https_port", https), ("http_port", http)):
        if port_of_pods(port) in OWN_PORTS:
            yield Problem(key, port, f"proxies need {OWN_PORTS[0]} to {OWN_PORTS[-1]} for themselves; give another")
    if http and port_of_pods(http) == port_of_pods(https):
        yield Problem("http_port", http, f"in the proxies that is the same port as {https}; give another, or 0")
    ports = args.get("backend_ports", [8080])
    if not ports:
        yield Problem("backend_ports", ports, "give one port or more, or leave it out for 8080")
    for i, port in enumerate(ports):
        if not 1 <= port <= 65535:
            yield Problem(f"backend_ports[{i}]", port, "give 1 to 65535")
