"""RabbitMQ on Amazon MQ."""

from collections.abc import Iterator, Sequence
from typing import NotRequired, TypedDict
from urllib.parse import urlsplit

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from ..component import Component, among, at_least, checked, checked_name, known_after, matching
from ..network.security_group import AwsSecurityGroup, connect
from ..observability.retention import log_retention
from ..problems import InputError, Problem
from ..secrets.aws import AwsSecret, AwsSecretArgs, SecretReplica, recovery_days, replica_problems
from ..security.policy import AwsScope, allow, arn, document, trust

PORT = 5671
"""AMQP over TLS: Amazon MQ opens no other."""
CONSOLE_PORT = 443
"""The management API and its console."""
INSTANCE_TYPE = r"mq\.[a-z][a-z0-9]*\.(micro|small|medium|large|(\d{1,2})?xlarge)"
"""Shape of an instance type. What exists in a region, only AWS knows."""
VERSIONS = ("3.13", "4.2")
_ADMINISTRATOR = "administrator"
_SETTINGS = {"consumer_timeout": "1800000"}
_LOGS = ("general", "connection", "channel")
_DAYS = {
    "mon": "MONDAY",
    "tue": "TUESDAY",
    "wed": "WEDNESDAY",
    "thu": "THURSDAY",
    "fri": "FRIDAY",
    "sat": "SATURDAY",
    "sun": "SUNDAY",
}


class AmazonMqBrokerArgs(TypedDict):
    """Where a broker stands, how large it is, and who uses it."""

    scope: AwsScope
    """Account and region of the broker."""
    vpc_id: pulumi.Input[str]
    """Id of the VPC."""
    subnet_ids: pulumi.Input[list[str]]
    """Ids of the data subnets. A cluster stands in all of them, in two zones or more, a single broker in the first."""
    key_arn: pulumi.Input[str]
    """ARN of the KMS key for its messages and secrets (CKV_AWS_209, CKV_AWS_149)."""
    instance_type: str
    """Instance type of each node, `mq.<family>.<size>`. RabbitMQ 4 runs on the family m7g alone."""
    version: NotRequired[str]
    """Version of RabbitMQ, 3.13 or 4.2; AWS moves its patches. Default: 4.2."""
    clustered: NotRequired[bool]
    """Whether it is a cluster of three nodes over zones. Its creation decides it. Default: yes."""
    clients: NotRequired[dict[str, pulumi.Input[str]]]
    """Ids of the security groups that may connect, by purpose. Default: nobody."""
    administrators: NotRequired[dict[str, pulumi.Input[str]]]
    """Ids of the security groups that reach the management API, by purpose: of the job that declares users and queues,
    and of whoever looks at the console. Default: nobody."""
    virtual_host: NotRequired[str]
    """The application's virtual host. Default: `/`, the one that each broker has."""
    username: NotRequired[str]
    """Name of the application's user. Default: app."""
    password_version: NotRequired[int]
    """Raising it makes a new password for the application, which the job that declares users applies. Default: 1."""
    settings: NotRequired[dict[str, str]]
    """Settings in the spelling of `rabbitmq.conf`, of those that Amazon MQ lets one choose, such as
    `max_message_size`. Default: `consumer_timeout` of half an hour, which is there unless named otherwise."""
    maintenance: NotRequired[str]
    """When the weekly maintenance begins, `<day>:<hour>:<minute>` in UTC. What needs a restart waits for it.
    Default: sun:03:30."""
    log_days: NotRequired[int]
    """Days to keep its logs, of those that CloudWatch offers. Default: 365 (CKV_AWS_338)."""
    recovery_days: NotRequired[int]
    """Days during which the deletion of its secrets can be called off, 7 to 30, or 0 for none. Default: 30."""
    secret_replicas: NotRequired[list[SecretReplica]]
    """Copies of its secrets in other regions. Default: none."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete it. Default: yes."""


