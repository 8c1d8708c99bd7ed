"""PostgreSQL on Amazon RDS."""

from collections.abc import Iterator
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from ..component import Component, among, between, checked, checked_name, matching
from ..network.security_group import AwsSecurityGroup, connect
from ..observability.retention import log_retention
from ..problems import MISSING, InputError, Problem
from ..secrets.aws import AwsSecret, AwsSecretArgs, SecretReplica, replica_problems, rotation_day_problems
from ..secrets.rotation import AwsRotationFunction, RotationKind
from ..security.policy import AwsScope, allow, arn, document, trust

PORT = 5432
INSTANCE_CLASS = r"db\.[a-z][a-z0-9]*(-[a-z0-9]+)?\.(micro|small|medium|large|(\d{1,2})?xlarge|metal)"
"""Shape of an instance class. What exists in a region, only AWS knows."""
VERSIONS = ("15", "16", "17", "18")
_EXPORTED_LOGS = ("postgresql", "upgrade")
_ADMINISTRATOR = "postgres"
_BY_HAND = "by hand - replace the generated password and set it in the database"


class DatabaseRotation(TypedDict):
    """How often passwords are rotated, and from where."""

    days: int
    """Days between rotations, 1 to 90 (CKV_AWS_304)."""
    subnet_ids: pulumi.Input[list[str]]
    """Ids of the private subnets that the rotation function runs in. Secrets Manager must be reachable from them."""


class RdsPostgresArgs(TypedDict):
    """Where a database stands, how large it is, and who uses it."""

    scope: AwsScope
    """Account and region of the database."""
    vpc_id: pulumi.Input[str]
    """Id of the VPC."""
    subnet_ids: pulumi.Input[list[str]]
    """Ids of the data subnets, in two zones or more."""
    key_arn: pulumi.Input[str]
    """ARN of the KMS key for storage, snapshots, secrets and Performance Insights (CKV_AWS_16, CKV_AWS_354)."""
    log_key_arn: pulumi.Input[str]
    """ARN of the KMS key for its logs, which CloudWatch Logs must be allowed to use (CKV_AWS_158)."""
    database: str
    """Name of the database that it starts with."""
    instance_class: str
    """Instance class of the primary and its replicas, `db.<family>.<size>`."""
    clients: NotRequired[dict[str, pulumi.Input[str]]]
    """Ids of the security groups that may connect, by purpose. Default: nobody."""
    version: NotRequired[str]
    """Major version; AWS moves the minor one. Default: 17."""
    storage_gb: NotRequired[int]
    """Size of its gp3 volume in GB, 20 to 65536. Default: 20."""
    max_storage_gb: NotRequired[int]
    """Size up to which the volume grows by itself, in GB. Default: five times `storage_gb`."""
    multi_az: NotRequired[bool]
    """Whether a standby in another zone takes over (CKV_AWS_157). Default: yes."""
    replicas: NotRequired[int]
    """Read replicas, 0 to 5. Default: 0."""
    pooling: NotRequired[bool]
    """Whether clients go through an RDS Proxy that pools their connections. Default: no."""
    rotation: NotRequired[DatabaseRotation]
    """How a function rotates the passwords that are not RDS's own (CKV2_AWS_57). Default: by hand."""
    secret_replicas: NotRequired[list[SecretReplica]]
    """Copies of the application's credentials in other regions. Default: none."""
    replicated: NotRequired[bool]
    """Whether a standby in another region replicates it. Default: no, and then AWS refuses one."""
    source_arn: NotRequired[pulumi.Input[str]]
    """ARN of the primary in another region of which this is the standby, a read replica. Leaving it out again promotes
    the standby for good: it no longer follows its source, takes writes, and gets an administrator's password.
    Default: none, it is a primary itself."""
    credentials_secret_arn: NotRequired[pulumi.Input[str]]
    """ARN of the copy of that primary's credentials in this region; required with `source_arn`. Keep it at the
    promotion: the application's role came with the data, and so did its password. Only the host in it is still the
    former primary's: connect to `host`. Default: the credentials are made here."""
    credentials_key_arn: NotRequired[pulumi.Input[str]]
    """ARN of the KMS key that encrypts that copy. Default: `key_arn`."""
    backup_days: NotRequired[int]
    """Days of point-in-time recovery, 1 to 35 (CKV_AWS_133). Default: 14."""
    log_days: NotRequired[int]
    """Days to keep its logs in CloudWatch. Default: 365 (CKV_AWS_338)."""
    protect: NotRequired[bool]
    """Whether AWS and Pulumi refuse to delete it (AWS-0177). Default: yes."""
    keep_final: NotRequired[bool]
    """Whether deletion keeps a final snapshot, the automated backups, and the secrets for 30 days. Default: yes."""


