"""What a Kubernetes cluster needs before workloads."""

import pulumi

from components.platform.autoscaling import ClusterAutoscaler, ClusterAutoscalerArgs
from components.platform.certificates import Acme, CertManager
from components.platform.dns import ExternalDns, ExternalDnsArgs
from components.platform.load_balancer import AwsLoadBalancerController, AwsLoadBalancerControllerArgs
from components.platform.metrics import MetricsServer
from components.platform.namespace import KubernetesNamespace
from components.platform.releases import HelmRelease
from components.platform.reloader import Reloader
from components.platform.secrets import ExternalSecrets, ExternalSecretStore, SealedSecrets

from .shared import Examples, in_cluster

MIRROR = "oci://registry.example.com/charts"
IMAGES = {"ghcr.io": "registry.example/ghcr-io", "quay.io": "registry.example/quay-io"}
ACCOUNT: dict[str, pulumi.Input[str]] = {
    "iam.gke.io/gcp-service-account": "add-on@plinth-123456.iam.gserviceaccount.com"
}
ROLE: dict[str, pulumi.Input[str]] = {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/add-on"}
ACME: Acme = {"email": "certificates@example.com", "gateway": "gateway", "gateway_namespace": "gateways"}
LOAD_BALANCERS: AwsLoadBalancerControllerArgs = {"cluster_name": "shop", "region": "eu-central-1", "vpc_id": "vpc-1"}
ROUTE_53: ExternalDnsArgs = {
    "provider": {"aws": {"zone_id": "Z0123456789ABC", "region": "eu-central-1"}},
    "domains": ["dev.example.com"],
    "owner": "shop-dev",
}
CLOUD_DNS: ExternalDnsArgs = {
    "provider": {"google": {"zone": "example-com", "project": "plinth-123456"}},
    "domains": ["dev.example.com", "example.org"],
    "owner": "shop-dev",
    "gateway_namespace": "gateways",
    "interval": "5m",
    "mirror": MIRROR,
    "images": IMAGES,
    "service_account_annotations": ACCOUNT,
    "priority_class": "platform",
}
NODES: ClusterAutoscalerArgs = {"cluster_name": "shop", "region": "eu-central-1"}

EXAMPLES: Examples = {
    KubernetesNamespace: [
        lambda name, opts: KubernetesNamespace(name, {}, in_cluster(opts)),
        lambda name, opts: KubernetesNamespace(name, {"name": "shop", "labels": {"team": "shop"}}, in_cluster(opts)),
    ],
    HelmRelease: [
        lambda name, opts: HelmRelease(name, {"chart": "reloader", "namespace": "reloader"}, in_cluster(opts)),
        lambda name, opts: HelmRelease(
            name,
            {
                "chart": "gateway-helm",
                "namespace": "gateways",
                "values": {"deployment": {"replicas": 2}},
                "mirror": MIRROR,
                "skip_crds": True,
                "timeout": 900,
            },
            in_cluster(opts),
        ),
    ],
    AwsLoadBalancerController: [
        lambda name, opts: AwsLoadBalancerController(name, LOAD_BALANCERS, in_cluster(opts)),
        lambda name, opts: AwsLoadBalancerController(
            name,
            {
                **LOAD_BALANCERS,
                "tags": {"system": "shop"},
                "mirror": MIRROR,
                "images": IMAGES,
                "service_account_annotations": ROLE,
                "replicas": 3,
            },
            in_cluster(opts),
        ),
    ],
    CertManager: [
        lambda name, opts: CertManager(name, {}, in_cluster(opts)),
        lambda name, opts: CertManager(
            name,
            {"acme": ACME, "mirror": MIRROR, "images": IMAGES, "priority_class": "platform", "replicas": 3},
            in_cluster(opts),
        ),
    ],
    ExternalDns: [
        lambda name, opts: ExternalDns(name, ROUTE_53, in_cluster(opts)),
        lambda name, opts: ExternalDns(name, CLOUD_DNS, in_cluster(opts)),
    ],
    ExternalSecrets: [
        lambda name, opts: ExternalSecrets(name, {"provider": {"aws": {"region": "eu-central-1"}}}, in_cluster(opts)),
        lambda name, opts: ExternalSecrets(
            name,
            {
                "provider": {"google": {"project": "plinth-123456"}},
                "mirror": MIRROR,
                "images": IMAGES,
                "service_account_annotations": ACCOUNT,
                "priority_class": "platform",
                "replicas": 3,
            },
            in_cluster(opts),
        ),
    ],
    ExternalSecretStore: [
        lambda name, opts: ExternalSecretStore(
            name, {"namespace": "shop", "provider": {"aws": {"region": "eu-central-1"}}}, in_cluster(opts)
        ),
        lambda name, opts: ExternalSecretStore(
            name, {"namespace": "shop", "provider": {"google": {"project": "plinth-123456"}}}, in_cluster(opts)
        ),
    ],
    SealedSecrets: [
        lambda name, opts: SealedSecrets(name, {"namespaces": ["shop"]}, in_cluster(opts)),
        lambda name, opts: SealedSecrets(
            name,
            {
                "namespaces": ["shop", "desk"],
                "key_days": 7,
                "mirror": MIRROR,
                "images": IMAGES,
                "priority_class": "platform",
            },
            in_cluster(opts),
        ),
    ],
    MetricsServer: [
        lambda name, opts: MetricsServer(name, {}, in_cluster(opts)),
        lambda name, opts: MetricsServer(
            name, {"any_kubelet": True, "mirror": MIRROR, "images": IMAGES, "replicas": 1}, in_cluster(opts)
        ),
    ],
    ClusterAutoscaler: [
        lambda name, opts: ClusterAutoscaler(name, NODES, in_cluster(opts)),
        lambda name, opts: ClusterAutoscaler(
            name,
            {
                **NODES,
                "version": "1.36",
                "mirror": MIRROR,
                "images": IMAGES,
                "service_account_annotations": ROLE,
                "replicas": 3,
            },
            in_cluster(opts),
        ),
    ],
    Reloader: [
        lambda name, opts: Reloader(name, {"namespaces": ["shop"]}, in_cluster(opts)),
        lambda name, opts: Reloader(
            name,
            {
                "namespaces": ["shop", "desk"],
                "mirror": MIRROR,
                "images": IMAGES,
                "priority_class": "platform",
                "replicas": 1,
            },
            in_cluster(opts),
        ),
    ],
}
