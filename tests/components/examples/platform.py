"""What a Kubernetes cluster needs before workloads."""

from components.platform.namespace import KubernetesNamespace

from .shared import Examples, in_cluster

EXAMPLES: Examples = {KubernetesNamespace: [lambda name, opts: KubernetesNamespace(name, {}, in_cluster(opts))]}
