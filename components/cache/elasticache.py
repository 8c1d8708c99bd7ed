"""Valkey on Amazon ElastiCache."""

from collections.abc import Iterator
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from ..component import Component, among, at_least, between, checked, checked_name, matching
from ..network.security_group import AwsSecurityGroup, connect
from ..observability.retention import log_retention
from ..problems import InputError, Problem
from ..secrets.aws import (
    AwsSecret,
    AwsSecretArgs,
    SecretReplica,
    SecretRotation,
    recovery_days,
    replica_problems,
    rotation_day_problems,
)
from ..security.policy import AwsScope
from .eviction import eviction_problem

PORT = 6379
NODE_TYPE = r"cache\.[a-z][a-z0-9]*\.(micro|small|medium|large|(\d{1,2})?xlarge)"
"""Shape of a node type. What exists in a region, only AWS knows."""
FAMILIES = {"8.1": "valkey8", "8.2": "valkey8", "9.0": "valkey9"}
"""The parameter family that each version takes."""
VERSIONS = tuple(FAMILIES)
_LOGS = ("slow-log", "engine-log")
# Begins with nothing, which is how ElastiCache itself writes it: so it reads back as it was sent. What is dangerous
# goes last; of that, clients ask for `info` to see that the server is up.
_ACCESS = "on ~* &* -@all +@read +@write +@pubsub +@transaction +@scripting +@connection -@dangerous +info +time"


class ElastiCacheValkeyArgs(TypedDict):
    """Where a cache stands, how large it is, and who uses it."""

    scope: AwsScope
    """Account and region of the cache."""
    vpc_id: pulumi.Input[str]
    """Id of the VPC."""
    subnet_ids: pulumi.Input[list[str]]
    """Ids of the data subnets, in two zones or more where it has replicas."""
    key_arn: pulumi.Input[str]
    """ARN of the KMS key for data, snapshots and secrets (CKV_AWS_191, CKV_AWS_149)."""
    log_key_arn: pulumi.Input[str]
    """ARN of the KMS key for its logs, which CloudWatch Logs must be allowed to use (CKV_AWS_158)."""
    node_type: str
    """Node type of the primary and its replicas, `cache.<family>.<size>`."""
    version: NotRequired[str]
    """Version of Valkey, 8.1, 8.2 or 9.0; AWS moves its patches. Default: 8.2."""
    family: NotRequired[str]
    """Family of its parameters, which must fit the version. Default: the one that does."""
    replicas: NotRequired[int]
    """Copies of the primary in other zones, 0 to 5; one of them takes over when the primary fails (CKV2_AWS_50). With
    0 nothing does. Default: 2."""
    eviction: NotRequired[str]
    """What it does when its memory is full, as Valkey's `maxmemory-policy`. Default: volatile-lru, which forgets what
    has an expiry and was used longest ago, and never what has none."""
    snapshot_days: NotRequired[int]
    """Days to keep the daily snapshots, 0 to 35, 0 for none (CKV_AWS_134). Default: 7."""
    clients: NotRequired[dict[str, pulumi.Input[str]]]
    """Ids of the security groups that may connect, by purpose. Default: nobody."""
    username: NotRequired[str]
    """Name of the application's user. Default: app."""
    access_string: NotRequired[str]
    """What the application's user may do, as Valkey's rules of access. Default: all data commands on all keys and
    channels, scripts and transactions, and nothing that is dangerous, such as KEYS, FLUSHALL or CONFIG."""
    rotation: NotRequired[SecretRotation]
    """The function that rotates the password in the cloud and in the secret. Default: none, and then
    `password_version` does it."""
    password_version: NotRequired[int]
    """Raising it makes a new password; the old one ends at once. Default: 1."""
    secret_replicas: NotRequired[list[SecretReplica]]
    """Copies of its secret in other regions. Default: none."""
    recovery_days: NotRequired[int]
    """Days during which the deletion of its secret can be called off, 7 to 30, or 0 for none. Default: 30."""
    log_days: NotRequired[int]
    """Days to keep its logs in CloudWatch. Default: 365 (CKV_AWS_338)."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete it. Default: yes."""
    keep_final: NotRequired[bool]
    """Whether deletion keeps a final snapshot. Default: yes."""


