"""PostgreSQL on Cloud SQL of Google Cloud."""

import re
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_gcp as gcp
import pulumi_random as random

from ..component import Component, among, at_least, between, checked, checked_name, matching
from ..problems import MISSING, InputError, Problem
from ..secrets.gcp import GcpSecret, GcpSecretReplica, secret_replica_problems
from ..security.google import REGION, GcpScope, scope_problem

PORT = 5432
POOL_PORT = 6432
"""Where Managed Connection Pooling answers."""
VERSIONS = ("15", "16", "17", "18")


class CloudSqlEdition(Enum):
    """What an instance may be, and what it costs. A tier belongs to one edition."""

    ENTERPRISE = "ENTERPRISE"
    """Machines of any size, and recovery to any moment of a week."""
    ENTERPRISE_PLUS = "ENTERPRISE_PLUS"
    """Faster machines, pooled connections, a data cache, and recovery to any moment of five weeks."""


EDITIONS = {
    CloudSqlEdition.ENTERPRISE: "db-custom-<vCPUs>-<MB>, db-custom-N4-<vCPUs>-<MB>, db-g1-small or db-f1-micro",
    CloudSqlEdition.ENTERPRISE_PLUS: "db-perf-optimized-N-<vCPUs> or db-c4a-highmem-<vCPUs>",
}
"""The tiers of each edition, in words."""
RECOVERY_DAYS = {CloudSqlEdition.ENTERPRISE: 7, CloudSqlEdition.ENTERPRISE_PLUS: 35}
"""The most days of point-in-time recovery."""
SHARED_CORES = ("db-f1-micro", "db-g1-small")
"""Tiers that have no core of their own, and no service level agreement."""
PERFORMANCE_CPUS = (2, 4, 8, 16, 32, 48, 64, 80, 96, 128)
"""How many vCPUs a tier `db-perf-optimized-N` has."""
C4A_CPUS = (2, 4, 8, 16, 32, 48, 64, 72)
"""How many vCPUs a tier `db-c4a-highmem` has."""
_CUSTOM = r"db-custom-(N4-)?([1-9]\d{0,2})-([1-9]\d{2,6})"
_MOST_GB = 65536
_MOST_BACKUPS = 365
_ADMINISTRATOR = "postgres"
_DAYS_AFTER_DELETION = 30
_FLAGS = {
    "cloudsql.iam_authentication": "on",
    # To each session and its end (CKV_GCP_52, CKV_GCP_53), by the name of its machine (CKV_GCP_108).
    "log_connections": "on",
    "log_disconnections": "on",
    "log_hostname": "on",
    # What slows everybody down: checkpoints (CKV_GCP_51), locks (CKV_GCP_54), files out of memory (CKV_GCP_56).
    "log_checkpoints": "on",
    "log_lock_waits": "on",
    "log_temp_files": "0",
    # What goes wrong (CKV_GCP_55, CKV_GCP_109), in full sentences.
    "log_error_verbosity": "default",
    "log_min_messages": "warning",
    "log_min_error_statement": "error",
    # Changes of the schema (CKV_GCP_111). Slow statements would bring the values in them to the log (CKV_GCP_57): Query
    # Insights shows them without.
    "log_statement": "ddl",
    "log_min_duration_statement": "-1",
    # Who changed a role or the schema (CKV_GCP_110), for the audit log.
    "cloudsql.enable_pgaudit": "on",
    "pgaudit.log": "ddl,role",
}


class CloudSqlCopy(TypedDict):
    """Where another region's replica stands."""

    region: str
    """Region of the copy."""
    key_name: pulumi.Input[str]
    """Id of a KMS key of that region, which encrypts it there."""


