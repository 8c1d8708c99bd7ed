"""Load balancers of AWS for services of a cluster."""

from collections.abc import Iterator
from typing import NotRequired, TypedDict

import pulumi

from ..component import Component, between, checked
from ..problems import Problem
from .add_on import (
    API_SERVER,
    AWS_IDENTITY,
    CONTAINER_SECURITY,
    POD_SECURITY,
    SOME_STAY,
    AddOn,
    Pods,
    account,
    called_at,
    install,
    resources,
    spread,
)
from .charts import CHART_RULES
from .names import annotations_problem

NAMESPACE = "aws-load-balancer-controller"
"""Namespace of the controller."""
SERVICE_ACCOUNT = "aws-load-balancer-controller"
"""Service account of its pods."""
_POD = {"app.kubernetes.io/name": "aws-load-balancer-controller"}
_WEBHOOK, _METRICS = 9443, 8080


class AwsLoadBalancerControllerArgs(TypedDict):
    """Which cluster the controller serves, and where that is."""

    cluster_name: pulumi.Input[str]
    """Name of the EKS cluster. What the controller makes carries it as a tag."""
    region: pulumi.Input[str]
    """Region of the cluster."""
    vpc_id: pulumi.Input[str]
    """Id of the cluster's VPC."""
    tags: NotRequired[dict[str, str]]
    """Tags of all that it makes, beside its own: a provider's default tags do not reach that. Default: none."""
    mirror: NotRequired[str]
    """Where charts come from, as `HelmRelease` takes it. Default: the chart's own repository."""
    images: NotRequired[dict[str, str]]
    """Where images come from: what stands in place of a registry's name, by that, for example `quay.io`. Default: each
    image's own registry."""
    service_account_annotations: NotRequired[dict[str, pulumi.Input[str]]]
    """Annotations of the service account. Default: none, since Pod Identity needs none."""
    replicas: NotRequired[int]
    """Pods, of which one leads, 1 to 5. Default: 2."""


class AwsLoadBalancerController(Component):
    """The AWS Load Balancer Controller: it gives a Service of type LoadBalancer a network load balancer, which sends to
    pods themselves and is internal unless the Service says otherwise.

    It is told region and VPC, so it never asks an instance's metadata. Ingresses, and the Gateway API of its own, are
    turned off. Its webhook is asked about every new Service: whatever makes Services must wait for this component. Its
    role must be associated with the service account before.

    Raises `InputError` for bad args.
    """

    ready: pulumi.Output[str]
    """Name of the release, once it is there and its pods are ready."""
    namespace: pulumi.Output[str]
    """Name of its namespace."""

    def __init__(self, name: str, args: AwsLoadBalancerControllerArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"AwsLoadBalancerController {name}"
        args = checked(AwsLoadBalancerControllerArgs, args, subject, _RULES, _problems)
        super().__init__(name, opts)
        installed = install(name, _add_on(args), self._child)
        self.ready = installed.release.ready
        self.namespace = installed.namespace
        self._register()


def _add_on(args: AwsLoadBalancerControllerArgs) -> AddOn:
    pods = Pods(_POD, {**API_SERVER, **AWS_IDENTITY}, called_at(_WEBHOOK, _METRICS))
    values = {
        "clusterName": args["cluster_name"],
        "region": args["region"],
        "vpcId": args["vpc_id"],
        "defaultTags": args.get("tags", {}),
        "defaultTargetType": "ip",
        "defaultLoadBalancerScheme": "internal",
        "enableShield": False,
        "enableWaf": False,
        "enableWafv2": False,
        "createIngressClassResource": False,
        "ingressClassParams": {"create": False},
        "webhookConfig": {"disableIngressValidation": True},
        "controllerConfig": {
            "featureGates": {"ALBGatewayAPI": False, "NLBGatewayAPI": False, "LBCapacityReservation": False}
        },
        # A new certificate in each upgrade would not be that of the pods for a while, and no Service could be made.
        "keepTLSSecret": True,
        "serviceAccount": account(SERVICE_ACCOUNT, args.get("service_account_annotations")),
        "replicaCount": args.get("replicas", 2),
        "podDisruptionBudget": SOME_STAY,
        "topologySpreadConstraints": spread(_POD),
        "podSecurityContext": POD_SECURITY,
        "securityContext": CONTAINER_SECURITY,
        "resources": resources("50m", "128Mi", "500m", "512Mi"),
    }
    return AddOn(
        "aws-load-balancer-controller", NAMESPACE, {"controller": pods}, values, args.get("mirror"), args.get("images")
    )


def _problems(args: AwsLoadBalancerControllerArgs) -> Iterator[Problem]:
    """The controller takes tags as `key=value` with commas between them."""
    for key, value in args.get("tags", {}).items():
        if set(key) & set(",=") or "," in value:
            yield Problem(f"tags.{key}", value, "the controller takes no comma in a tag, and no = in its key")


_RULES = {
    **CHART_RULES,
    "service_account_annotations": annotations_problem,
    "replicas": between(1, 5, "pods"),
}
