"""What a load balancer outside a cluster reaches inside it."""

import re
from collections.abc import Iterator
from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from ..component import Component, checked, checked_name, matching
from ..problems import InputError, Problem
from ..security.google import GcpScope, scope_problem
from .clouddns import NAME, NAME_REMEDY


class EndpointService(TypedDict):
    """The service that fills the groups, as GKE writes it down in groups of its own making."""

    cluster_uid: pulumi.Input[str]
    """UID of the namespace `kube-system`, by which GKE tells clusters apart."""
    namespace: pulumi.Input[str]
    """Namespace of the service."""
    service: pulumi.Input[str]
    """Name of the service."""
    port: pulumi.Input[int]
    """Port of the service, not of its pods."""


class GcpEndpointGroupsArgs(TypedDict):
    """Where the pods of a service are."""

    scope: GcpScope
    """Project and region of the cluster."""
    network_id: pulumi.Input[str]
    """Id of the cluster's network."""
    subnet_id: pulumi.Input[str]
    """Id of the subnet of its nodes."""
    zones: list[str]
    """Zones of its nodes. In another zone GKE makes a group by itself, which no load balancer knows."""
    group: str
    """Name of the groups, the same in each zone: 63 small letters, digits and hyphens at most, a letter first. No other
    service of the project may have it. Another network or subnet needs another name."""
    service: NotRequired[EndpointService]
    """The service that fills them. Default: whichever first asks for them by their name. It cannot be changed later."""


_GROUP = r"(?!k8s)(?=.{1,63}$)[a-z]([a-z0-9-]*[a-z0-9])?"
_GROUP_REMEDY = (
    "give 1 to 63 small letters, digits and hyphens, a letter first and no hyphen last; k8s begins GKE's own names"
)
_RULES = {"scope": scope_problem, "group": matching(_GROUP, _GROUP_REMEDY)}


class GcpEndpointGroups(Component):
    """Network endpoint groups that GKE fills with the pods of a service, one in each zone. They are there before the
    cluster is, so that a load balancer can stand before it too.

    The service asks for them by the annotation `cloud.google.com/neg`, with the value
    `{"exposed_ports": {"<port of the service>": {"name": "<group>"}}}`. GKE's controller then keeps its pods in them,
    and changes nothing else. It takes no group without a description.

    Once no service asks any more, the controller deletes the groups, but none that a load balancer names: until that
    one is gone, the service's namespace is not deleted either. So the load balancer must not wait for the service to
    go.

    Raises `InputError` for bad args.
    """

    groups: pulumi.Output[dict[str, str]]
    """URLs of the groups, by zone: what a load balancer takes."""
    group_name: pulumi.Output[str]
    """Name of the groups. Known once they are there: what the service asks for."""

    def __init__(self, name: str, args: GcpEndpointGroupsArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"GcpEndpointGroups {name}"
        args = checked(GcpEndpointGroupsArgs, args, subject, _RULES)
        checked_name(name, subject, 63, NAME, NAME_REMEDY)
        if problems := list(_problems(args)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        groups = {
            zone: gcp.compute.NetworkEndpointGroup(
                f"{name}-{zone}",
                name=args["group"],  # the annotation names it
                project=args["scope"]["project"],
                zone=zone,
                network=args["network_id"],
                subnetwork=args["subnet_id"],
                network_endpoint_type="GCE_VM_IP_PORT",
                description=_description(name, args),
                opts=self._child(),
            )
            for zone in args["zones"]
        }
        self.groups = pulumi.Output.all(**{zone: group.self_link for zone, group in groups.items()})
        there = pulumi.Output.all(*(group.id for group in groups.values()))
        self.group_name = there.apply(lambda _: args["group"])
        self._register()


def _description(name: str, args: GcpEndpointGroupsArgs) -> pulumi.Input[str]:
    """GKE's controller fills groups whose description names its service, or is no JSON; it looks at no other text."""
    if "service" not in args:
        return f"Endpoints of {name}"
    service = args["service"]
    return pulumi.Output.json_dumps(
        {
            "cluster-uid": service["cluster_uid"],
            "namespace": service["namespace"],
            "service-name": service["service"],
            "port": pulumi.Output.from_input(service["port"]).apply(str),
        }
    )


def _problems(args: GcpEndpointGroupsArgs) -> Iterator[Problem]:
    zones, region = args["zones"], args["scope"]["region"]
    if not zones:
        yield Problem("zones", zones, f"name a zone or more, such as {region}-a")
    for i, zone in enumerate(zones):
        if not re.fullmatch(rf"{region}-[a-z]", zone):
            yield Problem(f"zones[{i}]", zone, f"not in the cluster's region; write one like {region}-a")
        elif zone in zones[:i]:
            yield Problem(f"zones[{i}]", zone, "name each zone once")
