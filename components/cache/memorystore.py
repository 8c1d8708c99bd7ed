"""Valkey on Google Cloud Memorystore."""

import re
from collections.abc import Iterator, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from ..component import Component, among, between, checked, checked_name, matching
from ..problems import InputError, Problem, one_of
from ..secrets.gcp import GcpSecret, GcpSecretArgs, GcpSecretReplica, recovery_days, secret_replica_problems
from ..security.google import GcpScope, scope_problem
from .eviction import eviction_problem

PORT = 6379
NODE_TYPES = (
    "SHARED_CORE_NANO",
    "CUSTOM_PICO",
    "CUSTOM_MICRO",
    "CUSTOM_MINI",
    "STANDARD_SMALL",
    "STANDARD_LARGE",
    "HIGHCPU_MEDIUM",
    "HIGHMEM_MEDIUM",
    "HIGHMEM_XLARGE",
    "HIGHMEM_2XLARGE",
)
VERSIONS = ("7.2", "8.0", "9.0")
CONNECTION_ROLE = "roles/memorystore.dbConnectionUser"
"""What lets an identity sign in."""
_DAYS = {
    "mon": "MONDAY",
    "tue": "TUESDAY",
    "wed": "WEDNESDAY",
    "thu": "THURSDAY",
    "fri": "FRIDAY",
    "sat": "SATURDAY",
    "sun": "SUNDAY",
}
_SNAPSHOT_HOUR = 2
_DAY = 24 * 60 * 60
_PERSISTENCE: dict[str, gcp.memorystore.InstancePersistenceConfigArgsDict] = {
    "none": {"mode": "DISABLED"},
    "rdb": {"mode": "RDB", "rdb_config": {"rdb_snapshot_period": "SIX_HOURS"}},
    "aof": {"mode": "AOF", "aof_config": {"append_fsync": "EVERY_SEC"}},
}


class MemorystoreValkeyArgs(TypedDict):
    """Where a cache stands, how large it is, and who uses it."""

    scope: GcpScope
    """Project and region of the cache."""
    network_id: pulumi.Input[str]
    """Id of the network, `projects/<project>/global/networks/<name>`. It must be known no sooner than the network's
    service connection policy for `gcp-memorystore` is there, which gives the cache its addresses."""
    key_name: pulumi.Input[str]
    """Id of the KMS key for data, backups and the secret. The accounts of Memorystore and of Secret Manager must be
    allowed to use it before it is known."""
    node_type: str
    """Type of each node, such as STANDARD_SMALL or HIGHMEM_MEDIUM. For SHARED_CORE_NANO Google promises nothing: it is
    for dev."""
    version: NotRequired[str]
    """Version of Valkey, 7.2, 8.0 or 9.0; Google moves its patches. Default: 8.0."""
    clustered: NotRequired[bool]
    """Whether keys are spread over shards, which takes clients that know Valkey's cluster protocol. Its creation
    decides it. Default: no."""
    shards: NotRequired[int]
    """Shards, 1 to 250; one that is not clustered has a single one. Default: 1."""
    replicas: NotRequired[int]
    """Copies of each primary in other zones, 0 to 5; one of them takes over when the primary fails. With 0 nothing
    does. Default: 2."""
    zone: NotRequired[str]
    """The one zone in which it stands. Its creation decides it. Default: all zones of the region."""
    eviction: NotRequired[str]
    """What it does when its memory is full, as Valkey's `maxmemory-policy`. Default: volatile-lru, which forgets what
    has an expiry and was used longest ago, and never what has none."""
    snapshot_days: NotRequired[int]
    """Days to keep the daily backups, 1 to 365, or 0 for none. Default: 7."""
    persistence: NotRequired[str]
    """What else nodes keep on disk: `rdb` a copy every six hours, `aof` every write within a second, `none` nothing.
    Default: none."""
    maintenance: NotRequired[str]
    """When the weekly maintenance begins, `<day>:<hour>` in UTC. Default: sun:03."""
    clients: NotRequired[dict[str, pulumi.Input[str]]]
    """Who may sign in, as IAM names a member, `serviceAccount:<address>`, by purpose. Default: nobody."""
    secret_replicas: NotRequired[list[GcpSecretReplica]]
    """Copies of its secret in other regions. Default: none."""
    recovery_days: NotRequired[int]
    """Days during which a version of its secret that was destroyed can be had back, 1 to 1000, or 0 for none.
    Default: 30."""
    protect: NotRequired[bool]
    """Whether Pulumi and Google refuse to delete it. Default: yes."""


