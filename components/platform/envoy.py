"""What Envoy Gateway is told of a gateway, in kinds of its own: which proxies it has, and what clients may do there."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import pulumi

from ..service.pod import ContainerResources
from ..service.quantities import cpu, cpu_text
from .add_on import CONTAINER_SECURITY, POD_SECURITY, SOME_STAY, spread

GROUP = "gateway.envoyproxy.io"
"""API group of its kinds."""
VERSION = f"{GROUP}/v1alpha1"
"""The version of the group that these are written in."""
CONTROLLER = {"control-plane": "envoy-gateway"}
"""Labels of Envoy Gateway's own pods."""
PROXIES = {"app.kubernetes.io/component": "proxy", "app.kubernetes.io/managed-by": "envoy-gateway"}
"""Labels that the proxies of all gateways have."""
CONFIGURATION_PORT = 18000
"""Port of Envoy Gateway where proxies learn what they do."""
METRICS_PORT = 19001
"""Port of Envoy Gateway, and of each proxy, for metrics."""
OWN_PORTS = range(19000, 19004)
"""Ports of a proxy for its administration, its metrics, its companion and its probes."""
HEALTH_PATH = "/gateway-health"
"""Path at which a proxy says itself whether it takes requests, at every host, for load balancers that ask."""

# Out of its image: the one that Envoy Gateway runs its companion as.
_USER = {"runAsUser": 65532, "runAsGroup": 65532}
_BURST = 4
_FINISH_SECONDS = 90
_PRIVILEGED, _SHIFT = 1024, 10000
_ACCESS_LOG = {
    "start_time": "%START_TIME%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "trace_parent": "%REQ(TRACEPARENT)%",
    "method": "%REQ(:METHOD)%",
    "host": "%REQ(:AUTHORITY)%",
    # Without the query: what stands there may be a token, or somebody's address.
    "path": "%REQ_WITHOUT_QUERY(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "protocol": "%PROTOCOL%",
    "response_code": "%RESPONSE_CODE%",
    "response_code_details": "%RESPONSE_CODE_DETAILS%",
    "response_flags": "%RESPONSE_FLAGS%",
    "connection_termination_details": "%CONNECTION_TERMINATION_DETAILS%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "duration": "%DURATION%",
    "upstream_service_time": "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
    "upstream_host": "%UPSTREAM_HOST%",
    "upstream_cluster": "%UPSTREAM_CLUSTER%",
    "upstream_transport_failure_reason": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
    "route_name": "%ROUTE_NAME%",
    "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "peer": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%",
    "forwarded_for": "%REQ(X-FORWARDED-FOR)%",
    "user_agent": "%REQ(USER-AGENT)%",
    "server_name": "%REQUESTED_SERVER_NAME%",
    "tls_version": "%DOWNSTREAM_TLS_VERSION%",
}


class Proxies(NamedTuple):
    """The proxies of one gateway, whose Deployment and Service are called as it."""

    gateway: str
    """Name of the gateway."""
    fewest: int
    """How many there are at least."""
    most: int
    """How many there are at most; as many as `fewest`: always so many."""
    resources: ContainerResources
    """What each of them needs."""
    service: Mapping[str, Any]
    """How their Service is reached, as Envoy Gateway takes it."""
    priority_class: pulumi.Input[str] | None
    """Their priority class."""
    image: str
    """Where their image is, without a tag: Envoy Gateway runs the version that it knows."""
    drain_seconds: int
    """How long one that leaves takes connections all the same."""

    @property
    def labels(self) -> dict[str, str]:
        """Labels that they have and no others."""
        return {"app.kubernetes.io/name": "envoy", **PROXIES, f"{GROUP}/owning-gateway-name": self.gateway}

    def spec(self) -> dict[str, Any]:
        """The EnvoyProxy that describes them."""
        named = {"name": self.gateway}
        scaled = {
            **named,
            "minReplicas": self.fewest,
            "maxReplicas": self.most,
            "metrics": [{"type": "ContainerResource", "containerResource": _BUSY}],
        }
        log = {
            "format": {"type": "JSON", "json": _ACCESS_LOG},
            "sinks": [{"type": "File", "file": {"path": "/dev/stdout"}}],
        }
        return {
            "provider": {
                "type": "Kubernetes",
                "kubernetes": {
                    "envoyDeployment": {
                        **named,
                        # With an autoscaler the number is its own.
                        **({} if self._scaled else {"replicas": self.fewest}),
                        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
                        "pod": self._pod(),
                        "container": self._container(),
                        "patch": {"type": "StrategicMerge", "value": _of_containers(_COMPANION)},
                    },
                    "envoyService": {**named, **self.service},
                    "envoyPDB": {**named, **SOME_STAY},
                    **({"envoyHpa": scaled} if self._scaled else {}),
                },
            },
            # Else there is a thread for each CPU of the node, of which a proxy has a share.
            "concurrency": max(2, math.ceil(cpu(self._cpu_limit))),
            "logging": {"level": {"default": "warn"}},
            # A load balancer still sends connections for a while after a proxy has begun to leave. What is open then
            # has some time more to end. Envoy Gateway gives the pod five minutes beyond that before it is killed.
            "shutdown": {
                "drainTimeout": f"{self.drain_seconds + _FINISH_SECONDS}s",
                "minDrainDuration": f"{self.drain_seconds}s",
            },
            "telemetry": {"accessLog": {"settings": [log]}},
        }

    @property
    def _scaled(self) -> bool:
        return self.most > self.fewest

    @property
    def _cpu_limit(self) -> str:
        return self.resources.get("cpu_limit") or cpu_text(cpu(self.resources["cpu"]) * _BURST)

    def _pod(self) -> dict[str, Any]:
        return {
            "securityContext": {**POD_SECURITY, **_USER, "fsGroup": _USER["runAsGroup"]},
            "topologySpreadConstraints": spread(self.labels),
            "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "16Mi"}}],
            **({"priorityClassName": self.priority_class} if self.priority_class is not None else {}),
        }

    def _container(self) -> dict[str, Any]:
        """The proxy itself. Its companion takes the same security context, but neither resources nor volumes."""
        resources = self.resources
        return {
            "imageRepository": self.image,
            "resources": {
                "requests": {"cpu": resources["cpu"], "memory": resources["memory"]},
                "limits": {"cpu": self._cpu_limit, "memory": resources.get("memory_limit", resources["memory"])},
            },
            "securityContext": {**CONTAINER_SECURITY, **_USER, "privileged": False},
            "volumeMounts": [_SCRATCH],
        }


