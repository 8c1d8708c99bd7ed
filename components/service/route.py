"""How a service is reached from outside its cluster: through a gateway of the Gateway API, run by Envoy Gateway."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from ..platform.gateway import listener_name
from ..platform.names import LABEL, name_problems
from ..platform.traffic import end_problems
from ..problems import MISSING, Problem

_GROUP = "gateway.networking.k8s.io"
_HOST = rf"({LABEL}\.)+{LABEL}"
_PATH = r"/|(/[A-Za-z0-9._~!$&'()*+,;=:@-]+)+"
_MOST_PATHS = 64
_PATIENCE = 300
"""Seconds until a route is taken, which its listener's certificate need not be there for."""
_ACCEPTED = "conditions[?(@.type == 'Accepted')].status}=True"


class ServiceRoute(TypedDict):
    """Which requests come to a service, through which gateway."""

    host: str
    """Host name that they ask for. Empty: any that no other route has."""
    aliases: NotRequired[list[str]]
    """Further host names, each with a listener of the gateway. Default: none."""
    gateway: pulumi.Input[str]
    """Name of the Gateway."""
    gateway_namespace: pulumi.Input[str]
    """Namespace of the Gateway and its proxies."""
    gateway_pods: pulumi.Input[dict[str, str]]
    """Labels of the gateway's proxies, which may call the service."""
    listener: NotRequired[str]
    """Name of the gateway's listener over TLS that takes the requests, such as one for all hosts of a domain. Default:
    the one for `host`."""
    paths: NotRequired[list[str]]
    """What the paths of the requests begin with. Default: `/`, all of them."""
    requests_per_second: NotRequired[int]
    """Requests a second that each proxy lets through; what is more gets the answer 429. Default: 100."""
    timeout_seconds: NotRequired[int]
    """Seconds until an answer must be there in full, else the client gets the answer 504. Default: 30."""


def route_problems(route: ServiceRoute, path: str) -> Iterator[Problem]:
    """What is wrong with the requests that a route at the path is for."""
    host, paths, aliases = route["host"], route.get("paths", ["/"]), route.get("aliases", [])
    if host and not _is_host(host):
        yield Problem(f"{path}.host", host, "give a host name in small letters, api.example.org, or nothing for any")
    for i, alias in enumerate(aliases):
        if not _is_host(alias):
            yield Problem(f"{path}.aliases[{i}]", alias, "give a host name in small letters, api.example.org")
        elif alias in (host, *aliases[:i]):
            yield Problem(f"{path}.aliases[{i}]", alias, "it is there already; leave it out")
    if aliases and not host:
        yield Problem(f"{path}.host", MISSING, "aliases stand beside a host name; give that first")
    if not 1 <= len(paths) <= _MOST_PATHS:
        yield Problem(f"{path}.paths", paths, f"give 1 to {_MOST_PATHS} paths, or leave them out for all")
    for i, each in enumerate(paths):
        if not re.fullmatch(_PATH, each) or {".", ".."} & set(each.split("/")):
            yield Problem(f"{path}.paths[{i}]", each, "begin with a /, end without one, and have something between two")
        elif each in paths[:i]:
            yield Problem(f"{path}.paths[{i}]", each, "it is there already; leave it out")
    for key, least, most in (("requests_per_second", 1, 1_000_000), ("timeout_seconds", 1, 3600)):
        number = route.get(key, least)
        if not least <= number <= most:
            yield Problem(f"{path}.{key}", number, f"give {least} to {most}")


def gateway_problems(route: ServiceRoute, path: str) -> Iterator[Problem]:
    """What is wrong with what a route at the path says of its gateway."""
    yield from name_problems(f"{path}.gateway", route["gateway"])
    for problem in end_problems(path, {"pods": route["gateway_pods"], "namespace": route["gateway_namespace"]}):
        where = problem.path.removeprefix(f"{path}.")
        yield problem._replace(path=f"{path}.gateway_{where}")


def _is_host(host: str) -> bool:
    return len(host) <= 253 and bool(re.fullmatch(_HOST, host))


def route(
    name: str,
    metadata: Mapping[str, Any],
    route: ServiceRoute,
    service: pulumi.Input[str],
    port: int,
    child: Callable[..., pulumi.ResourceOptions],
) -> kubernetes.apiextensions.CustomResource:
    """Makes the route to a port of a Kubernetes Service, and says how the gateway treats its requests.

    Both are there once the gateway has taken them: it would leave a route out that asks for a listener it has not.
    """
    hosts = [route["host"], *route.get("aliases", [])]
    # Over TLS alone: what comes in plain text is sent there by the gateway itself.
    listeners = [route["listener"]] if "listener" in route else [listener_name(host) for host in hosts]
    taken = kubernetes.apiextensions.CustomResource(
        name,
        api_version=f"{_GROUP}/v1",
        kind="HTTPRoute",
        metadata=_awaited(metadata, f"jsonpath={{.status.parents[*].{_ACCEPTED}"),
        spec={
            "parentRefs": [
                {
                    "group": _GROUP,
                    "kind": "Gateway",
                    "name": route["gateway"],
                    "namespace": route["gateway_namespace"],
                    "sectionName": listener,
                }
                for listener in listeners
            ],
            **({"hostnames": hosts} if route["host"] else {}),
            "rules": [
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": path}} for path in route.get("paths", ["/"])],
                    "backendRefs": [{"kind": "Service", "name": service, "port": port}],
                    "timeouts": {"request": f"{route.get('timeout_seconds', 30)}s"},
                }
            ],
        },
        opts=child(),
    )
    kubernetes.apiextensions.CustomResource(
        name,
        api_version="gateway.envoyproxy.io/v1alpha1",
        kind="BackendTrafficPolicy",
        metadata=_awaited(metadata, f"jsonpath={{.status.ancestors[*].{_ACCEPTED}"),
        spec={
            "targetRefs": [{"group": _GROUP, "kind": "HTTPRoute", "name": metadata["name"]}],
            "rateLimit": {
                "local": {"rules": [{"limit": {"requests": route.get("requests_per_second", 100), "unit": "Second"}}]}
            },
            # Requests that the service has not seen: whatever they ask for, asking again does no harm.
            "retry": {
                "numRetries": 2,
                "retryOn": {"triggers": ["connect-failure", "refused-stream", "reset-before-request"]},
                "perRetry": {"backOff": {"baseInterval": "100ms", "maxInterval": "1s"}},
            },
            "circuitBreaker": {
                "maxConnections": 1024,
                "maxParallelRequests": 1024,
                # A service that is this far behind answers nobody in time.
                "maxPendingRequests": 256,
                "retryBudget": {"percent": {"numerator": 20}, "minRetryConcurrency": 3},
            },
            # A pod that only fails gets no requests for a while, if others are left.
            "healthCheck": {
                "passive": {
                    "interval": "5s",
                    "consecutive5XxErrors": 5,
                    "consecutiveGatewayErrors": 3,
                    "baseEjectionTime": "30s",
                    "maxEjectionPercent": 50,
                }
            },
            "timeout": {"tcp": {"connectTimeout": "5s"}},
        },
        # Without the route it would be about nothing; no value carries that.
        opts=child(depends_on=[taken]),
    )
    return taken


def _awaited(metadata: Mapping[str, Any], what: str) -> dict[str, Any]:
    annotations = {
        **metadata.get("annotations", {}),
        "pulumi.com/waitFor": what,
        "pulumi.com/timeoutSeconds": str(_PATIENCE),
    }
    return {**metadata, "annotations": annotations}
