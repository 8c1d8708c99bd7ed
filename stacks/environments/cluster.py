"""An existing Kubernetes cluster, in whatever cloud the environment stands."""

import pulumi

from ..settings import Settings


def use_cluster(name: str, settings: Settings) -> pulumi.Output[str] | None:
    """The environment's namespace in the cluster that the settings name, or None where they name none."""
    cluster = settings.cluster
    if cluster is None:
        return None
    # Here, so that a stack without such a cluster loads no Kubernetes SDK.
    import pulumi_kubernetes as kubernetes

    from components.platform.namespace import KubernetesNamespace

    provider = kubernetes.Provider(
        f"{name}-cluster",
        kubeconfig=cluster.kubeconfig,
        context=cluster.context,
        # Whatever the file says later, this is the cluster; another file for it replaces nothing.
        cluster_identifier=f"{name}-cluster",
    )
    labels = {"app.kubernetes.io/part-of": settings.system.name, "app.kubernetes.io/managed-by": "plinth"}
    return KubernetesNamespace(name, {"labels": labels}, pulumi.ResourceOptions(provider=provider)).namespace