_BUSY = {"name": "cpu", "container": "envoy", "target": {"type": "Utilization", "averageUtilization": 70}}
_SCRATCH = {"name": "tmp", "mountPath": "/tmp"}  # noqa: S108
_COMPANION = {
    "name": "shutdown-manager",
    "resources": {"limits": {"cpu": "100m", "memory": "64Mi"}},
    # Where it notes that the proxy has drained.
    "volumeMounts": [_SCRATCH],
}
"""The proxy's companion, which has it finish what it has begun before it goes."""


def _of_containers(*containers: Mapping[str, Any]) -> dict[str, Any]:
    """A change of a Deployment's containers."""
    return {"spec": {"template": {"spec": {"containers": list(containers)}}}}


def port_of_pods(port: int) -> int:
    """At which port the proxies' pods answer for a gateway's: one above 1023, for which they need no privilege."""
    return port + _SHIFT if port < _PRIVILEGED else port


def client_limits(connections: int, trusted_hops: int, proxy_protocol: bool) -> dict[str, Any]:
    """What clients may do, and how their addresses are known: of a ClientTrafficPolicy what holds with TLS and without.

    Requests of more than 60 KiB or 100 headers Envoy refuses by itself.
    """
    return {
        **({"clientIPDetection": {"xForwardedFor": {"numTrustedHops": trusted_hops}}} if trusted_hops else {}),
        **({"proxyProtocol": {"optional": False}} if proxy_protocol else {}),
        "timeout": {
            "tcp": {"tlsHandshakeTimeout": "10s"},
            "http": {
                "requestHeadersReceivedTimeout": "10s",
                "requestReceivedTimeout": "300s",
                "streamIdleTimeout": "300s",
                # Longer than load balancers keep connections that they use again: 600 seconds on Google Cloud.
                "idleTimeout": "620s",
            },
        },
        "connection": {"connectionLimit": {"value": connections}, "bufferLimit": "32Ki"},
        # Before a network load balancer forgets a connection: after 350 seconds on AWS.
        "tcpKeepalive": {"probes": 3, "idleTime": "60s", "interval": "20s"},
        "http2": {"maxConcurrentStreams": 100, "initialStreamWindowSize": "64Ki", "initialConnectionWindowSize": "1Mi"},
        "path": {"escapedSlashesAction": "UnescapeAndRedirect"},
        "healthCheck": {"path": HEALTH_PATH},
    }


def header_limits(hsts_seconds: int = 0) -> dict[str, Any]:
    """Of a ClientTrafficPolicy what becomes of headers: for so many seconds, browsers come over TLS only."""
    hsts = {"name": "Strict-Transport-Security", "value": f"max-age={hsts_seconds}"}
    return {
        # To applications, many of which make an underscore of a hyphen, it may be another header.
        "withUnderscoresAction": "RejectRequest",
        "host": {"stripTrailingHostDot": True},
        **({"lateResponseHeaders": {"addIfAbsent": [hsts]}} if hsts_seconds else {}),
    }
