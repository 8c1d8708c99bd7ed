"""What examples of components have in common."""

from collections.abc import Callable

import pulumi
import pulumi_kubernetes as kubernetes

from components.component import Component
from components.security.google import GcpScope
from components.security.policy import AwsScope

HOME: AwsScope = {"account": "123456789012", "region": "eu-central-1"}
KEY = "arn:aws:kms:eu-central-1:123456789012:key/data"
LOG_KEY = "arn:aws:kms:eu-central-1:123456789012:key/logs"
AWAY_KEY = "arn:aws:kms:eu-west-1:123456789012:key/away"
GOOGLE: GcpScope = {"project": "plinth-123456", "number": "123456789012", "region": "europe-west3"}
GOOGLE_KEY = "projects/plinth-123456/locations/europe-west3/keyRings/ring/cryptoKeys/data"
GOOGLE_AWAY_KEY = "projects/plinth-123456/locations/europe-west4/keyRings/ring/cryptoKeys/away"
GOOGLE_NETWORK = "projects/plinth-123456/global/networks/net"
SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:url"

Maker = Callable[[str, pulumi.ResourceOptions], Component]
"""Makes a component of a name."""
Examples = dict[type[Component], list[Maker]]
"""A full and a bare call of every component."""


def in_cluster(opts: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    """The options with a provider of a Kubernetes cluster beside their own."""
    cluster = kubernetes.Provider("cluster", kubeconfig="~/.kube/config", cluster_identifier="cluster")
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(providers=[cluster]))
