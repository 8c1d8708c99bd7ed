"""How a stack gets at its Kubernetes cluster."""

import pulumi_kubernetes as kubernetes

from components.contracts import Cluster

from ..settings import Settings


def cluster_provider(name: str, settings: Settings, own: Cluster | None = None) -> kubernetes.Provider:
    """The provider of the cluster that the settings name, or else of the environment's own."""
    # Whatever its address or its file says later, this is the cluster: another one for it replaces nothing.
    if own:
        return kubernetes.Provider(f"{name}-cluster", kubeconfig=own.kubeconfig, cluster_identifier=own.cluster_name)
    existing = settings.cluster
    if existing is None:
        raise AssertionError("an environment has neither a cluster of its own nor one that exists")
    return kubernetes.Provider(
        f"{name}-cluster",
        kubeconfig=existing.kubeconfig,
        context=existing.context,
        cluster_identifier=f"{name}-cluster",
    )