class CloudSqlPostgresArgs(TypedDict):
    """Where a database stands, how large it is, and who uses it."""

    scope: GcpScope
    """Project and region of the database."""
    network_id: pulumi.Input[str]
    """Id of the VPC, `projects/<p>/global/networks/<n>`, known once its private services access stands."""
    allocated_range: NotRequired[pulumi.Input[str]]
    """Name of the range of private services access that addresses are taken from. Default: Google picks one."""
    key_name: pulumi.Input[str]
    """Id of the KMS key, of this region, for storage, backups and secrets. Cloud SQL takes it at creation only."""
    database: str
    """Name of the database that it starts with."""
    tier: str
    """Machine of the primary and its replicas, for example `db-custom-2-7680` or `db-perf-optimized-N-4`."""
    edition: NotRequired[CloudSqlEdition]
    """Edition of the tier. Default: the one that has it. It is always said: from version 16 on Cloud SQL would take
    ENTERPRISE_PLUS, and refuse the other edition's tiers."""
    version: NotRequired[str]
    """Major version; Google moves the minor one. Raising it upgrades in place at once, replicas too. Default: 17."""
    storage_gb: NotRequired[int]
    """Size of its volume in GB, 10 to 65536, 20 or more on C4A and N4. It never shrinks. Default: 20."""
    max_storage_gb: NotRequired[int]
    """Size up to which the volume grows by itself, in GB. Default: five times `storage_gb`."""
    highly_available: NotRequired[bool]
    """Whether a standby in another zone takes over. Default: yes."""
    zones: NotRequired[list[str]]
    """Zones to prefer: the primary's, then its standby's. Default: Google picks them."""
    replicas: NotRequired[int]
    """Read replicas in the region, 0 to 5. Default: 0."""
    pooling: NotRequired[bool]
    """Whether clients go through Managed Connection Pooling, on a port of its own; ENTERPRISE_PLUS has it. IAM users
    may have to go past it, to port 5432. Default: no."""
    data_cache: NotRequired[bool]
    """Whether data is cached on the machine's own disks; ENTERPRISE_PLUS has it. Default: no."""
    connectors_only: NotRequired[bool]
    """Whether only Cloud SQL's connectors and its Auth Proxy may connect, each with an IAM identity. Default: no, any
    client in the network may, with a password."""
    copy_to: NotRequired[CloudSqlCopy]
    """The other region that a replica stands in, to be promoted when this region is gone. Default: none."""
    backup_days: NotRequired[int]
    """Days of point-in-time recovery (CKV_GCP_14), 1 to 7, on ENTERPRISE_PLUS to 35. Default: 14, or 7 where that is
    the most."""
    kept_backups: NotRequired[int]
    """Daily backups that are kept, more than `backup_days` and 365 at most: recovery to the first of those days begins
    with the one before it. Default: one more than `backup_days`."""
    backup_location: NotRequired[pulumi.Input[str]]
    """Where backups are kept: a region, or a place of several such as `eu`. Default: the place nearest to the
    instance."""
    backup_hour: NotRequired[int]
    """Hour of the day, in UTC, from which on backups are made. Default: 1."""
    maintenance_day: NotRequired[int]
    """Day of the week for maintenance, 1 (Monday) to 7. Default: 7. Replicas keep their primary's window."""
    maintenance_hour: NotRequired[int]
    """Hour of that day, in UTC. Default: 3."""
    iam_users: NotRequired[dict[str, pulumi.Input[str]]]
    """Addresses of the service accounts that sign in as themselves, by purpose. They also need the role
    `roles/cloudsql.instanceUser`, and grants in the database. Leaving one out again leaves its user there, without
    that role a dead one. Default: none."""
    database_roles: NotRequired[list[str]]
    """Roles of the database that the application's is a member of, instead of `cloudsqlsuperuser`. They must be there:
    name them once a job has made them. Default: none, and then Cloud SQL makes it a `cloudsqlsuperuser`."""
    password_version: NotRequired[int]
    """Raising it makes new passwords; services get them when they start next. Default: 1."""
    administrator: NotRequired[bool]
    """Whether `postgres` gets a generated password, kept in a secret. Default: no, it has none and nobody signs in as
    it."""
    secret_replicas: NotRequired[list[GcpSecretReplica]]
    """Copies of the application's credentials in other regions. Default: none."""
    source_instance: NotRequired[pulumi.Input[str]]
    """Name of the primary in another region, and in the same project, of which this is the standby, a read replica.
    Leaving it out again promotes the standby for good: it no longer follows its source and takes writes. Default:
    none, it is a primary itself."""
    credentials_secret: NotRequired[pulumi.Input[str]]
    """Reference to that primary's credentials; required with `source_instance`. Keep it at the promotion: the database
    and the application's role came with the data, and so did its password. Only `host` and `ca` in it are still the
    former primary's. Default: the credentials are made here."""
    labels: NotRequired[dict[str, str]]
    """Labels of its instances, by which costs are told apart: a provider's default labels do not reach them. Default:
    none."""
    protect: NotRequired[bool]
    """Whether Google and Pulumi refuse to delete it. Default: yes."""
    keep_final: NotRequired[bool]
    """Whether deletion keeps a last backup for 30 days, the backups for as long as they were meant to be, and former
    versions of secrets for 30 days. Default: yes."""


