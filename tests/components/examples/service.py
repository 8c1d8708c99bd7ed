"""Services in a Kubernetes cluster."""

from components.service.kubernetes import KubernetesService, KubernetesServiceArgs
from components.service.pull_secret import PullSecret

from .shared import Examples, in_cluster

BARE: KubernetesServiceArgs = {
    "service": "api",
    "system": "shop",
    "namespace": "shop",
    "image": "registry.example/shop/api:1.2.3",
    "port": 8080,
    "resources": {"cpu": "100m", "memory": "128Mi"},
}

FULL: KubernetesServiceArgs = {
    **BARE,
    "version": "1.2.3",
    "command": ["/api"],
    "arguments": ["serve"],
    "metrics_port": 9090,
    "resources": {"cpu": "100m", "memory": "128Mi", "cpu_limit": "1", "memory_limit": "256Mi"},
    "scaling": {"fewest": 3, "most": 10, "cpu_percent": 70},
    "live_path": "/health",
    "ready_path": "/ready",
    "startup_seconds": 30,
    "environment": {"LOG_LEVEL": "info", "APP_ENV": "prod"},
    "secrets": {
        "database": {
            "variables": {"DB_PASSWORD": "password", "DB_USER": "username"},
            "external": {"store": "cloud", "key": "db-credentials"},
        },
        "signing": {"variables": {"JWT_SECRET": "value"}, "sealed": {"value": "AgBy3i4OJSWK+PiTySYZZA9rO43cGDEq"}},
        "queue": {"variables": {"BROKER_URL": "url"}, "existing": "broker"},
    },
    "pull_secret": "registry",
    "service_account_annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/api"},
    "reads_configuration": True,
    "reaches": {"database": {"ports": [5432], "cidrs": ["10.0.48.0/20"]}},
    "reached_by": {"monitoring": {"ports": [9090], "namespace": "monitoring"}},
    "route": {
        "host": "api.example.org",
        "gateway": "public",
        "gateway_namespace": "gateway",
        "gateway_pods": {"gateway.envoyproxy.io/owning-gateway-name": "public"},
        "paths": ["/api", "/health"],
        "requests_per_second": 50,
        "timeout_seconds": 10,
    },
    "priority_class": "shop-high",
    "grace_seconds": 60,
    "user": 1000,
    "tmp_size": "128Mi",
}

EXAMPLES: Examples = {
    KubernetesService: [
        lambda name, opts: KubernetesService(name, BARE, in_cluster(opts)),
        lambda name, opts: KubernetesService(name, FULL, in_cluster(opts)),
    ],
    PullSecret: [
        lambda name, opts: PullSecret(name, {"namespace": "shop", "store": "cloud", "key": "ghcr"}, in_cluster(opts)),
    ],
}
