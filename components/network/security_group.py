"""Security groups on AWS: who may reach whom, one rule a purpose."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..component import Component, checked, checked_name
from ..problems import InputError, Problem

ANYWHERE = "0.0.0.0/0"


class SecurityRule(TypedDict):
    """What one purpose opens: a port, or a range of them, to exactly one peer."""

    port: int
    """The port, or the first one of a range."""
    last_port: NotRequired[int]
    """The last port of a range. Default: `port` alone."""
    protocol: NotRequired[str]
    """`tcp` or `udp`. Default: `tcp`."""
    group: NotRequired[pulumi.Input[str]]
    """Id of the peer's security group."""
    members: NotRequired[bool]
    """Whether the peers are the other members of the group itself. Default: no."""
    cidr: NotRequired[pulumi.Input[str]]
    """IPv4 block of the peer."""


class AwsSecurityGroupArgs(TypedDict):
    """The members of a group, told by what they may do."""

    vpc_id: pulumi.Input[str]
    """Id of the VPC."""
    description: str
    """Who its members are. AWS never changes it in place: a new description replaces the group."""
    ingress: NotRequired[dict[str, SecurityRule]]
    """Who may reach the members, by purpose. Default: nobody."""
    egress: NotRequired[dict[str, SecurityRule]]
    """Whom the members may reach, by purpose. Default: nobody."""
    tags: NotRequired[dict[str, str]]
    """Further tags, by which others find the group. Default: none."""


class AwsSecurityGroup(Component):
    """A security group that opens what its rules name and nothing else. Each rule is a resource of its own, named after
    its purpose (CKV_AWS_23, CKV_AWS_24, CKV_AWS_25, CKV_AWS_382).

    Raises `InputError` for bad args, for a rule without or with two peers, and for a name that begins with `sg-`.
    """

    group_id: pulumi.Output[str]
    """Id of the group."""

    def __init__(self, name: str, args: AwsSecurityGroupArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"AwsSecurityGroup {name}"
        args = checked(AwsSecurityGroupArgs, args, subject)
        checked_name(name, subject, 240, r"(?!sg-).+", "AWS reserves names that begin with sg-")
        ingress, egress = args.get("ingress", {}), args.get("egress", {})
        _check_peers(subject, {"ingress": ingress, "egress": egress})
        super().__init__(name, opts)
        # The physical name is the logical one plus random characters.
        group = aws.ec2.SecurityGroup(
            name,
            vpc_id=args["vpc_id"],
            description=args["description"],
            revoke_rules_on_delete=True,  # a rule that names it in another group would block the deletion
            tags={"Name": name, **args.get("tags", {})},
            opts=self._child(),
        )
        for purpose, rule in ingress.items():
            _rule(
                aws.vpc.SecurityGroupIngressRule,
                f"{name}-from-{purpose}",
                group.id,
                rule,
                purpose,
                self._child(),
            )
        for purpose, rule in egress.items():
            _rule(
                aws.vpc.SecurityGroupEgressRule,
                f"{name}-to-{purpose}",
                group.id,
                rule,
                purpose,
                self._child(),
            )
        self.group_id = group.id
        self._register()


def connect(
    name: str,
    port: int,
    client: pulumi.Input[str],
    server: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> None:
    """Let the members of one group reach those of another on a TCP port: one rule at each end."""
    leaving: SecurityRule = {"port": port, "group": server}
    arriving: SecurityRule = {"port": port, "group": client}
    _rule(aws.vpc.SecurityGroupEgressRule, f"{name}-egress", client, leaving, name, opts)
    _rule(aws.vpc.SecurityGroupIngressRule, f"{name}-ingress", server, arriving, name, opts)


def _rule(
    kind: type[aws.vpc.SecurityGroupIngressRule] | type[aws.vpc.SecurityGroupEgressRule],
    name: str,
    group_id: pulumi.Input[str],
    rule: SecurityRule,
    purpose: str,
    opts: pulumi.ResourceOptions,
) -> None:
    kind(
        name,
        security_group_id=group_id,
        description=purpose,
        ip_protocol=rule.get("protocol", "tcp"),
        from_port=rule["port"],
        to_port=rule.get("last_port", rule["port"]),
        referenced_security_group_id=group_id if rule.get("members", False) else rule.get("group"),
        cidr_ipv4=rule.get("cidr"),
        tags={"Name": name},
        opts=opts,
    )


def _check_peers(subject: str, directions: dict[str, dict[str, SecurityRule]]) -> None:
    problems = []
    for direction, rules in directions.items():
        for purpose, rule in rules.items():
            path = f"{direction}.{purpose}"
            if [rule.get("members", False), "group" in rule, "cidr" in rule].count(True) != 1:
                problems.append(Problem(path, rule, "name one peer: `group`, `cidr` or `members`"))
            if not 1 <= rule["port"] <= 65535:
                problems.append(Problem(f"{path}.port", rule["port"], "give a port from 1 to 65535"))
            last, protocol = rule.get("last_port", rule["port"]), rule.get("protocol", "tcp")
            if not rule["port"] <= last <= 65535:
                problems.append(Problem(f"{path}.last_port", last, "give `port` or more, up to 65535"))
            if protocol not in ("tcp", "udp"):
                problems.append(Problem(f"{path}.protocol", protocol, "choose tcp or udp"))
    if problems:
        raise InputError(subject, problems)