def _database_problem(name: str) -> str | None:
    if name in (_ADMINISTRATOR, "template0", "template1", "cloudsqladmin") or name.startswith("pg_"):
        return "PostgreSQL or Cloud SQL has that name for itself; choose another one"
    # With `_app` it is the name of a role, of which PostgreSQL keeps 63 characters.
    return matching(r"[a-z][a-z0-9_]{0,58}", "give a small letter, then small letters, digits and _, up to 59")(name)


def _purposes_problem(users: dict[str, Any]) -> str | None:
    if all(re.fullmatch(r"[a-z][a-z0-9-]*", purpose) for purpose in users):
        return None
    return "name purposes with small letters, digits and hyphens, a letter first"


_RULES = {
    "scope": scope_problem,
    "database": _database_problem,
    "version": among(VERSIONS),
    "storage_gb": between(10, _MOST_GB, "GB"),
    "max_storage_gb": between(10, _MOST_GB, "GB"),
    "replicas": between(0, 5, "replicas"),
    "backup_hour": between(0, 23, "as the hour, in UTC"),
    "maintenance_day": between(1, 7, "as the day; 1 is Monday"),
    "maintenance_hour": between(0, 23, "as the hour, in UTC"),
    "iam_users": _purposes_problem,
    "password_version": at_least(1),
}


