"""What a Kubernetes cluster needs before workloads."""

import pulumi
import pulumi_kubernetes as kubernetes

from components.component import Component
from components.platform.namespace import KubernetesNamespace

from .shared import Examples


def _namespace(name: str, opts: pulumi.ResourceOptions) -> Component:
    cluster = kubernetes.Provider("cluster", kubeconfig="~/.kube/config", cluster_identifier="cluster")
    return KubernetesNamespace(
        name, {}, pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(providers=[cluster]))
    )


EXAMPLES: Examples = {KubernetesNamespace: [_namespace]}