_RULES = {
    "log_days": log_retention,
    "node_type": matching(NODE_TYPE, "write it as cache.<family>.<size>, for example cache.m7g.large"),
    "version": among(VERSIONS),
    "replicas": between(0, 5, "replicas"),
    "eviction": eviction_problem,
    "snapshot_days": between(0, 35, "days"),
    "username": matching(
        r"(?!default$)[a-z](-?[a-z0-9])*",
        "give small letters, digits and single hyphens, letter first, and not `default`, which Valkey has",
    ),
    "access_string": matching(r"on .+", "begin with `on`: ElastiCache switches a user off that does not say so"),
    "password_version": at_least(1),
    "recovery_days": recovery_days,
}


class ElastiCacheValkey(Component):
    """A Valkey cache in private subnets, encrypted at rest with the given key (CKV_AWS_29, CKV_AWS_191), reached over
    TLS only (CKV_AWS_30), with replicas that take over (CKV2_AWS_50), snapshots, logs and minor versions that come by
    themselves. It has one shard.

    Access is by user, not by one token for all. The application has a user of its own, whose password is generated
    and stored in Secrets Manager. A user group of the engine `valkey` needs no user of the name `default`: ElastiCache
    switches that one off in the cache.

    Raises `InputError` for bad args, for a family that does not fit the version, and for a name that no identifier can
    be made of.
    """

    host: pulumi.Output[str]
    """Name of the primary, whichever node that is."""
    reader_host: pulumi.Output[str]
    """Name of the replicas, or `host` where there are none."""
    port: pulumi.Output[int]
    """TCP port, for TLS."""
    username: pulumi.Output[str]
    """Name of the application's user."""
    credentials_secret: pulumi.Output[str]
    """ARN of the secret that holds the application's `username`, `password`, `host`, `port`, `user_arn` and
    `engine`."""
    replication_group_id: pulumi.Output[str]
    """Id of the cache."""
    member_ids: pulumi.Output[list[str]]
    """Ids of its nodes, as metrics name them."""
    cache_arn: pulumi.Output[str]
    """ARN of the cache."""
    security_group_id: pulumi.Output[str]
    """Id of the cache's security group."""

    def __init__(self, name: str, args: ElastiCacheValkeyArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"ElastiCacheValkey {name}"
        args = checked(ElastiCacheValkeyArgs, args, subject, _RULES)
        username = args.get("username", "app")
        # ElastiCache takes 40 characters: for the cache's own id, and for its user's, `<name>-<username>`.
        longest = 40 - len(f"-{username}")
        remedy = "ElastiCache takes small letters, digits and single hyphens, letter first"
        checked_name(name, subject, longest, r"[a-z](-?[a-z0-9])*", remedy)
        if problems := list(_problems(args)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        self._prefix = name
        self._args = args
        self._username = username
        replicas = args.get("replicas", 2)

        group = AwsSecurityGroup(
            f"{name}-server",
            {"vpc_id": args["vpc_id"], "description": f"Valkey nodes of {name}"},
            self._child(),
        )
        password = random.RandomPassword(
            f"{name}-application",
            length=40,
            special=False,  # so that it stands in a URL as it is
            keepers={"version": str(args.get("password_version", 1))},
            opts=self._child(),
        )
        user = self._user(password)
        cache = self._cache(group, user, replicas)
        for purpose, client in args.get("clients", {}).items():
            connect(f"{name}-{purpose}", PORT, client, group.group_id, self._child())

        self.host = cache.primary_endpoint_address
        self.reader_host = cache.reader_endpoint_address if replicas else self.host
        self.port = cache.port.apply(lambda port: port or PORT)
        self.username = pulumi.Output.from_input(username)
        self.credentials_secret = self._secret(user, password)
        self.replication_group_id = cache.replication_group_id
        self.member_ids = cache.replication_group_id.apply(
            lambda known: [f"{known}-{number:03}" for number in range(1, replicas + 2)]
        )
        self.cache_arn = cache.arn
        self.security_group_id = group.group_id
        self._register()

    def _user(self, password: random.RandomPassword) -> aws.elasticache.User:
        return aws.elasticache.User(
            f"{self._prefix}-application",
            # The name is part of the id: another one needs the new user beside the old one.
            user_id=f"{self._prefix}-{self._username}",
            user_name=self._username,
            engine="valkey",
            access_string=self._args.get("access_string", _ACCESS),
            authentication_mode={"type": "password", "passwords": [password.result]},
            # What a function has rotated stays: the provider would bring the first password back.
            opts=self._child(ignore_changes=["authentication_mode"] if "rotation" in self._args else None),
        )

    def _cache(
        self, group: AwsSecurityGroup, user: aws.elasticache.User, replicas: int
    ) -> aws.elasticache.ReplicationGroup:
        name, args = self._prefix, self._args
        version, keep_final = args.get("version", "8.2"), args.get("keep_final", True)
        subnets = aws.elasticache.SubnetGroup(
            name, description=f"Data subnets of {name}", subnet_ids=args["subnet_ids"], opts=self._child()
        )
        users = aws.elasticache.UserGroup(
            name, user_group_id=name, engine="valkey", user_ids=[user.user_id], opts=self._child()
        )
        suffix = random.RandomId(f"{name}-final-snapshot", byte_length=4, opts=self._child())
        return aws.elasticache.ReplicationGroup(
            name,
            replication_group_id=name,  # metrics name it, and the nodes after it
            description=f"Cache of {name}",
            engine="valkey",
            engine_version=version,
            auto_minor_version_upgrade=True,
            node_type=args["node_type"],
            num_cache_clusters=replicas + 1,
            automatic_failover_enabled=replicas > 0,
            multi_az_enabled=replicas > 0,
            parameter_group_name=self._parameters(args.get("family", FAMILIES[version])).name,
            port=PORT,
            subnet_group_name=subnets.name,
            security_group_ids=[group.group_id],
            at_rest_encryption_enabled=True,
            kms_key_id=args["key_arn"],
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            user_group_ids=[users.user_group_id],
            snapshot_retention_limit=args.get("snapshot_days", 7),
            snapshot_window="02:00-03:00",
            maintenance_window="sun:03:30-sun:04:30",
            # A snapshot of an earlier cache of this name may still be there.
            final_snapshot_identifier=pulumi.Output.concat(f"{name}-final-", suffix.hex) if keep_final else None,
            log_delivery_configurations=[
                {
                    "log_type": log,
                    "log_format": "json",
                    "destination_type": "cloudwatch-logs",
                    "destination": self._log_group(log).name,
                }
                for log in _LOGS
            ],
            opts=self._child(
                protect=args.get("protect", True),
                delete_before_replace=True,  # its id is taken while it exists
            ),
        )

    def _parameters(self, family: str) -> aws.elasticache.ParameterGroup:
        return aws.elasticache.ParameterGroup(
            # The family is part of the name: a major upgrade needs the new group beside the old one.
            f"{self._prefix}-{family}",
            family=family,
            description=f"Parameters of {self._prefix}",
            parameters=[{"name": "maxmemory-policy", "value": self._args.get("eviction", "volatile-lru")}],
            opts=self._child(),
        )

    def _log_group(self, log: str) -> aws.cloudwatch.LogGroup:
        return aws.cloudwatch.LogGroup(
            f"{self._prefix}-{log}",
            name=f"/aws/elasticache/{self._prefix}/{log}",
            kms_key_id=self._args["log_key_arn"],
            retention_in_days=self._args.get("log_days", 365),
            opts=self._child(),
        )

    def _secret(self, user: aws.elasticache.User, password: random.RandomPassword) -> pulumi.Output[str]:
        kept: AwsSecretArgs = {
            "scope": self._args["scope"],
            "key_arn": self._args["key_arn"],
            "description": f"The application's credentials at {self._prefix}",
            "fields": {
                "engine": "valkey",
                "username": self._username,
                "password": password.result,
                "host": self.host,
                "port": str(PORT),
                "user_arn": user.arn,  # what a rotation function goes by
            },
            "replicas": self._args.get("secret_replicas", []),
            "recovery_days": self._args.get("recovery_days", 30),
        }
        if "rotation" in self._args:
            kept["rotation"] = self._args["rotation"]
        else:
            kept["rotation_note"] = "password_version in the stack file"
        return AwsSecret(f"{self._prefix}-application", kept, self._child()).secret


def _problems(args: ElastiCacheValkeyArgs) -> Iterator[Problem]:
    version = args.get("version", "8.2")
    fitting = FAMILIES[version]
    family = args.get("family", fitting)
    if family != fitting:
        remedy = f"a cache family that does not fit its engine; Valkey {version} takes {fitting}, or leave it out"
        yield Problem("family", family, remedy)
    subnet_ids = args["subnet_ids"]
    if isinstance(subnet_ids, list) and len(subnet_ids) < 2 and args.get("replicas", 2):
        remedy = "a cache with replicas in one zone; give subnets in two zones or more, or set `replicas` to 0"
        yield Problem("subnet_ids", subnet_ids, remedy)
    if "rotation" in args:
        yield from rotation_day_problems(args["rotation"]["days"])
        if "password_version" in args:
            yield Problem("password_version", args["password_version"], "leave it out: `rotation` makes the passwords")
    yield from replica_problems("secret_replicas", args.get("secret_replicas", []), args["scope"])
