"""The way to private endpoints on AWS."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..component import Component, between, checked, checked_name, known_after
from ..network.security_group import ANYWHERE, AwsSecurityGroup, connect
from ..security.policy import AwsScope, allow, document
from .eks import API_PORT, TUNNEL_PORT, architecture
from .machines import SESSION_METADATA, root_volume, tagged

_WEEK = 7 * 24 * 60 * 60
_IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default"


class SsmBastionArgs(TypedDict):
    """Where a bastion stands, and where it leads."""

    scope: AwsScope
    """Account and region of the bastion."""
    vpc_id: pulumi.Input[str]
    """Id of the VPC."""
    subnet_ids: pulumi.Input[list[str]]
    """Ids of the private subnets that it may stand in. They need a way to Systems Manager."""
    targets: dict[str, pulumi.Input[str]]
    """Ids of the security groups that it reaches on port 443, by purpose."""
    host: pulumi.Input[str]
    """Host that the tunnel leads to, such as a cluster's endpoint. Its URL will do."""
    local_port: NotRequired[int]
    """Port of the tunnel on the engineer's own machine, 1 to 65535. Default: 8443."""
    instance_type: NotRequired[str]
    """Instance type. Default: t4g.nano, which forwards more than engineers type."""
    tags: NotRequired[dict[str, str]]
    """Tags of its instance, its volume and its group, by which costs are told apart: a provider's default tags do not
    reach these. Default: none."""


_RULES = {
    "local_port": between(1, 65535, "for a port"),
    "instance_type": lambda kind: None if architecture(kind) else "write it as <family>.<size>, for example t4g.nano",
}


class SsmBastion(Component):
    """One tiny instance through which engineers, and what deploys, reach private endpoints.

    Sessions come through AWS Systems Manager, which asks IAM who may and records who did: nothing reaches the instance
    from the network, and there is no key. A scaling group keeps it running in whichever zone works. Its image is the
    newest Amazon Linux at each start and it lives for a week at most, so it is always patched. What goes through a
    tunnel is encrypted and logged nowhere, so there are no logs to keep.

    Raises `InputError` for bad args, and for a name that no role can have.
    """

    group_name: pulumi.Output[str]
    """Name of the scaling group that its instance is in."""
    security_group_id: pulumi.Output[str]
    """Id of its security group."""
    command: pulumi.Output[str]
    """The shell command that opens the tunnel, and keeps it open while it runs. It needs the AWS CLI with its plugin
    for Session Manager."""

    def __init__(self, name: str, args: SsmBastionArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"SsmBastion {name}"
        args = checked(SsmBastionArgs, args, subject, _RULES)
        # IAM takes 64 characters: the name, a hyphen and seven random ones.
        checked_name(name, subject, 56, r"[\w+=,.@-]+", "IAM takes letters, digits and _+=,.@-")
        super().__init__(name, opts)
        self._prefix = name
        self._args = args
        group = AwsSecurityGroup(
            name,
            {
                "vpc_id": args["vpc_id"],
                "description": f"Bastion {name}",
                # Its own way to Systems Manager, and to updates.
                "egress": {"systems-manager": {"port": 443, "cidr": ANYWHERE}},
            },
            self._child(),
        )
        for purpose, target in args["targets"].items():
            connect(f"{name}-{purpose}", API_PORT, group.group_id, target, self._child())
        instances = self._instances(self._template(group))

        self.group_name = instances.name
        self.security_group_id = group.group_id
        self.command = pulumi.Output.all(instances.name, args["host"]).apply(
            lambda known: _command(args["scope"]["region"], known[0], known[1], args.get("local_port", TUNNEL_PORT))
        )
        self._register()

    def _profile(self) -> pulumi.Output[str]:
        """The name of the instance's profile, known once its role has its policy."""
        role = aws.iam.Role(
            self._prefix,
            description="Registers the bastion with Systems Manager",
            # EC2 gives a role to instances of the account that passed it, and names no source account.
            assume_role_policy=document(
                allow("Trust", ["sts:AssumeRole"], principal={"Service": "ec2.amazonaws.com"}),
            ),
            opts=self._child(),
        )
        partition = self._args["scope"].get("partition", "aws")
        policy = aws.iam.RolePolicyAttachment(
            self._prefix,
            role=role.name,
            policy_arn=f"arn:{partition}:iam::aws:policy/AmazonSSMManagedInstanceCore",
            opts=self._child(),
        )
        profile = aws.iam.InstanceProfile(self._prefix, role=role.name, opts=self._child())
        return known_after(profile.name, policy.id)

    def _template(self, group: AwsSecurityGroup) -> aws.ec2.LaunchTemplate:
        kind = self._args.get("instance_type", "t4g.nano")
        return aws.ec2.LaunchTemplate(
            self._prefix,
            description=f"Bastion {self._prefix}",
            # Read again at each start: a new instance has the newest image.
            image_id=f"resolve:ssm:{_IMAGE}-{architecture(kind)}",
            instance_type=kind,
            update_default_version=True,
            iam_instance_profile={"name": self._profile()},
            vpc_security_group_ids=[group.group_id],
            metadata_options=SESSION_METADATA,
            block_device_mappings=root_volume(8),  # what the image needs, and no more
            tag_specifications=tagged(self._tags()),
            # An instance without its rules would not find Systems Manager; no value carries them.
            opts=self._child(depends_on=[group]),
        )

    def _instances(self, template: aws.ec2.LaunchTemplate) -> aws.autoscaling.Group:
        return aws.autoscaling.Group(
            self._prefix,
            min_size=1,
            max_size=1,
            desired_capacity=1,
            vpc_zone_identifiers=self._args["subnet_ids"],
            launch_template={"id": template.id, "version": template.latest_version.apply(str)},
            max_instance_lifetime=_WEEK,
            # The next one comes before this one goes, and at once where the template changes.
            instance_maintenance_policy={"min_healthy_percentage": 100, "max_healthy_percentage": 200},
            instance_refresh={
                "strategy": "Rolling",
                "preferences": {"min_healthy_percentage": 100, "max_healthy_percentage": 200},
            },
            # Of the group itself: the template has the instance's.
            tags=[{"key": key, "value": value, "propagate_at_launch": False} for key, value in self._tags().items()],
            opts=self._child(),
        )

    def _tags(self) -> dict[str, str]:
        return {"Name": self._prefix, **self._args.get("tags", {})}


def _command(region: str, group: str, host: str, local_port: int) -> str:
    running = "AutoScalingGroups[0].Instances[?LifecycleState=='InService'].InstanceId | [0]"
    instance = (
        f"aws autoscaling describe-auto-scaling-groups --region {region} --auto-scaling-group-names {group} "
        f'--query "{running}" --output text'
    )
    host = host.removeprefix("https://")
    return (
        f'aws ssm start-session --region {region} --target "$({instance})" '
        "--document-name AWS-StartPortForwardingSessionToRemoteHost "
        f"--parameters host={host},portNumber={API_PORT},localPortNumber={local_port}"
    )
