"""Kubernetes."""

from .demands import absent, equal, given, including
from .rule import Link, Rule

PROVIDER = "pulumi:providers:kubernetes"
NAMESPACE = "kubernetes:core/v1:Namespace"
NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"

RULES = (
    Rule(
        "kubernetes-pod-security",
        "A namespace admits only pods of the restricted Pod Security Standard.",
        (NAMESPACE,),
        ("CIS-K8S-5.2.1",),
        demands={
            'metadata.labels["pod-security.kubernetes.io/enforce"]': equal(
                "restricted", breaks=["baseline", "privileged"]
            )
        },
    ),
    Rule(
        "kubernetes-default-deny",
        "A namespace has a network policy for all its pods that lets nothing in and nothing out.",
        (NAMESPACE,),
        ("CKV2_K8S_6", "CIS-K8S-5.3.2"),
        links=(
            Link(
                "a network policy that denies by default",
                NETWORK_POLICY,
                "metadata",
                {
                    "spec.podSelector.matchLabels": absent({"app": "x"}),
                    "spec.podSelector.matchExpressions": absent([{"key": "app", "operator": "Exists"}]),
                    "spec.policyTypes": including("Ingress", "Egress"),
                    "spec.ingress": absent([{}]),
                    "spec.egress": absent([{}]),
                },
            ),
        ),
    ),
    Rule(
        "kubernetes-provider-identified",
        "A Kubernetes provider names its cluster: another kubeconfig for the same cluster then replaces nothing.",
        (PROVIDER,),
        demands={"clusterIdentifier": given()},
    ),
)