_RULES = {
    "log_days": log_retention,
    "database": matching(r"[a-z][a-z0-9_]{0,62}", "give a small letter, then small letters, digits and _, up to 63"),
    "instance_class": matching(INSTANCE_CLASS, "write it as db.<family>.<size>, for example db.m6g.large"),
    "version": among(VERSIONS),
    "storage_gb": between(20, 65536, "GB"),
    "replicas": between(0, 5, "replicas"),
    "backup_days": between(1, 35, "days; without backups there is no recovery and no replica"),
}


class RdsPostgres(Component):
    """An RDS PostgreSQL instance in private subnets, encrypted, reached over TLS only (CKV2_AWS_69), with backups,
    logs, Performance Insights (CKV_AWS_353), enhanced monitoring (CKV_AWS_118) and, by choice, a standby, read replicas
    and a proxy. It can be the standby of one in another region.

    The administrator's password is made, kept and rotated by RDS. AWS refuses replicas of such a database: with them,
    it is generated here and kept in a secret. The application has a role of its own, which a job inside the network
    creates. Its password is generated here and kept in Secrets Manager with all that a connection needs, as AWS's
    rotation function and RDS Proxy read it: `engine`, `host` (the primary's), `port`, `dbname`, `username` and
    `password`. Passwords stand in a URL as they are.

    Raises `InputError` for bad args and for a name that no identifier can be made of.
    """

    host: pulumi.Output[str]
    """Name to connect to: the proxy's with pooling, else the primary's. A standby's proxy answers after its promotion:
    AWS puts none before a replica."""
    direct_host: pulumi.Output[str]
    """Where the instance itself answers, past the pool: for those who set it up."""
    reader_host: pulumi.Output[str]
    """Names of the replicas with a comma between; without any, a standby's own name, and else `host`."""
    port: pulumi.Output[int]
    """TCP port."""
    database: pulumi.Output[str]
    """Name of the database."""
    role: pulumi.Output[str]
    """Name of the application's role in the database."""
    credentials_secret: pulumi.Output[str]
    """ARN of the secret that holds the application's credentials."""
    credentials_replica_arns: pulumi.Output[dict[str, str]]
    """ARNs of its copies, by region."""
    administrator_secret: pulumi.Output[str]
    """ARN of the secret that holds the administrator's name and password. Empty for a standby, which has none."""
    instance_arn: pulumi.Output[str]
    """ARN of the primary, or of the standby."""
    identifier: pulumi.Output[str]
    """Identifier of the primary, or of the standby, as metrics name it."""
    replica_identifiers: pulumi.Output[list[str]]
    """Identifiers of the read replicas, as metrics name them."""
    resource_id: pulumi.Output[str]
    """Resource id of the primary, or of the standby, as IAM authentication names it."""
    security_group_id: pulumi.Output[str]
    """Id of the database's security group."""
    proxy_name: pulumi.Output[str]
    """Name of the proxy, as metrics name it, or empty where there is none."""

    def __init__(self, name: str, args: RdsPostgresArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"RdsPostgres {name}"
        args = checked(RdsPostgresArgs, args, subject, _RULES)
        checked_name(
            name,
            subject,
            52,
            r"[a-z](-?[a-z0-9])*",
            "RDS takes small letters, digits and single hyphens, letter first",
        )
        if problems := list(_problems(args)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        self._prefix = name
        self._args = args
        self._protected = args.get("protect", True)
        self._keep_final = args.get("keep_final", True)
        self._role = f"{args['database']}_app"
        self._is_standby = "source_arn" in args

        group = AwsSecurityGroup(
            f"{name}-server",
            {"vpc_id": args["vpc_id"], "description": f"PostgreSQL instances of {name}"},
            self._child(),
        )
        self._parameters = self._parameter_group()
        self._monitoring = self._monitoring_role()
        self._rotation = self._rotation_function(group)
        password = self._administrator_password()
        primary = self._standby(group) if self._is_standby else self._primary(group, password)
        replicas = [self._replica(primary, group, number) for number in range(1, args.get("replicas", 0) + 1)]
        if "credentials_secret_arn" in args:
            credentials, copies = pulumi.Output.from_input(args["credentials_secret_arn"]), pulumi.Output.from_input({})
        else:
            secret = self._credentials(primary)
            credentials, copies = secret.secret, secret.replica_arns
        host = primary.address
        if args.get("pooling", False):
            host = self._proxy(primary, group, credentials)
        # Past a pool go those who read from replicas, and those who set the database up, whose locks a pool would lose.
        past = "-direct" if args.get("pooling", False) else ""
        for purpose, client in args.get("clients", {}).items():
            connect(f"{name}-{purpose}{past}", PORT, client, group.group_id, self._child())
        readers = replicas or ([primary] if self._is_standby else [])

        self.host = host
        self.direct_host = primary.address
        self.reader_host = pulumi.Output.all(*[each.address for each in readers]).apply(",".join) if readers else host
        self.port = primary.port
        self.database = pulumi.Output.from_input(args["database"])
        self.role = pulumi.Output.from_input(self._role)
        self.credentials_secret = credentials
        self.credentials_replica_arns = copies
        self.administrator_secret = self._administrator_secret(primary, password)
        self.instance_arn = primary.arn
        self.identifier = primary.identifier
        self.replica_identifiers = pulumi.Output.all(*[replica.identifier for replica in replicas])
        self.resource_id = primary.resource_id
        self.security_group_id = group.group_id
        if not args.get("pooling", False):
            self.proxy_name = pulumi.Output.from_input("")
        self._register()

    def _parameter_group(self) -> aws.rds.ParameterGroup:
        major = self._args.get("version", "17")
        return aws.rds.ParameterGroup(
            # The family is part of the name: a major upgrade needs the new group beside the old one.
            f"{self._prefix}-postgres{major}",
            family=f"postgres{major}",
            description=f"Parameters of {self._prefix}",
            parameters=[
                {"name": "rds.force_ssl", "value": "1", "apply_method": "immediate"},
                {"name": "log_connections", "value": "1", "apply_method": "immediate"},
                {"name": "log_disconnections", "value": "1", "apply_method": "immediate"},
                {"name": "log_lock_waits", "value": "1", "apply_method": "immediate"},
                {"name": "log_min_duration_statement", "value": "1000", "apply_method": "immediate"},
                {"name": "log_statement", "value": "ddl", "apply_method": "immediate"},
            ],
            opts=self._child(),
        )

    def _monitoring_role(self) -> aws.iam.Role:
        role = aws.iam.Role(
            f"{self._prefix}-monitoring",
            description="Sends the operating system metrics of the database",
            assume_role_policy=trust(self._args["scope"], "monitoring.rds.amazonaws.com"),
            opts=self._child(),
        )
        partition = self._args["scope"].get("partition", "aws")
        self._monitoring_policy = aws.iam.RolePolicyAttachment(
            f"{self._prefix}-monitoring",
            role=role.name,
            policy_arn=f"arn:{partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole",
            opts=self._child(),
        )
        return role

    def _log_groups(self, identifier: str) -> list[aws.cloudwatch.LogGroup]:
        """RDS would make these by itself, unencrypted, for ever, and leave them behind."""
        return [
            aws.cloudwatch.LogGroup(
                f"{identifier}-{log}",
                name=f"/aws/rds/instance/{identifier}/{log}",
                kms_key_id=self._args["log_key_arn"],
                retention_in_days=self._args.get("log_days", 365),
                opts=self._child(),
            )
            for log in _EXPORTED_LOGS
        ]

    def _rotation_function(self, group: AwsSecurityGroup) -> AwsRotationFunction | None:
        args = self._args
        if "rotation" not in args:
            return None
        return AwsRotationFunction(
            f"{self._prefix}-rotation",
            {
                "scope": args["scope"],
                "kind": RotationKind.POSTGRES,
                "vpc_id": args["vpc_id"],
                "subnet_ids": args["rotation"]["subnet_ids"],
                "key_arn": args["key_arn"],
                "log_key_arn": args["log_key_arn"],
                "log_days": args.get("log_days", 365),
                "servers": {"server": group.group_id},
                "port": PORT,
            },
            self._child(),
        )

    def _administrator_password(self) -> random.RandomPassword | None:
        """A password of our own, where the database has replicas: AWS refuses to make one of an instance whose
        password RDS manages. A standby has none: its users are its source's."""
        has_replicas = self._args.get("replicas", 0) > 0 or self._args.get("replicated", False)
        return self._password("administrator") if has_replicas and not self._is_standby else None

    def _password(self, whose: str) -> random.RandomPassword:
        # Letters and digits alone stand in a URL as they are.
        return random.RandomPassword(f"{self._prefix}-{whose}", length=40, special=False, opts=self._child())

    def _administrator_secret(
        self, primary: aws.rds.Instance, password: random.RandomPassword | None
    ) -> pulumi.Output[str]:
        if password is not None:
            fields = self._connection(primary, _ADMINISTRATOR, password)
            return self._secret("administrator", "administrator's", fields).secret
        if self._is_standby:
            return pulumi.Output.from_input("")
        return primary.master_user_secrets.apply(lambda secrets: secrets[0].secret_arn or "")

    def _credentials(self, primary: aws.rds.Instance) -> AwsSecret:
        fields = self._connection(primary, self._role, self._password("application"))
        return self._secret("credentials", "application's", fields, self._args.get("secret_replicas", []))

    def _connection(
        self, primary: aws.rds.Instance, role: str, password: random.RandomPassword
    ) -> dict[str, pulumi.Input[str]]:
        """What AWS's rotation function and RDS Proxy read."""
        return {
            "engine": "postgres",
            "host": primary.address,
            "port": str(PORT),
            "dbname": self._args["database"],
            "username": role,
            "password": password.result,
        }

    def _secret(
        self, key: str, whose: str, fields: dict[str, pulumi.Input[str]], replicas: list[SecretReplica] | None = None
    ) -> AwsSecret:
        args: AwsSecretArgs = {
            "scope": self._args["scope"],
            "key_arn": self._args["key_arn"],
            "description": f"The {whose} credentials at {self._prefix}",
            "fields": fields,
            "replicas": replicas or [],
            "recovery_days": 30 if self._keep_final else 0,
        }
        if self._rotation and "rotation" in self._args:
            args["rotation"] = {
                "function_arn": self._rotation.function_arn,
                "days": self._args["rotation"]["days"],
            }
        else:
            args["rotation_note"] = _BY_HAND
        return AwsSecret(f"{self._prefix}-{key}", args, self._child())

    def _instance(
        self, name: str, group: AwsSecurityGroup, ignore_changes: list[str] | None = None, **own: Any
    ) -> aws.rds.Instance:
        """An instance with its own properties and those that all of them have."""
        args = self._args
        logs = self._log_groups(name)
        return aws.rds.Instance(
            name,
            identifier=name,  # the names of its log groups contain it
            instance_class=args["instance_class"],
            auto_minor_version_upgrade=True,
            engine_lifecycle_support="open-source-rds-extended-support-disabled",
            iam_database_authentication_enabled=True,
            ca_cert_identifier="rds-ca-rsa2048-g1",
            parameter_group_name=self._parameters.name,
            vpc_security_group_ids=[group.group_id],
            publicly_accessible=False,
            storage_type="gp3",
            max_allocated_storage=_max_storage(args),
            storage_encrypted=True,
            kms_key_id=args["key_arn"],
            copy_tags_to_snapshot=True,
            deletion_protection=self._protected,
            enabled_cloudwatch_logs_exports=list(_EXPORTED_LOGS),
            performance_insights_enabled=True,
            performance_insights_kms_key_id=args["key_arn"],
            performance_insights_retention_period=7,
            monitoring_interval=60,
            monitoring_role_arn=self._monitoring.arn,
            **own,
            opts=self._child(
                protect=self._protected,
                delete_before_replace=True,  # its identifier is taken while it exists
                # RDS makes a missing log group by itself, and needs the role's policy; no value carries either.
                depends_on=[*logs, self._monitoring_policy],
                ignore_changes=ignore_changes,
            ),
        )

    def _standing_alone(self) -> dict[str, Any]:
        """What an instance has that is, or can become, a primary."""
        args = self._args
        subnets = aws.rds.SubnetGroup(
            self._prefix,
            description=f"Data subnets of {self._prefix}",
            subnet_ids=args["subnet_ids"],
            opts=self._child(),
        )
        return {
            "engine": "postgres",
            "engine_version": args.get("version", "17"),
            "allow_major_version_upgrade": False,
            "db_subnet_group_name": subnets.name,
            "multi_az": args.get("multi_az", True),
            "backup_retention_period": args.get("backup_days", 14),
            "backup_window": "02:00-03:00",
            "maintenance_window": "sun:03:30-sun:04:30",
            "delete_automated_backups": not self._keep_final,
        }

    def _primary(self, group: AwsSecurityGroup, password: random.RandomPassword | None) -> aws.rds.Instance:
        name, args = self._prefix, self._args
        suffix = random.RandomId(f"{name}-final-snapshot", byte_length=4, opts=self._child())
        if password is None:
            managed = {"manage_master_user_password": True, "master_user_secret_kms_key_id": args["key_arn"]}
        else:
            managed = {"password": password.result}
        return self._instance(
            name,
            group,
            # A promoted standby was made without these, and could only be replaced for them.
            ignore_changes=["db_name", "username"] if "credentials_secret_arn" in args else None,
            **self._standing_alone(),
            **managed,
            username=_ADMINISTRATOR,
            db_name=args["database"],
            port=PORT,
            # Policies read it: no replica in this stack would say it.
            tags={"replicated": "in another region"} if args.get("replicated", False) else None,
            allocated_storage=args.get("storage_gb", 20),
            skip_final_snapshot=not self._keep_final,
            # A snapshot of an earlier database of this name may still be there.
            final_snapshot_identifier=pulumi.Output.concat(f"{name}-final-", suffix.hex) if self._keep_final else None,
        )

    def _standby(self, group: AwsSecurityGroup) -> aws.rds.Instance:
        return self._instance(
            self._prefix,
            group,
            **self._standing_alone(),
            replicate_source_db=self._args.get("source_arn"),
            skip_final_snapshot=True,  # AWS takes none of a replica
        )

    def _replica(self, primary: aws.rds.Instance, group: AwsSecurityGroup, number: int) -> aws.rds.Instance:
        return self._instance(
            f"{self._prefix}-replica-{number}",
            group,
            replicate_source_db=primary.identifier,
            maintenance_window="sun:05:00-sun:06:00",
            skip_final_snapshot=True,  # it holds nothing of its own
        )

    def _proxy(
        self, primary: aws.rds.Instance, group: AwsSecurityGroup, credentials: pulumi.Output[str]
    ) -> pulumi.Output[str]:
        """The proxy's address. It signs in as the application, so it reads the application's credentials."""
        name, args, scope = self._prefix, self._args, self._args["scope"]
        role = aws.iam.Role(
            f"{name}-proxy",
            description="Reads the application's database credentials",
            assume_role_policy=trust(scope, "rds.amazonaws.com", arn(scope, "rds", "db-proxy:*")),
            opts=self._child(),
        )
        policy = aws.iam.RolePolicy(
            f"{name}-proxy",
            role=role.id,
            policy=document(
                allow("Read", ["secretsmanager:GetSecretValue"], [credentials]),
                allow(
                    "Decrypt",
                    ["kms:Decrypt"],
                    [args.get("credentials_key_arn", args["key_arn"])],
                    when={"StringEquals": {"kms:ViaService": f"secretsmanager.{scope['region']}.amazonaws.com"}},
                ),
            ),
            opts=self._child(),
        )
        pool = AwsSecurityGroup(
            f"{name}-pool",
            {"vpc_id": args["vpc_id"], "description": f"RDS Proxy of {name}"},
            self._child(),
        )
        connect(f"{name}-pool-to-server", PORT, pool.group_id, group.group_id, self._child())
        for purpose, client in args.get("clients", {}).items():
            connect(f"{name}-{purpose}", PORT, client, pool.group_id, self._child())
        proxy = aws.rds.Proxy(
            f"{name}-proxy",
            engine_family="POSTGRESQL",
            role_arn=role.arn,
            require_tls=True,
            idle_client_timeout=1800,
            vpc_subnet_ids=args["subnet_ids"],
            vpc_security_group_ids=[pool.group_id],
            auths=[
                {
                    "auth_scheme": "SECRETS",
                    "iam_auth": "DISABLED",
                    "client_password_auth_type": "POSTGRES_SCRAM_SHA_256",
                    "secret_arn": credentials,
                }
            ],
            opts=self._child(depends_on=[policy]),  # it checks at once that it can read the secret
        )
        target_group = aws.rds.ProxyDefaultTargetGroup(
            f"{name}-proxy",
            db_proxy_name=proxy.name,
            connection_pool_config={"max_connections_percent": 90, "max_idle_connections_percent": 50},
            opts=self._child(),
        )
        if not self._is_standby:  # AWS puts a proxy before no replica
            aws.rds.ProxyTarget(
                f"{name}-proxy",
                db_proxy_name=proxy.name,
                target_group_name=target_group.name,
                db_instance_identifier=primary.identifier,
                opts=self._child(),
            )
        self.proxy_name = proxy.name
        return proxy.endpoint


def _max_storage(args: RdsPostgresArgs) -> int:
    return args.get("max_storage_gb", 5 * args.get("storage_gb", 20))


def _problems(args: RdsPostgresArgs) -> Iterator[Problem]:
    if _max_storage(args) < args.get("storage_gb", 20):
        yield Problem("max_storage_gb", _max_storage(args), "give at least `storage_gb`, where it starts")
    if "rotation" in args:
        yield from rotation_day_problems(args["rotation"]["days"])
    yield from replica_problems("secret_replicas", args.get("secret_replicas", []), args["scope"])
    if "source_arn" in args and "credentials_secret_arn" not in args:
        remedy = "required with `source_arn`: give the copy of the primary's credentials in this region"
        yield Problem("credentials_secret_arn", MISSING, remedy)
    if "credentials_secret_arn" in args:
        for field in ("rotation", "secret_replicas"):
            if args.get(field):
                remedy = "leave it out: the credentials in `credentials_secret_arn` are kept where they were made"
                yield Problem(field, args.get(field), remedy)
    elif "credentials_key_arn" in args:
        yield Problem("credentials_key_arn", MISSING, "leave it out: it goes with `credentials_secret_arn`")


class RdsBackupCopyArgs(TypedDict):
    """Which backups are copied, and how."""

    instance_arn: pulumi.Input[str]
    """ARN of the instance whose backups are copied from its own region."""
    key_arn: pulumi.Input[str]
    """ARN of a KMS key in the region that the copies go to."""
    backup_days: NotRequired[int]
    """Days of point-in-time recovery in this region, 1 to 35. Default: 14."""


class RdsBackupCopy(Component):
    """Continuous copies of an instance's automated backups in the region of this component's provider, from which the
    database can be restored when its own region is gone.

    Raises `InputError` for bad args.
    """

    backup_arn: pulumi.Output[str]
    """ARN of the copied backups."""

    def __init__(self, name: str, args: RdsBackupCopyArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(RdsBackupCopyArgs, args, f"RdsBackupCopy {name}", {"backup_days": between(1, 35, "days")})
        super().__init__(name, opts)
        copies = aws.rds.InstanceAutomatedBackupsReplication(
            name,
            source_db_instance_arn=args["instance_arn"],
            kms_key_id=args["key_arn"],
            retention_period=args.get("backup_days", 14),
            opts=self._child(),
        )
        self.backup_arn = copies.id
        self._register()