_RULES = {
    "instance_type": matching(INSTANCE_TYPE, "write it as mq.<family>.<size>, for example mq.m7g.large"),
    "version": among(VERSIONS),
    "virtual_host": matching(r"/|[\w.-]{1,100}", "give / or letters, digits and . _ -, up to 100"),
    "username": matching(
        rf"(?!(guest|{_ADMINISTRATOR})$)[A-Za-z0-9][\w.-]{{0,99}}",
        f"give letters, digits and . _ -, letter or digit first; guest and {_ADMINISTRATOR} are taken",
    ),
    "password_version": at_least(1),
    "maintenance": matching(
        rf"({'|'.join(_DAYS)}):([01]\d|2[0-3]):[0-5]\d", "write it as <day>:<hour>:<minute>, for example sun:03:30"
    ),
    "log_days": log_retention,
    "recovery_days": recovery_days,
}


class AmazonMqBroker(Component):
    """A RabbitMQ broker in private subnets (CKV_AWS_69), encrypted with the given key (CKV_AWS_209), reached over TLS
    only, with logs (CKV_AWS_48) and minor versions that come by themselves (CKV_AWS_207).

    RabbitMQ on Amazon MQ has one user when it starts, the administrator, and the cloud's API can neither change it nor
    add others. So the application's user, virtual host and queues are declared by a job inside the network, through the
    management API, with the two secrets that are made here: `topology` writes the definitions. Both passwords are
    generated; the administrator's is changed by hand alone, in the console and the secret.

    Amazon MQ makes the broker's log groups by itself, with CloudWatch's own encryption, and keeps them for ever. A
    schedule limits how long. It keeps audit logs of ActiveMQ only, so CKV_AWS_197 cannot be met.

    Raises `InputError` for bad args, for a cluster in one zone, for an instance type that does not run the version, and
    for a name that no broker can have.
    """

    host: pulumi.Output[str]
    """Name to connect to."""
    port: pulumi.Output[int]
    """TCP port, for AMQP over TLS."""
    protocol: pulumi.Output[str]
    """`amqps`."""
    address: pulumi.Output[str]
    """`<host>:<port>/<virtual host>`."""
    console_url: pulumi.Output[str]
    """URL of the management API and its console."""
    broker_id: pulumi.Output[str]
    """Id of the broker."""
    broker_name: pulumi.Output[str]
    """Name of the broker, as metrics name it."""
    broker_arn: pulumi.Output[str]
    """ARN of the broker."""
    username: pulumi.Output[str]
    """Name of the application's user."""
    virtual_host: pulumi.Output[str]
    """The application's virtual host."""
    credentials_secret: pulumi.Output[str]
    """ARN of the secret that holds the application's `username`, `password`, `host`, `port`, `vhost` and `engine`."""
    administrator_secret: pulumi.Output[str]
    """ARN of the secret that holds the administrator's `username`, `password`, `host`, `port` and `console`."""
    security_group_id: pulumi.Output[str]
    """Id of the broker's security group."""

    def __init__(self, name: str, args: AmazonMqBrokerArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"AmazonMqBroker {name}"
        args = checked(AmazonMqBrokerArgs, args, subject, _RULES)
        # Amazon MQ takes 50 characters; a schedule's name, with `-connection-` and seven random ones, 64.
        checked_name(name, subject, 45, r"[\w~-]+", "Amazon MQ takes letters, digits and - _ ~")
        if problems := list(_problems(args)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        self._prefix = name
        self._args = args
        self._subject = subject
        username, virtual_host = args.get("username", "app"), args.get("virtual_host", "/")

        group = AwsSecurityGroup(
            f"{name}-server",
            {"vpc_id": args["vpc_id"], "description": f"RabbitMQ broker {name}"},
            self._child(),
        )
        administrator = self._password("administrator")
        broker = self._broker(group, administrator)
        for purpose, client in args.get("clients", {}).items():
            connect(f"{name}-{purpose}", PORT, client, group.group_id, self._child())
        for purpose, client in args.get("administrators", {}).items():
            connect(f"{name}-{purpose}-console", CONSOLE_PORT, client, group.group_id, self._child())
        self._limit_logs(broker)

        self.host = broker.instances.apply(_host)
        self.port = pulumi.Output.from_input(PORT)
        self.protocol = pulumi.Output.from_input("amqps")
        self.address = pulumi.Output.concat(self.host, f":{PORT}/", virtual_host)
        self.console_url = broker.instances.apply(lambda instances: instances[0].console_url or "")
        self.broker_id = broker.id
        self.broker_name = broker.broker_name
        self.broker_arn = broker.arn
        self.username = pulumi.Output.from_input(username)
        self.virtual_host = pulumi.Output.from_input(virtual_host)
        self.credentials_secret = self._secret(
            "application",
            "password_version in the stack file and then the job that declares users",
            {
                "engine": "rabbitmq",
                "username": username,
                "password": self._password("application", args.get("password_version", 1)),
                "vhost": virtual_host,
            },
        )
        self.administrator_secret = self._secret(
            "administrator",
            "by hand in the console of the broker and in this secret",
            {"username": _ADMINISTRATOR, "password": administrator, "console": self.console_url},
        )
        self.security_group_id = group.group_id
        self._register()

    def _password(self, key: str, version: int | None = None) -> pulumi.Output[str]:
        return random.RandomPassword(
            f"{self._prefix}-{key}",
            length=40,
            special=False,  # Amazon MQ takes no , : or =, and so it stands in a URL as it is
            keepers=None if version is None else {"version": str(version)},
            opts=self._child(),
        ).result

    def _broker(self, group: AwsSecurityGroup, administrator: pulumi.Output[str]) -> aws.mq.Broker:
        name, args = self._prefix, self._args
        clustered, version = args.get("clustered", True), args.get("version", "4.2")
        settings = {**_SETTINGS, **args.get("settings", {})}
        configuration = aws.mq.Configuration(
            name,
            description=f"Settings of {name}",
            engine_type="RabbitMQ",
            engine_version=version,
            data="".join(f"{key} = {value}\n" for key, value in sorted(settings.items())),
            opts=self._child(),
        )
        day, _, time = args.get("maintenance", "sun:03:30").partition(":")
        return aws.mq.Broker(
            name,
            broker_name=name,
            engine_type="RabbitMQ",
            engine_version=version,
            auto_minor_version_upgrade=True,
            host_instance_type=args["instance_type"],
            deployment_mode="CLUSTER_MULTI_AZ" if clustered else "SINGLE_INSTANCE",
            subnet_ids=pulumi.Output.from_input(args["subnet_ids"]).apply(self._placed),
            # Amazon MQ never changes which groups a broker has, so it has one of its own, whose rules can change.
            security_groups=[group.group_id],
            publicly_accessible=False,
            encryption_options={"use_aws_owned_key": False, "kms_key_id": args["key_arn"]},
            configuration={"id": configuration.id, "revision": configuration.latest_revision},
            logs={"general": True},
            maintenance_window_start_time={"day_of_week": _DAYS[day], "time_of_day": time, "time_zone": "UTC"},
            users=[{"username": _ADMINISTRATOR, "password": administrator}],
            opts=self._child(
                protect=args.get("protect", True),
                delete_before_replace=True,  # its name is taken while it exists
                # Amazon MQ neither shows nor changes RabbitMQ's users: the provider would replace the broker, and lose
                # every message in it.
                ignore_changes=["users"],
            ),
        )

    def _placed(self, subnet_ids: Sequence[str]) -> Sequence[str]:
        clustered = self._args.get("clustered", True)
        if problems := list(_subnet_problems(subnet_ids, clustered)):
            raise InputError(self._subject, problems)
        return subnet_ids if clustered else subnet_ids[:1]

    def _limit_logs(self, broker: aws.mq.Broker) -> None:
        """The groups are named after the broker's id and are there with its first lines, so they cannot be made before
        it, nor surely after it. Each day their retention is set to what it should be."""
        name, scope = self._prefix, self._args["scope"]
        groups = pulumi.Output.concat("/aws/amazonmq/broker/", broker.id)
        role = aws.iam.Role(
            f"{name}-logs",
            description="Limits how long the logs of the broker are kept",
            assume_role_policy=trust(
                scope, "scheduler.amazonaws.com", arn(scope, "scheduler", "schedule-group/default")
            ),
            opts=self._child(),
        )
        theirs = pulumi.Output.concat(arn(scope, "logs", "log-group:"), groups, "/*")
        policy = aws.iam.RolePolicy(
            f"{name}-logs",
            role=role.id,
            policy=document(allow("Retention", ["logs:PutRetentionPolicy"], [theirs])),
            opts=self._child(),
        )
        for log in _LOGS:
            kept = {
                "LogGroupName": pulumi.Output.concat(groups, "/", log),
                "RetentionInDays": self._args.get("log_days", 365),
            }
            aws.scheduler.Schedule(
                f"{name}-{log}",
                description=f"Limits how long the {log} log of {name} is kept",
                schedule_expression="rate(1 day)",
                flexible_time_window={"mode": "OFF"},
                target={
                    "arn": f"arn:{scope.get('partition', 'aws')}:scheduler:::aws-sdk:cloudwatchlogs:putRetentionPolicy",
                    "role_arn": known_after(role.arn, policy.id),
                    "input": pulumi.Output.json_dumps(kept),
                },
                opts=self._child(),
            )

    def _secret(self, key: str, rotation_note: str, fields: dict[str, pulumi.Input[str]]) -> pulumi.Output[str]:
        kept: AwsSecretArgs = {
            "scope": self._args["scope"],
            "key_arn": self._args["key_arn"],
            "description": f"The {key}'s credentials at {self._prefix}",
            "fields": {**fields, "host": self.host, "port": str(PORT)},
            "rotation_note": rotation_note,
            "replicas": self._args.get("secret_replicas", []),
            "recovery_days": self._args.get("recovery_days", 30),
        }
        return AwsSecret(f"{self._prefix}-{key}", kept, self._child()).secret


def _host(instances: Sequence[aws.mq.outputs.BrokerInstance]) -> str:
    """The host of a broker's one endpoint, `amqps://<host>:5671`: nodes of a cluster stand behind it together."""
    endpoints = instances[0].endpoints or [""]
    return urlsplit(endpoints[0]).hostname or ""


def _problems(args: AmazonMqBrokerArgs) -> Iterator[Problem]:
    instance_type, version = args["instance_type"], args.get("version", "4.2")
    family = instance_type.split(".")[1]
    if family.startswith("t"):
        remedy = "RabbitMQ runs on no burstable instance; write mq.m7g.medium or larger"
        yield Problem("instance_type", instance_type, remedy)
    elif family == "m5" and version.startswith("4."):
        yield Problem("instance_type", instance_type, f"RabbitMQ {version} does not run on m5; write mq.m7g.<size>")
    if isinstance(args["subnet_ids"], list):
        yield from _subnet_problems(args["subnet_ids"], args.get("clustered", True))
    yield from replica_problems("secret_replicas", args.get("secret_replicas", []), args["scope"])


def _subnet_problems(subnet_ids: Sequence[object], clustered: bool) -> Iterator[Problem]:
    if not subnet_ids:
        yield Problem("subnet_ids", subnet_ids, "give one subnet or more: Amazon MQ would take the default VPC")
    elif clustered and len(subnet_ids) < 2:
        remedy = "a cluster broker in one zone; give subnets in two zones or more, or set `clustered` to false"
        yield Problem("subnet_ids", subnet_ids, remedy)
