"""Gateways, and what else a cluster needs once."""

from components.platform.access import KubernetesAccess, KubernetesAccessArgs
from components.platform.gateway import (
    EnvoyGateway,
    EnvoyGatewayArgs,
    Exposure,
    KubernetesGateway,
    KubernetesGatewayArgs,
)
from components.platform.priority import KubernetesPriorityClasses
from components.platform.storage import KubernetesStorageClass, StorageClassArgs, VolumeProvisioner

from .shared import GOOGLE_KEY, KEY, Examples, in_cluster

CONTROLLER: EnvoyGatewayArgs = {
    "mirror": "oci://registry.example/charts",
    "images": {"docker.io": "registry.example/docker-io"},
    "replicas": 3,
    "gateway_api_crds": False,
    "priority_class": "cluster-services",
}
GATEWAY: KubernetesGatewayArgs = {
    "namespace": "envoy-gateway-system",
    "gateway_class": "envoy-gateway",
    "hosts": ["api.example.org"],
    "issuer": "letsencrypt-prod",
    "service": {"type": Exposure.LOAD_BALANCER},
    "routes_from": ["shop"],
}
GATEWAY_FULL: KubernetesGatewayArgs = {
    **GATEWAY,
    "hosts": ["api.example.org", "*.shop.example.org"],
    "service": {
        "type": Exposure.LOAD_BALANCER,
        "annotations": {"service.beta.kubernetes.io/aws-load-balancer-proxy-protocol": "*"},
        "load_balancer_class": "service.k8s.aws/nlb",
    },
    "routes_from": ["shop", "depot"],
    "backend_ports": [8080, 9000],
    "https_port": 8443,
    "http_port": 8080,
    "annotations": {"external-dns.alpha.kubernetes.io/target": "gateway.example.org"},
    "trusted_hops": 2,
    "proxy_protocol": True,
    "hsts_seconds": 600,
    "connections": 20000,
    "replicas": 3,
    "max_replicas": 9,
    "resources": {"cpu": "1", "memory": "1Gi", "cpu_limit": "3", "memory_limit": "2Gi"},
    "priority_class": "cluster-services",
    "images": {"docker.io": "registry.example/docker-io"},
}
GATEWAY_LAPTOP: KubernetesGatewayArgs = {
    **GATEWAY,
    "hosts": [],
    "issuer": "internal-ca",
    "service": {"type": Exposure.NODE_PORT},
    "http_port": 0,
    "replicas": 1,
    "max_replicas": 1,
}
VOLUMES: StorageClassArgs = {"provisioner": VolumeProvisioner.EBS, "key": KEY}
GOOGLE_VOLUMES: StorageClassArgs = {
    "provisioner": VolumeProvisioner.PERSISTENT_DISK,
    "key": GOOGLE_KEY,
    "volume_type": "hyperdisk-balanced",
    "keep": False,
    "default": False,
}
ACCESS: KubernetesAccessArgs = {"namespace": "shop", "viewers": ["engineers"], "operators": []}
ACCESS_FULL: KubernetesAccessArgs = {
    "namespace": "shop",
    "viewers": ["engineers", "support"],
    "operators": ["on-call", "engineers"],
    "exec": True,
}

EXAMPLES: Examples = {
    EnvoyGateway: [
        lambda name, opts: EnvoyGateway(name, {}, in_cluster(opts)),
        lambda name, opts: EnvoyGateway(name, CONTROLLER, in_cluster(opts)),
    ],
    KubernetesGateway: [
        lambda name, opts: KubernetesGateway(name, GATEWAY, in_cluster(opts)),
        lambda name, opts: KubernetesGateway(name, GATEWAY_FULL, in_cluster(opts)),
        lambda name, opts: KubernetesGateway(name, GATEWAY_LAPTOP, in_cluster(opts)),
    ],
    KubernetesStorageClass: [
        lambda name, opts: KubernetesStorageClass(name, VOLUMES, in_cluster(opts)),
        lambda name, opts: KubernetesStorageClass(name, GOOGLE_VOLUMES, in_cluster(opts)),
    ],
    KubernetesPriorityClasses: [
        lambda name, opts: KubernetesPriorityClasses(name, {}, in_cluster(opts)),
        lambda name, opts: KubernetesPriorityClasses(name, {"services": 500, "jobs": 0}, in_cluster(opts)),
    ],
    KubernetesAccess: [
        lambda name, opts: KubernetesAccess(name, ACCESS, in_cluster(opts)),
        lambda name, opts: KubernetesAccess(name, ACCESS_FULL, in_cluster(opts)),
    ],
}
