"""The way in from the internet: Google's global external Application Load Balancer."""

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from ..component import Component, between, checked, checked_name, matching
from ..problems import InputError, Problem
from ..security.google import GcpScope, scope_problem
from .clouddns import NAME, NAME_REMEDY, GcpDnsZone
from .gcp_certificates import host_problems

_SCHEME = "EXTERNAL_MANAGED"
_HEADERS = {
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}
_EVERYONE = ("allUsers", "allAuthenticatedUsers")


class BackendProtocol(Enum):
    """How the load balancer speaks to services."""

    HTTP = "HTTP"
    """HTTP/1.1 without TLS of the service's own."""
    HTTPS = "HTTPS"
    """HTTP/1.1 over TLS."""
    HTTP2 = "HTTP2"
    """HTTP/2 over TLS."""


class TlsProfile(Enum):
    """Which ciphers the load balancer offers, by the names of Google's profiles."""

    MODERN = "MODERN"
    """For clients of the last ten years."""
    RESTRICTED = "RESTRICTED"
    """Only what the strictest standards take."""


class LoadBalancerBackend(TypedDict):
    """A group of endpoints or machines that answers requests."""

    group: pulumi.Input[str]
    """URL of a network endpoint group of a zone, as `GcpEndpointGroups` makes them, or of an instance group."""
    max_rate_per_endpoint: NotRequired[int]
    """Requests a second that one endpoint of a network endpoint group is good for. Default: 100."""
    max_rate_per_instance: NotRequired[int]
    """Requests a second that one machine of an instance group is good for: for such a group alone. Default: none."""
    capacity_percent: NotRequired[int]
    """How much of the group is used, 0 to 100; 0 lets it finish what it has. Default: 100."""


class LoadBalancerHealthCheck(TypedDict):
    """How it is seen that a service answers."""

    path: NotRequired[str]
    """Path that answers 200 without credentials. Default: `/`."""
    interval_seconds: NotRequired[int]
    """Seconds between two looks, 1 to 300. Default: 10."""
    timeout_seconds: NotRequired[int]
    """Seconds to wait for an answer, no more than the interval. Default: 5."""
    failures: NotRequired[int]
    """Looks in a row that fail before an endpoint gets no more requests, 1 to 10. Default: 3."""


class GcpLoadBalancerArgs(TypedDict):
    """Which hosts a load balancer answers for, and what stands behind it."""

    scope: GcpScope
    """Project of the load balancer. It is global: the region has no part in it."""
    hosts: list[str]
    """Hosts, one or more, such as `portal.example.com` or `*.example.com`. Requests for any other get a 404."""
    certificate_map_id: pulumi.Input[str]
    """Id of the Certificate Manager map with the hosts' certificates, `projects/<p>/locations/global/
    certificateMaps/<m>`."""
    security_policy_id: pulumi.Input[str]
    """Id of the Cloud Armor policy that looks at each request first."""
    zone: NotRequired[GcpDnsZone]
    """The zone in which the hosts become records. Default: none; who keeps their zone points them to `address`."""
    backends: NotRequired[dict[str, LoadBalancerBackend]]
    """What answers requests, by a name that only tells them apart, such as the zone of an endpoint group. Default:
    none: the hosts then answer 503."""
    protocol: NotRequired[BackendProtocol]
    """How it speaks to services. Default: `HTTPS`. It takes whatever certificate they show, and names no host when it
    asks for it (SNI). With `HTTP` only Google's own encryption between machines of its network guards what is sent."""
    port_name: NotRequired[str]
    """Name of the port of instance groups; endpoint groups know theirs. Default: what the protocol is called."""
    health_check: NotRequired[LoadBalancerHealthCheck]
    """How it is seen that a service answers."""
    timeout_seconds: NotRequired[int]
    """Seconds that a service has for an answer, 1 to 86400; WebSockets end after that. Default: 30."""
    draining_seconds: NotRequired[int]
    """Seconds in which an endpoint that goes finishes what it has, 0 to 3600. Default: 60."""
    response_headers: NotRequired[dict[str, str]]
    """Headers that every answer gets, by name. Default: `Strict-Transport-Security` of a year, `X-Content-Type-Options`
    and `Referrer-Policy`. Those given stand beside these, or in their place."""
    iap_members: NotRequired[dict[str, pulumi.Input[str]]]
    """Who may come in at all, as IAM names them, by purpose: Identity-Aware Proxy then asks everybody to sign in.
    Default: none; everybody comes in."""
    tls_profile: NotRequired[TlsProfile]
    """Which ciphers it offers, from TLS 1.2 on (CKV_GCP_4). Default: `RESTRICTED`."""
    ipv6: NotRequired[bool]
    """Whether it has an IPv6 address too. Default: yes."""
    protect: NotRequired[bool]
    """Whether Pulumi and Google's provider refuse to delete its addresses, which Google would not give back. Default:
    yes."""