class CloudSqlPostgres(Component):
    """A Cloud SQL instance of PostgreSQL with a private address alone (CKV_GCP_60), encrypted with the given key,
    reached over TLS only (CKV_GCP_6), with backups and point-in-time recovery (CKV_GCP_14), logs (CKV_GCP_51 to 57),
    pgAudit (CKV_GCP_110), Query Insights and IAM users and, by choice, a standby, read replicas, a pool of connections
    and a copy in another region. It can be the standby of one in another region.

    The application has a role of its own. Its password is generated here, changed with `password_version`, and kept in
    Secret Manager with all that a connection needs: `engine`, `host`, `port`, `dbname`, `username`, `password` and
    `ca`, the certificates of the authorities of this instance and its replicas alone: `sslmode=verify-ca` is enough to
    know them by. Passwords stand in a URL as they are. Cloud SQL makes whoever it creates a `cloudsqlsuperuser`, which
    creates roles and databases: `database_roles` takes that away.

    pgAudit writes once somebody runs `CREATE EXTENSION pgaudit` in the database.

    Raises `InputError` for bad args, for a tier that there is not or that its edition refuses, for what an edition or
    a shared core does not have, and for a name that no instance can have.
    """

    host: pulumi.Output[str]
    """Private address to connect to, through the pool where there is one."""
    reader_host: pulumi.Output[str]
    """Addresses of the replicas with a comma between; `host` without any."""
    port: pulumi.Output[int]
    """TCP port, of the instance and of its replicas: the pool's with pooling."""
    database: pulumi.Output[str]
    """Name of the database."""
    role: pulumi.Output[str]
    """Name of the application's role in the database."""
    credentials_secret: pulumi.Output[str]
    """Reference to the secret that holds the application's credentials. Known once its role can sign in."""
    administrator_secret: pulumi.Output[str]
    """Reference to the secret that holds the administrator's. Empty where it has no password."""
    instance_name: pulumi.Output[str]
    """Name of the primary, or of the standby."""
    instance_id: pulumi.Output[str]
    """Its id, `projects/<p>/instances/<n>`."""
    connection_name: pulumi.Output[str]
    """Its name for connectors and metrics, `<project>:<region>:<name>`."""
    replica_names: pulumi.Output[list[str]]
    """Names of the read replicas in the region."""
    copy_name: pulumi.Output[str]
    """Name of the replica in another region, or empty where there is none."""
    copy_host: pulumi.Output[str]
    """Private address of that replica, or empty."""

    def __init__(self, name: str, args: CloudSqlPostgresArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"CloudSqlPostgres {name}"
        args = checked(CloudSqlPostgresArgs, args, subject, _RULES)
        # With its project and a colon an instance's name has up to 98 characters; Pulumi adds seven and a hyphen.
        longest = 98 - len(f"{args['scope']['project']}:") - len("-replica-5-1234567")
        checked_name(name, subject, longest, r"[a-z][a-z0-9-]*", "Cloud SQL takes small letters, digits and hyphens")
        if problems := list(_problems(args)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        self._prefix = name
        self._args = args
        self._edition = _edition(args)
        self._protected = args.get("protect", True)
        self._keep_final = args.get("keep_final", True)
        self._port = POOL_PORT if args.get("pooling", False) else PORT

        primary = self._standby() if "source_instance" in args else self._primary()
        replicas = [self._replica(primary, f"replica-{each}") for each in range(1, args.get("replicas", 0) + 1)]
        copies = [self._replica(primary, "copy", args["copy_to"])] if "copy_to" in args else []
        self._ca = _authorities([primary, *replicas, *copies])
        if "source_instance" not in args:  # a replica's users are its source's
            self._iam_users(primary)

        self.host = primary.private_ip_address
        self.reader_host = (
            pulumi.Output.all(*[each.private_ip_address for each in replicas]).apply(",".join)
            if replicas
            else self.host
        )
        self.port = pulumi.Output.from_input(self._port)
        self.database = pulumi.Output.from_input(args["database"])
        self.role = pulumi.Output.from_input(f"{args['database']}_app")
        self.credentials_secret = (
            pulumi.Output.from_input(args["credentials_secret"])
            if "credentials_secret" in args
            else self._credentials(primary)
        )
        self.administrator_secret = self._administrator(primary)
        self.instance_name = primary.name
        self.instance_id = primary.id
        self.connection_name = primary.connection_name
        self.replica_names = pulumi.Output.all(*[each.name for each in replicas])
        self.copy_name = copies[0].name if copies else pulumi.Output.from_input("")
        self.copy_host = copies[0].private_ip_address if copies else pulumi.Output.from_input("")
        self._register()

    def _primary(self) -> gcp.sql.DatabaseInstance:
        return self._instance(self._prefix, {**self._available(), **self._standing_alone()})

    def _standby(self) -> gcp.sql.DatabaseInstance:
        return self._instance(self._prefix, self._available(), source=self._args.get("source_instance"))

    def _replica(
        self, primary: gcp.sql.DatabaseInstance, role: str, elsewhere: CloudSqlCopy | None = None
    ) -> gcp.sql.DatabaseInstance:
        # The copy is not named as the primary's disaster recovery replica (`replication_cluster`), by which
        # ENTERPRISE_PLUS switches over and back: the primary can name it only when both are there, in a second update.
        # Whoever names it with gcloud finds it kept.
        return self._instance(
            f"{self._prefix}-{role}",
            {"availability_type": "ZONAL"},
            source=primary.name,
            place=elsewhere,
        )

    def _instance(
        self,
        name: str,
        settings: dict[str, Any],
        source: pulumi.Input[str] | None = None,
        place: CloudSqlCopy | None = None,
    ) -> gcp.sql.DatabaseInstance:
        """An instance with its own settings and those that all of them have: a primary, or a replica of a source. It is
        named with random letters, since Cloud SQL keeps the name of a deleted one for a week."""
        args = self._args
        return gcp.sql.DatabaseInstance(
            name,
            project=args["scope"]["project"],
            region=place["region"] if place else args["scope"]["region"],
            encryption_key_name=place["key_name"] if place else args["key_name"],
            database_version=f"POSTGRES_{args.get('version', '17')}",
            # Said either way: a standby is promoted in place when its type becomes the other one.
            instance_type="CLOUD_SQL_INSTANCE" if source is None else "READ_REPLICA_INSTANCE",
            master_instance_name=source,
            # Replicas are upgraded with their primary, those of other stacks too; the provider must not do it again.
            include_replicas_for_major_version_upgrade=True if source is None else None,
            # The provider's protection; the cloud's own one is among the settings.
            deletion_protection=self._protected,
            settings=cast(gcp.sql.DatabaseInstanceSettingsArgsDict, {**self._common_settings(), **settings}),
            opts=self._child(protect=self._protected, ignore_changes=None if source is None else ["databaseVersion"]),
        )

    def _common_settings(self) -> dict[str, Any]:
        args = self._args
        network = {
            "ipv4_enabled": False,
            "private_network": args["network_id"],
            "ssl_mode": "ENCRYPTED_ONLY",
            # An authority of the instance's own: one that a region's instances share would vouch for strangers' too,
            # and clients that connect to an address could not tell them apart.
            "server_ca_mode": "GOOGLE_MANAGED_INTERNAL_CA",
        }
        if "allocated_range" in args:
            network["allocated_ip_range"] = args["allocated_range"]
        settings = {
            "tier": args["tier"],
            "edition": self._edition.value,
            "user_labels": args.get("labels", {}),
            "activation_policy": "ALWAYS",
            "connector_enforcement": "REQUIRED" if args.get("connectors_only", False) else "NOT_REQUIRED",
            "enable_google_ml_integration": False,
            "deletion_protection_enabled": self._protected,
            "disk_type": _disk_type(args["tier"]),
            "disk_autoresize": True,
            "disk_autoresize_limit": _max_storage(args),
            "ip_configuration": network,
            "database_flags": [{"name": flag, "value": value} for flag, value in sorted(_FLAGS.items())],
            "insights_config": {
                "query_insights_enabled": True,
                "record_client_address": True,
                "record_application_tags": True,
            },
        }
        if self._edition is CloudSqlEdition.ENTERPRISE_PLUS:
            # Said either way: this edition's cache is on where nothing is said.
            settings["data_cache_config"] = {"data_cache_enabled": args.get("data_cache", False)}
        if args.get("pooling", False):
            settings["connection_pool_configs"] = [{"connection_pooling_enabled": True}]
        return settings

    def _available(self) -> dict[str, Any]:
        """What an instance has that is, or can become, a primary."""
        zones = self._args.get("zones", [])
        settings: dict[str, Any] = {
            "availability_type": "REGIONAL" if self._args.get("highly_available", True) else "ZONAL"
        }
        if zones:
            settings["location_preference"] = dict(zip(("zone", "secondary_zone"), zones, strict=False))
        return settings

    def _standing_alone(self) -> dict[str, Any]:
        """What a replica takes from its primary, or cannot have."""
        args = self._args
        days = _backup_days(args)
        backups = {
            "enabled": True,
            "point_in_time_recovery_enabled": True,
            "transaction_log_retention_days": days,
            # One more: recovery to the first of those days starts with the backup before it.
            "backup_retention_settings": {
                "retained_backups": args.get("kept_backups", days + 1),
                "retention_unit": "COUNT",
            },
            "start_time": f"{args.get('backup_hour', 1):02}:00",
        }
        if "backup_location" in args:
            backups["location"] = args["backup_location"]
        last: dict[str, Any] = {"enabled": self._keep_final}
        if self._keep_final:
            last["retention_days"] = _DAYS_AFTER_DELETION
        return {
            # Where it starts: the provider leaves a volume alone that has grown beyond it.
            "disk_size": args.get("storage_gb", 20),
            "backup_configuration": backups,
            "final_backup_config": last,
            "retain_backups_on_delete": self._keep_final,
            "maintenance_window": {
                "day": args.get("maintenance_day", 7),
                "hour": args.get("maintenance_hour", 3),
                "update_track": "stable",
            },
            "password_validation_policy": {
                "enable_password_policy": True,
                "complexity": "COMPLEXITY_DEFAULT",
                "min_length": 16,
                "disallow_username_substring": True,
                "reuse_interval": 5,
            },
        }

    def _iam_users(self, primary: gcp.sql.DatabaseInstance) -> None:
        for purpose, email in self._args.get("iam_users", {}).items():
            address = pulumi.Output.from_input(email)
            self._user(
                f"iam-{purpose}",
                primary,
                name=address.apply(lambda known: known.removesuffix(".gserviceaccount.com")),
                type="CLOUD_IAM_SERVICE_ACCOUNT",
            )

    def _user(self, key: str, primary: gcp.sql.DatabaseInstance, **own: Any) -> gcp.sql.User:
        return gcp.sql.User(
            f"{self._prefix}-{key}",
            project=self._args["scope"]["project"],
            instance=primary.name,
            # Cloud SQL deletes no user who owns something. All of them go with the instance.
            deletion_policy="ABANDON",
            **own,
            opts=self._child(),
        )

    def _credentials(self, primary: gcp.sql.DatabaseInstance) -> pulumi.Output[str]:
        args = self._args
        database = gcp.sql.Database(
            self._prefix,
            project=args["scope"]["project"],
            instance=primary.name,
            name=args["database"],
            # Cloud SQL drops no database that somebody is connected to. It goes with the instance.
            deletion_policy="ABANDON",
            opts=self._child(),
        )
        fields = self._signing_in(
            primary, database.name, "application", f"{args['database']}_app", args.get("database_roles")
        )
        return self._secret("credentials", "application's", fields, args.get("secret_replicas", []))

    def _administrator(self, primary: gcp.sql.DatabaseInstance) -> pulumi.Output[str]:
        args = self._args
        if "source_instance" in args or not args.get("administrator", False):
            return pulumi.Output.from_input("")
        fields = self._signing_in(primary, args["database"], "administrator", _ADMINISTRATOR)
        fields["port"] = str(PORT)  # what an administrator sets for a session, a pool would lose
        return self._secret("administrator", "administrator's", fields)

    def _signing_in(
        self,
        primary: gcp.sql.DatabaseInstance,
        database: pulumi.Input[str],
        whose: str,
        role: str,
        database_roles: list[str] | None = None,
    ) -> dict[str, pulumi.Input[str]]:
        """What a connection needs, as a role that gets a password here."""
        password = random.RandomPassword(
            f"{self._prefix}-{whose}",
            length=40,
            # Besides letters and digits the password policy wants others: these stand in a URL as they are.
            special=True,
            override_special="-_",
            min_lower=1,
            min_upper=1,
            min_numeric=1,
            min_special=1,
            keepers={"version": str(self._args.get("password_version", 1))},
            opts=self._child(),
        )
        # Not write-only: such a value would reach the state all the same, as encrypted as this one, and a change of it
        # would go unnoticed until somebody raised a number.
        user = self._user(
            whose,
            primary,
            name=role,
            type="BUILT_IN",
            password=password.result,
            database_roles=database_roles or None,
        )
        return {
            "engine": "postgres",
            "host": primary.private_ip_address,
            "port": str(self._port),
            "dbname": database,
            "username": user.name,  # so that the secret tells no password that is not set yet
            "password": password.result,
            "ca": self._ca,
        }

    def _secret(
        self,
        key: str,
        whose: str,
        fields: dict[str, pulumi.Input[str]],
        replicas: Sequence[GcpSecretReplica] = (),
    ) -> pulumi.Output[str]:
        secret = GcpSecret(
            f"{self._prefix}-{key}",
            {
                "scope": self._args["scope"],
                "key_name": self._args["key_name"],
                "description": f"The {whose} credentials at {self._prefix}",
                "fields": fields,
                "rotation_note": "with its version in the stack file",
                "replicas": list(replicas),
                "recovery_days": _DAYS_AFTER_DELETION if self._keep_final else 0,
                "protect": self._protected,
            },
            self._child(),
        )
        return secret.secret


def edition_of(tier: str) -> CloudSqlEdition | None:
    """The edition that has a tier, by the form of its name, or None where neither has such tiers."""
    if re.fullmatch(r"db-(perf-optimized-N|c4a-highmem)-\d+", tier):
        return CloudSqlEdition.ENTERPRISE_PLUS
    if tier in SHARED_CORES or re.fullmatch(r"db-custom-(N4-)?\d+-\d+", tier):
        return CloudSqlEdition.ENTERPRISE
    return None


def memory_gb(tier: str) -> float:
    """Memory of a machine tier in GB."""
    if custom := re.fullmatch(_CUSTOM, tier):
        return int(custom[3]) / 1024
    if tier in SHARED_CORES:
        return 0.6 if tier == SHARED_CORES[0] else 1.7
    return 8.0 * int(tier.rpartition("-")[2])


def tier_problem(tier: str, edition: CloudSqlEdition) -> str | None:
    """What is wrong with a tier for an edition, and what to choose instead, or None."""
    own = edition_of(tier)
    if own is None:
        return f"no tier of PostgreSQL; choose one of {EDITIONS[edition]}"
    if own is not edition:
        return f"{edition.value} refuses it: make the edition {own.value}, or choose one of {EDITIONS[edition]}"
    if tier in SHARED_CORES:
        return None
    if own is CloudSqlEdition.ENTERPRISE:
        return _custom_problem(tier)
    family, _, cpus = tier.rpartition("-")
    choices = C4A_CPUS if family == "db-c4a-highmem" else PERFORMANCE_CPUS
    if cpus in map(str, choices):
        return None
    return f"there is none with {cpus} vCPUs; write {family}- and one of {', '.join(map(str, choices))}"


def _custom_problem(tier: str) -> str | None:
    """What is wrong with a machine of one's own measures."""
    shape = re.fullmatch(_CUSTOM, tier)
    if not shape:
        return "write it as db-custom-<vCPUs>-<MB>, for example db-custom-2-7680"
    n4, cpus, memory = bool(shape[1]), int(shape[2]), int(shape[3])
    most, low, high = (80, 2.0, 8.0) if n4 else (96, 0.9, 6.5)
    if cpus > most or (cpus % 2 and (cpus != 1 or n4)):
        return f"{cpus} vCPUs; give {'' if n4 else '1 or '}an even number, {most} or fewer"
    if memory % 256:
        below = memory - memory % 256
        return f"{memory} MB of memory; give a multiple of 256 MB, for example {below} or {below + 256}"
    least = max(-(-int(cpus * low * 1024) // 256) * 256, 0 if n4 else 3840)
    greatest = int(cpus * high * 1024) // 256 * 256
    if not least <= memory <= greatest:
        return f"{memory} MB of memory; with {cpus} vCPUs give {least} to {greatest} MB"
    return None


def _edition(args: CloudSqlPostgresArgs) -> CloudSqlEdition:
    return args.get("edition") or edition_of(args["tier"]) or CloudSqlEdition.ENTERPRISE


def _disk_type(tier: str) -> str:
    """C4A and N4 have no other volumes, and the rest has none of these."""
    return "HYPERDISK_BALANCED" if re.match(r"db-(c4a|custom-N4)-", tier) else "PD_SSD"


def _max_storage(args: CloudSqlPostgresArgs) -> int:
    return args.get("max_storage_gb", min(5 * args.get("storage_gb", 20), _MOST_GB))


def _backup_days(args: CloudSqlPostgresArgs) -> int:
    return args.get("backup_days", min(14, RECOVERY_DAYS[_edition(args)]))


def _authorities(instances: Sequence[gcp.sql.DatabaseInstance]) -> pulumi.Output[str]:
    """The certificates of the authorities of all instances, those that are about to take over among them."""
    certificates = [
        instance.server_ca_certs.apply(lambda known: "\n".join(each.cert for each in known if each.cert))
        for instance in instances
    ]
    return pulumi.Output.all(*certificates).apply("\n".join)


def _problems(args: CloudSqlPostgresArgs) -> Iterator[Problem]:
    edition = _edition(args)
    if problem := tier_problem(args["tier"], edition):
        yield Problem("tier", args["tier"], problem)
    yield from _edition_problems(args, edition)
    if args["tier"] in SHARED_CORES:
        yield from _shared_core_problems(args)
    yield from _storage_problems(args)
    yield from _place_problems(args)
    yield from _source_problems(args)
    yield from secret_replica_problems("secret_replicas", args.get("secret_replicas", []), args["scope"])


def _edition_problems(args: CloudSqlPostgresArgs, edition: CloudSqlEdition) -> Iterator[Problem]:
    plus = f"only ENTERPRISE_PLUS has it: choose a tier {EDITIONS[CloudSqlEdition.ENTERPRISE_PLUS]}, or leave it out"
    for field in ("pooling", "data_cache"):
        if args.get(field, False) and edition is CloudSqlEdition.ENTERPRISE:
            yield Problem(field, True, plus)
    if args.get("data_cache", False) and args["tier"] == "db-c4a-highmem-2":
        yield Problem("data_cache", True, "db-c4a-highmem-2 has no disks of its own: choose db-c4a-highmem-4 or more")
    most = RECOVERY_DAYS[edition]
    if not 1 <= _backup_days(args) <= most:
        remedy = f"give 1 to {most} days"
        if edition is CloudSqlEdition.ENTERPRISE:
            remedy += f"; up to {RECOVERY_DAYS[CloudSqlEdition.ENTERPRISE_PLUS]} with a tier of ENTERPRISE_PLUS"
        yield Problem("backup_days", _backup_days(args), remedy)
    least = _backup_days(args) + 1
    if not least <= args.get("kept_backups", least) <= _MOST_BACKUPS:
        yield Problem("kept_backups", args.get("kept_backups"), f"give {least} to {_MOST_BACKUPS} backups")


def _shared_core_problems(args: CloudSqlPostgresArgs) -> Iterator[Problem]:
    why = f"{args['tier']} shares its core, and Google promises nothing about it"
    if args.get("highly_available", True):
        yield Problem("highly_available", True, f"{why}: set it to false, or choose a tier db-custom-<vCPUs>-<MB>")
    for field in ("replicas", "copy_to"):
        if args.get(field):
            yield Problem(field, args.get(field), f"{why}: leave it out, or choose a tier db-custom-<vCPUs>-<MB>")


def _storage_problems(args: CloudSqlPostgresArgs) -> Iterator[Problem]:
    size = args.get("storage_gb", 20)
    if size < 20 and _disk_type(args["tier"]) == "HYPERDISK_BALANCED":
        yield Problem("storage_gb", size, f"give 20 GB or more: {args['tier']} has Hyperdisk volumes")
    if _max_storage(args) < size:
        yield Problem("max_storage_gb", _max_storage(args), "give at least `storage_gb`, where it starts")


def _place_problems(args: CloudSqlPostgresArgs) -> Iterator[Problem]:
    region, zones = args["scope"]["region"], args.get("zones", [])
    for i, zone in enumerate(zones):
        if not re.fullmatch(rf"{re.escape(region)}-[a-z]", zone):
            yield Problem(f"zones[{i}]", zone, f"give a zone of {region}, for example {region}-a")
    if len(set(zones)) < len(zones):
        yield Problem("zones", zones, "name another zone for the standby")
    if len(zones) > (most := 2 if args.get("highly_available", True) else 1):
        yield Problem("zones", zones, "give two at most" if most == 2 else "give one: there is no standby")
    if "copy_to" in args:
        away = args["copy_to"]["region"]
        if away == region:
            yield Problem("copy_to.region", away, "the database itself stands there; name another region")
        elif not re.fullmatch(REGION, away):
            yield Problem("copy_to.region", away, "give a region like europe-west4")


def _source_problems(args: CloudSqlPostgresArgs) -> Iterator[Problem]:
    if "source_instance" in args:
        if "credentials_secret" not in args:
            remedy = "required with `source_instance`: give the reference to the primary's credentials"
            yield Problem("credentials_secret", MISSING, remedy)
        for field in ("replicas", "copy_to"):
            if args.get(field):
                yield Problem(field, args.get(field), "leave it out until its promotion: a standby is a replica itself")
    if "credentials_secret" in args:
        makes_passwords = args.get("administrator", False)
        for field in ("secret_replicas", "database_roles", "password_version"):
            if args.get(field) and not (field == "password_version" and makes_passwords):
                remedy = "leave it out: the credentials in `credentials_secret` are kept where they were made"
                yield Problem(field, args.get(field), remedy)