_RULES = {
    "scope": scope_problem,
    "network_id": lambda network: (
        "give the network's id, projects/<project>/global/networks/<name>, not its link"
        if network.startswith("https:")
        else None
    ),
    "node_type": lambda node: None if node in NODE_TYPES else one_of(NODE_TYPES, node),
    "version": among(VERSIONS),
    "shards": between(1, 250, "shards"),
    "replicas": between(0, 5, "replicas"),
    "eviction": eviction_problem,
    "snapshot_days": between(0, 365, "days"),
    "persistence": lambda way: None if way in _PERSISTENCE else one_of(_PERSISTENCE, way),
    "maintenance": matching(
        rf"({'|'.join(_DAYS)}):([01]\d|2[0-3])", "write it as <day>:<hour> on the hour, for example sun:03"
    ),
    "recovery_days": recovery_days,
}


class MemorystoreValkey(Component):
    """A Valkey cache that is reached inside the network alone, by Private Service Connect, encrypted at rest with the
    given key, with TLS, with replicas over zones that take over, backups, and patches that come by themselves.

    Services sign in as what they are, with a short-lived token of theirs, and nobody without one: Memorystore decides
    that and TLS at its creation, and neither can be switched off here. So its secret holds no password, but where the
    cache is and which authority signs its certificate: one of its own.

    Raises `InputError` for bad args, for shards without a cluster, for replicas in one zone, and for a name that no
    instance can have; `RunError` where Google has given it no address.
    """

    host: pulumi.Output[str]
    """Address of the primary, whichever node that is; of a cluster, where its nodes are found."""
    reader_host: pulumi.Output[str]
    """Address of the replicas; `host` where there are none, and of a cluster."""
    port: pulumi.Output[int]
    """TCP port, for TLS."""
    credentials_secret: pulumi.Output[str]
    """Secret with `host`, `reader_host`, `port`, `ca`, the certificates to trust in PEM, `engine`, and
    `authentication`, which is `iam`."""
    instance_id: pulumi.Output[str]
    """Id of the cache in its region."""
    instance_name: pulumi.Output[str]
    """Whole name of the cache, `projects/<project>/locations/<region>/instances/<id>`, as conditions of IAM name it."""
    cache_id: pulumi.Output[str]
    """The same, as the resource's id."""

    def __init__(self, name: str, args: MemorystoreValkeyArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"MemorystoreValkey {name}"
        args = checked(MemorystoreValkeyArgs, args, subject, _RULES)
        remedy = "Memorystore takes 4 characters or more, small letters, digits and single hyphens, letter first"
        checked_name(name, subject, 63, r"(?=.{4})[a-z](-?[a-z0-9])*", remedy)
        if problems := list(_problems(args)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        self._prefix = name
        self._args = args
        clustered, replicas = args.get("clustered", False), args.get("replicas", 2)

        cache = self._cache(clustered, replicas)
        for purpose, member in args.get("clients", {}).items():
            self._admit(purpose, member)

        primary = "DISCOVERY" if clustered else "PRIMARY"
        self.host = cache.endpoints.apply(lambda endpoints: _connection(name, endpoints, primary).ip_address or "")
        self.reader_host = (
            cache.endpoints.apply(lambda endpoints: _connection(name, endpoints, "READER").ip_address or "")
            if replicas and not clustered
            else self.host
        )
        self.port = cache.endpoints.apply(lambda endpoints: _connection(name, endpoints, primary).port or PORT)
        self.credentials_secret = self._secret(cache)
        self.instance_id = cache.instance_id
        self.instance_name = cache.name
        self.cache_id = cache.id
        self._register()

    def _cache(self, clustered: bool, replicas: int) -> gcp.memorystore.Instance:
        name, args = self._prefix, self._args
        scope, protect = args["scope"], args.get("protect", True)
        day, _, hour = args.get("maintenance", "sun:03").partition(":")
        days = args.get("snapshot_days", 7)
        return gcp.memorystore.Instance(
            name,
            instance_id=name,  # metrics name it
            project=scope["project"],
            location=scope["region"],
            engine_version=f"VALKEY_{args.get('version', '8.0').replace('.', '_')}",
            mode="CLUSTER" if clustered else "CLUSTER_DISABLED",
            node_type=args["node_type"],
            shard_count=args.get("shards", 1),
            replica_count=replicas,
            zone_distribution_config=(
                {"mode": "SINGLE_ZONE", "zone": args["zone"]} if "zone" in args else {"mode": "MULTI_ZONE"}
            ),
            desired_auto_created_endpoints=[{"network": args["network_id"], "project_id": scope["project"]}],
            authorization_mode="IAM_AUTH",
            transit_encryption_mode="SERVER_AUTHENTICATION",
            kms_key=args["key_name"],
            engine_configs={"maxmemory-policy": args.get("eviction", "volatile-lru")},
            persistence_config=_PERSISTENCE[args.get("persistence", "none")],
            automated_backup_config=(
                {
                    "fixed_frequency_schedule": {"start_time": {"hours": _SNAPSHOT_HOUR}},
                    "retention": f"{days * _DAY}s",
                }
                if days
                else None
            ),
            maintenance_policy={
                "weekly_maintenance_windows": [
                    {"day": _DAYS[day], "start_time": {"hours": int(hour), "minutes": 0, "seconds": 0, "nanos": 0}}
                ]
            },
            deletion_protection_enabled=protect,
            opts=self._child(
                protect=protect,
                delete_before_replace=True,  # its id is taken while it exists
            ),
        )

    def _admit(self, purpose: str, member: pulumi.Input[str]) -> None:
        """Memorystore has no grants of its own: the project's is, by its condition, for this cache alone."""
        scope = self._args["scope"]
        instance = f"projects/{scope['project']}/locations/{scope['region']}/instances/{self._prefix}"
        gcp.projects.IAMMember(
            f"{self._prefix}-{purpose}",
            project=scope["project"],
            role=CONNECTION_ROLE,
            member=member,
            condition={"title": f"Cache {self._prefix}", "expression": f'resource.name == "{instance}"'},
            opts=self._child(),
        )

    def _secret(self, cache: gcp.memorystore.Instance) -> pulumi.Output[str]:
        kept: GcpSecretArgs = {
            "scope": self._args["scope"],
            "key_name": self._args["key_name"],
            "description": f"Where services find {self._prefix}, and how they sign in",
            "fields": {
                "engine": "valkey",
                "host": self.host,
                "reader_host": self.reader_host,
                "port": self.port.apply(str),
                "ca": cache.managed_server_cas.apply(_certificates),
                "authentication": "iam",
            },
            "rotation_note": "nothing in it to rotate, services sign in with tokens of their own",
            "replicas": self._args.get("secret_replicas", []),
            "recovery_days": self._args.get("recovery_days", 30),
            "protect": self._args.get("protect", True),
        }
        return GcpSecret(f"{self._prefix}-application", kept, self._child()).secret


def _connection(
    name: str, endpoints: Sequence[gcp.memorystore.outputs.InstanceEndpoint], kind: str
) -> gcp.memorystore.outputs.InstanceEndpointConnectionPscAutoConnection:
    """The connection of a kind, PRIMARY, READER or DISCOVERY, that Google made in the network."""
    for endpoint in endpoints:
        for each in endpoint.connections or []:
            made = each.psc_auto_connection
            if made and made.connection_type == f"CONNECTION_TYPE_{kind}" and made.ip_address:
                return made
    raise pulumi.RunError(
        f"MemorystoreValkey {name}: Google gave it no {kind.lower()} address; see that the network's service "
        "connection policy for gcp-memorystore has free addresses, and refresh"
    )


def _certificates(authorities: Sequence[gcp.memorystore.outputs.InstanceManagedServerCa]) -> str:
    """All certificates that may have signed the server's, in PEM: there are two authorities while one is renewed."""
    return "\n".join(
        certificate.strip()
        for authority in authorities
        for chain in authority.ca_certs or []
        for certificate in chain.certificates or []
    )


def _problems(args: MemorystoreValkeyArgs) -> Iterator[Problem]:
    shards, zone, region = args.get("shards", 1), args.get("zone"), args["scope"]["region"]
    if shards > 1 and not args.get("clustered", False):
        remedy = "shards without a cluster; leave it out, or set `clustered`, whose clients must know the protocol"
        yield Problem("shards", shards, remedy)
    if zone is not None and not re.fullmatch(rf"{region}-[a-z]", zone):
        yield Problem("zone", zone, f"give a zone of {region}, such as {region}-a, or leave it out")
    elif zone is not None and args.get("replicas", 2):
        remedy = "replicas in one zone fail with it; leave it out, or set `replicas` to 0"
        yield Problem("zone", zone, remedy)
    for purpose, member in args.get("clients", {}).items():
        if isinstance(member, str) and not member.startswith(("serviceAccount:", "user:")):
            remedy = "Memorystore lets service accounts and users in; write serviceAccount:<address>"
            yield Problem(f"clients.{purpose}", member, remedy)
    yield from secret_replica_problems("secret_replicas", args.get("secret_replicas", []), args["scope"])