_RULES = {
    "scope": scope_problem,
    "port_name": matching(r"(?=.{1,15}$)[a-z]([a-z0-9-]*[a-z0-9])?", "give 1 to 15 small letters, digits and hyphens"),
    "timeout_seconds": between(1, 86400, "seconds"),
    "draining_seconds": between(0, 3600, "seconds"),
}
_CHECK_RULES = {
    "path": matching(r"/[!-~]{0,1023}", "give a path, for example /healthz"),
    "interval_seconds": between(1, 300, "seconds"),
    "timeout_seconds": between(1, 300, "seconds"),
    "failures": between(1, 10, "looks"),
}
_BACKEND_RULES = {
    "max_rate_per_endpoint": between(1, 1_000_000, "requests a second"),
    "max_rate_per_instance": between(1, 1_000_000, "requests a second"),
    "capacity_percent": between(0, 100, "percent"),
}


class GcpLoadBalancer(Component):
    """A global external Application Load Balancer: HTTPS with TLS 1.2 or newer (CKV_GCP_4) and HTTP/3, HTTP only to
    send clients to HTTPS, behind a Cloud Armor policy, with every request logged and addresses that stay.

    It reaches services from 130.211.0.0/22 and 35.191.0.0/16, which the network's firewall must let in. Google needs
    some minutes until a new one answers.

    Raises `InputError` for bad args and for a name of which no load balancer's can be made.
    """

    address: pulumi.Output[str]
    """Its IPv4 address."""
    address_ipv6: pulumi.Output[str]
    """Its IPv6 address, empty where it has none."""
    url_map_name: pulumi.Output[str]
    """Name of its URL map, which its metrics and logs carry."""
    backend_service_id: pulumi.Output[str]
    """Id of its backend service."""
    backend_service_name: pulumi.Output[str]
    """Name of its backend service, which its metrics and logs carry."""
    hosts: pulumi.Output[list[str]]
    """The hosts that it answers for. Known once it listens, and once their records are there."""

    def __init__(self, name: str, args: GcpLoadBalancerArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"GcpLoadBalancer {name}"
        args = checked(GcpLoadBalancerArgs, args, subject, _RULES)
        # Google takes 63 characters: the name, `-https-ipv6`, a hyphen and seven random ones.
        checked_name(name, subject, 44, NAME, NAME_REMEDY)
        if problems := list(_problems(args)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        self._prefix = name
        self._args = args
        self._project = args["scope"]["project"]
        service = self._service()
        urls = self._urls(service)
        secure, plain = self._proxies(urls)
        address, listening = self._listen("", "IPV4", secure, plain)
        records = self._records("A", address, listening)
        self.address_ipv6 = pulumi.Output.from_input("")
        if args.get("ipv6", True):
            second, also = self._listen("-ipv6", "IPV6", secure, plain)
            records += self._records("AAAA", second, also)
            self.address_ipv6, listening = second.address, [*listening, *also]
        self.address = address.address
        self.url_map_name = urls.name
        self.backend_service_id = service.id
        self.backend_service_name = service.name
        there = pulumi.Output.all(*(each.id for each in (*listening, *records)))
        self.hosts = there.apply(lambda _: args["hosts"])
        self._register()

    def _service(self) -> gcp.compute.BackendService:
        name, args = self._prefix, self._args
        protocol = args.get("protocol", BackendProtocol.HTTPS)
        members = args.get("iap_members", {})
        service = gcp.compute.BackendService(
            name,
            project=self._project,
            description=f"What answers for {name}",
            load_balancing_scheme=_SCHEME,
            protocol=protocol.value,
            port_name=args.get("port_name", protocol.value.lower()),
            health_checks=self._health_check(protocol).id,
            backends=[_backend(each) for _, each in sorted(args.get("backends", {}).items())],
            security_policy=args["security_policy_id"],
            timeout_sec=args.get("timeout_seconds", 30),
            connection_draining_timeout_sec=args.get("draining_seconds", 60),
            session_affinity="NONE",
            enable_cdn=False,
            custom_response_headers=[f"{key}: {value}" for key, value in _headers(args).items()],
            iap={"enabled": bool(members)},
            # An endpoint that fails again and again gets no requests for a while, at most half of them at once.
            outlier_detection={
                "consecutive_errors": 5,
                "interval": {"seconds": 10},
                "base_ejection_time": {"seconds": 30},
                "max_ejection_percent": 50,
            },
            log_config={"enable": True, "sample_rate": 1.0},
            opts=self._child(),
        )
        for purpose, member in members.items():
            gcp.iap.WebBackendServiceIamMember(
                f"{name}-{purpose}",
                project=self._project,
                web_backend_service=service.name,
                role="roles/iap.httpsResourceAccessor",
                member=member,
                opts=self._child(),
            )
        return service

    def _health_check(self, protocol: BackendProtocol) -> gcp.compute.HealthCheck:
        check = self._args.get("health_check", {})
        interval = check.get("interval_seconds", 10)
        how: dict[str, Any] = {
            f"{protocol.value.lower()}_health_check": {
                "port_specification": "USE_SERVING_PORT",
                "request_path": check.get("path", "/"),
            }
        }
        return gcp.compute.HealthCheck(
            self._prefix,
            project=self._project,
            description=f"Whether what answers for {self._prefix} does",
            check_interval_sec=interval,
            timeout_sec=check.get("timeout_seconds", min(5, interval)),
            healthy_threshold=2,
            unhealthy_threshold=check.get("failures", 3),
            log_config={"enable": True},
            opts=self._child(),
            **how,
        )

    def _urls(self, service: gcp.compute.BackendService) -> gcp.compute.URLMap:
        return gcp.compute.URLMap(
            self._prefix,
            project=self._project,
            description=f"Hosts of {self._prefix}",
            host_rules=[{"hosts": self._args["hosts"], "path_matcher": "hosts"}],
            path_matchers=[{"name": "hosts", "default_service": service.id}],
            # Google wants a service for all other hosts too: each of their requests is ended before it gets there.
            default_service=service.id,
            default_route_action={"fault_injection_policy": {"abort": {"http_status": 404, "percentage": 100.0}}},
            opts=self._child(),
        )

    def _proxies(self, urls: gcp.compute.URLMap) -> tuple[gcp.compute.TargetHttpsProxy, gcp.compute.TargetHttpProxy]:
        name, args = self._prefix, self._args
        policy = gcp.compute.SSLPolicy(
            name,
            project=self._project,
            description=f"TLS of {name}",
            min_tls_version="TLS_1_2",
            profile=args.get("tls_profile", TlsProfile.RESTRICTED).value,
            post_quantum_key_exchange="ENABLED",
            opts=self._child(),
        )
        secure = gcp.compute.TargetHttpsProxy(
            name,
            project=self._project,
            url_map=urls.id,
            certificate_map=pulumi.Output.concat("//certificatemanager.googleapis.com/", args["certificate_map_id"]),
            ssl_policy=policy.id,
            quic_override="ENABLE",
            tls_early_data="DISABLED",  # whoever records early data can send it again
            opts=self._child(),
        )
        to_https = gcp.compute.URLMap(
            f"{name}-http",
            project=self._project,
            description=f"Sends clients of {name} to HTTPS",
            default_url_redirect={
                "https_redirect": True,
                "redirect_response_code": "MOVED_PERMANENTLY_DEFAULT",
                "strip_query": False,
            },
            opts=self._child(),
        )
        plain = gcp.compute.TargetHttpProxy(
            name,
            project=self._project,
            url_map=to_https.id,
            opts=self._child(),
        )
        return secure, plain

    def _listen(
        self, suffix: str, version: str, secure: gcp.compute.TargetHttpsProxy, plain: gcp.compute.TargetHttpProxy
    ) -> tuple[gcp.compute.GlobalAddress, list[gcp.compute.GlobalForwardingRule]]:
        """An address, and the rules by which it takes connections."""
        protect = self._args.get("protect", True)
        address = gcp.compute.GlobalAddress(
            f"{self._prefix}{suffix}",
            project=self._project,
            description=f"Where {self._prefix} is found",
            address_type="EXTERNAL",
            ip_version=version,
            deletion_policy="PREVENT" if protect else "DELETE",
            opts=self._child(protect=protect),
        )
        rules = [
            gcp.compute.GlobalForwardingRule(
                f"{self._prefix}-{scheme}{suffix}",
                project=self._project,
                description=f"{scheme.upper()} to {self._prefix}",
                load_balancing_scheme=_SCHEME,
                network_tier="PREMIUM",
                ip_protocol="TCP",
                ip_address=address.address,
                port_range=port,
                target=target,
                opts=self._child(),
            )
            for scheme, port, target in (("https", "443", secure.id), ("http", "80", plain.id))
        ]
        return address, rules

    def _records(
        self,
        kind: str,
        address: gcp.compute.GlobalAddress,
        listening: list[gcp.compute.GlobalForwardingRule],
    ) -> list[gcp.dns.RecordSet]:
        zone = self._args.get("zone")
        if zone is None:
            return []
        return [
            gcp.dns.RecordSet(
                f"{self._prefix}-{kind.lower()}-{host}",
                project=zone.get("project", self._project),
                managed_zone=zone["zone_name"],
                name=f"{host}.",
                type=kind,
                ttl=300,
                rrdatas=[address.address],
                # A name is told once somebody listens there, and taken back before nobody does; no value carries that.
                opts=self._child(depends_on=listening),
            )
            for host in self._args["hosts"]
        ]


def _backend(backend: LoadBalancerBackend) -> gcp.compute.BackendServiceBackendArgsDict:
    made: gcp.compute.BackendServiceBackendArgsDict = {
        "group": backend["group"],
        "balancing_mode": "RATE",
        "capacity_scaler": backend.get("capacity_percent", 100) / 100,
    }
    if "max_rate_per_instance" in backend:
        made["max_rate_per_instance"] = float(backend["max_rate_per_instance"])
    else:
        made["max_rate_per_endpoint"] = float(backend.get("max_rate_per_endpoint", 100))
    return made


def _headers(args: GcpLoadBalancerArgs) -> dict[str, str]:
    own = args.get("response_headers", {})
    replaced = {key.lower() for key in own}
    return {**{key: value for key, value in _HEADERS.items() if key.lower() not in replaced}, **own}


def _problems(args: GcpLoadBalancerArgs) -> Iterator[Problem]:
    yield from host_problems("hosts", args["hosts"])
    yield from _broken("health_check", args.get("health_check", {}), _CHECK_RULES)
    check = args.get("health_check", {})
    interval, timeout = check.get("interval_seconds", 10), check.get("timeout_seconds", 1)
    if timeout > interval:
        yield Problem("health_check.timeout_seconds", timeout, f"give {interval} seconds, the interval, or fewer")
    for name, backend in args.get("backends", {}).items():
        yield from _broken(f"backends.{name}", backend, _BACKEND_RULES)
        if "max_rate_per_endpoint" in backend and "max_rate_per_instance" in backend:
            remedy = "leave out this or max_rate_per_endpoint: a group has machines or endpoints"
            yield Problem(f"backends.{name}.max_rate_per_instance", backend["max_rate_per_instance"], remedy)
    if len({"max_rate_per_instance" in backend for backend in args.get("backends", {}).values()}) > 1:
        yield Problem(
            "backends", sorted(args.get("backends", {})), "give endpoint groups alone, or instance groups alone"
        )
    for key, value in args.get("response_headers", {}).items():
        if not re.fullmatch(r"[A-Za-z0-9-]+", key) or not re.fullmatch(r"[ -~]+", value):
            yield Problem(f"response_headers.{key}", value, "give a header's name and its value on one line")
    for purpose, member in args.get("iap_members", {}).items():
        if not re.fullmatch(r"[a-z0-9-]+", purpose):
            yield Problem(f"iap_members.{purpose}", member, "name the purpose in small letters, digits and hyphens")
        if member in _EVERYONE:
            yield Problem(f"iap_members.{purpose}", member, "is everybody; leave iap_members out where that is meant")


def _broken(path: str, values: Mapping[str, Any], rules: Mapping[str, Any]) -> Iterator[Problem]:
    for field, rule in rules.items():
        if field in values and (remedy := rule(values[field])):
            yield Problem(f"{path}.{field}", values[field], remedy)
