"""PostgreSQL on Amazon RDS."""

import json
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from ..component import Component, between, checked, checked_name, matching
from ..network.security_group import AwsSecurityGroup, connect
from ..problems import InputError, Problem
from ..security.policy import AwsScope, allow, arn, document, trust

PORT = 5432
INSTANCE_CLASS = r"db\.[a-z][a-z0-9]*(-[a-z0-9]+)?\.(micro|small|medium|large|(\d{1,2})?xlarge|metal)"
"""Shape of an instance class. What exists in a region, only AWS knows."""
VERSIONS = ("15", "16", "17", "18")
_EXPORTED_LOGS = ("postgresql", "upgrade")
_ADMINISTRATOR = "postgres"


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
    backup_days: NotRequired[int]
    """Days of point-in-time recovery, 1 to 35 (CKV_AWS_133). Default: 14."""
    log_days: NotRequired[int]
    """Days to keep its logs in CloudWatch. Default: 365 (CKV_AWS_338)."""
    protect: NotRequired[bool]
    """Whether AWS and Pulumi refuse to delete it (AWS-0177). Default: yes."""
    keep_final: NotRequired[bool]
    """Whether deletion keeps a final snapshot, the automated backups, and the secrets for 30 days. Default: yes."""


_RULES = {
    "database": matching(r"[a-z][a-z0-9_]{0,62}", "give a small letter, then small letters, digits and _, up to 63"),
    "instance_class": matching(INSTANCE_CLASS, "write it as db.<family>.<size>, for example db.m6g.large"),
    "version": lambda version: None if version in VERSIONS else f"choose one of {', '.join(VERSIONS)}",
    "storage_gb": between(20, 65536, "GB"),
    "replicas": between(0, 5, "replicas"),
    "backup_days": between(1, 35, "days; without backups there is no recovery and no replica"),
}


class RdsPostgres(Component):
    """An RDS PostgreSQL instance in private subnets, encrypted, reached over TLS only (CKV2_AWS_69), with backups,
    logs, Performance Insights (CKV_AWS_353), enhanced monitoring (CKV_AWS_118) and, by choice, a standby, read replicas
    and a proxy.

    The administrator's password is made, kept and rotated by RDS. The application has a role of its own: its password
    is generated here and stored, as the connection URL that a service expects, in Secrets Manager; a job inside the
    network creates the role in the database.

    Raises `InputError` for bad args and for a name that no identifier can be made of.
    """

    host: pulumi.Output[str]
    """Name to connect to: the proxy's with pooling, else the primary's."""
    reader_host: pulumi.Output[str]
    """Names of the replicas with a comma between, or `host` where there are none."""
    port: pulumi.Output[int]
    """TCP port."""
    database: pulumi.Output[str]
    """Name of the database."""
    role: pulumi.Output[str]
    """Name of the application's role in the database."""
    url_secret_arn: pulumi.Output[str]
    """ARN of the secret that holds the application's connection URL."""
    reader_url_secret_arn: pulumi.Output[str]
    """ARN of the secret that holds its URL for reading: of the replicas, or of the primary where there are none."""
    administrator_secret_arn: pulumi.Output[str]
    """ARN of the secret that RDS keeps the administrator's name and password in."""
    instance_arn: pulumi.Output[str]
    """ARN of the primary."""
    identifier: pulumi.Output[str]
    """Identifier of the primary, as metrics name it."""
    resource_id: pulumi.Output[str]
    """Resource id of the primary, as IAM authentication names it."""
    security_group_id: pulumi.Output[str]
    """Id of the database's security group."""

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
        max_storage = args.get("max_storage_gb", 5 * args.get("storage_gb", 20))
        if max_storage < args.get("storage_gb", 20):
            problem = Problem("max_storage_gb", max_storage, "give at least `storage_gb`, where it starts")
            raise InputError(subject, [problem])
        super().__init__(name, opts)
        self._prefix = name
        self._args = args
        self._protected = args.get("protect", True)
        self._keep_final = args.get("keep_final", True)
        self._max_storage = max_storage
        self._role = f"{args['database']}_app"

        group = AwsSecurityGroup(
            f"{name}-server",
            {"vpc_id": args["vpc_id"], "description": f"PostgreSQL instances of {name}"},
            self._child(),
        )
        self._parameters = self._parameter_group()
        self._monitoring = self._monitoring_role()
        primary = self._primary(group)
        replicas = [self._replica(primary, group, number) for number in range(1, args.get("replicas", 0) + 1)]
        password = random.RandomPassword(
            f"{name}-application",
            length=40,
            special=False,  # so that it stands in a URL as it is
            opts=self._child(),
        )
        host = primary.address
        if args.get("pooling", False):
            host = self._proxy(primary, group, password)
        else:
            for purpose, client in args.get("clients", {}).items():
                connect(f"{name}-{purpose}", PORT, client, group.group_id, self._child())
        readers = pulumi.Output.all(*[replica.address for replica in replicas]).apply(",".join) if replicas else host
        # Replicas stand beside the proxy, so whoever reads connects to them directly.
        if replicas and args.get("pooling", False):
            for purpose, client in args.get("clients", {}).items():
                connect(f"{name}-{purpose}-replicas", PORT, client, group.group_id, self._child())

        self.host = host
        self.reader_host = readers
        self.port = primary.port
        self.database = pulumi.Output.from_input(args["database"])
        self.role = pulumi.Output.from_input(self._role)
        self.url_secret_arn = self._url_secret("url", "connection URL", host, password)
        self.reader_url_secret_arn = self._url_secret("reader-url", "connection URL for reading", readers, password)
        self.administrator_secret_arn = primary.master_user_secrets.apply(lambda secrets: secrets[0].secret_arn or "")
        self.instance_arn = primary.arn
        self.identifier = primary.identifier
        self.resource_id = primary.resource_id
        self.security_group_id = group.group_id
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

    def _primary(self, group: AwsSecurityGroup) -> aws.rds.Instance:
        name, args = self._prefix, self._args
        subnets = aws.rds.SubnetGroup(
            name, description=f"Data subnets of {name}", subnet_ids=args["subnet_ids"], opts=self._child()
        )
        suffix = random.RandomId(f"{name}-final-snapshot", byte_length=4, opts=self._child())
        logs = self._log_groups(name)
        return aws.rds.Instance(
            name,
            identifier=name,  # the names of its log groups contain it
            engine="postgres",
            engine_version=args.get("version", "17"),
            instance_class=args["instance_class"],
            auto_minor_version_upgrade=True,
            allow_major_version_upgrade=False,
            engine_lifecycle_support="open-source-rds-extended-support-disabled",
            db_name=args["database"],
            port=PORT,
            username=_ADMINISTRATOR,
            manage_master_user_password=True,
            master_user_secret_kms_key_id=args["key_arn"],
            iam_database_authentication_enabled=True,
            ca_cert_identifier="rds-ca-rsa2048-g1",
            parameter_group_name=self._parameters.name,
            db_subnet_group_name=subnets.name,
            vpc_security_group_ids=[group.group_id],
            publicly_accessible=False,
            multi_az=args.get("multi_az", True),
            storage_type="gp3",
            allocated_storage=args.get("storage_gb", 20),
            max_allocated_storage=self._max_storage,
            storage_encrypted=True,
            kms_key_id=args["key_arn"],
            backup_retention_period=args.get("backup_days", 14),
            backup_window="02:00-03:00",
            maintenance_window="sun:03:30-sun:04:30",
            copy_tags_to_snapshot=True,
            delete_automated_backups=not self._keep_final,
            deletion_protection=self._protected,
            skip_final_snapshot=not self._keep_final,
            # A snapshot of an earlier database of this name may still be there.
            final_snapshot_identifier=pulumi.Output.concat(f"{name}-final-", suffix.hex) if self._keep_final else None,
            enabled_cloudwatch_logs_exports=list(_EXPORTED_LOGS),
            performance_insights_enabled=True,
            performance_insights_kms_key_id=args["key_arn"],
            performance_insights_retention_period=7,
            monitoring_interval=60,
            monitoring_role_arn=self._monitoring.arn,
            opts=self._child(
                protect=self._protected,
                delete_before_replace=True,  # its identifier is taken while it exists
                # RDS makes a missing log group by itself, and needs the role's policy; no value carries either.
                depends_on=[*logs, self._monitoring_policy],
            ),
        )

    def _replica(self, primary: aws.rds.Instance, group: AwsSecurityGroup, number: int) -> aws.rds.Instance:
        name = f"{self._prefix}-replica-{number}"
        logs = self._log_groups(name)
        return aws.rds.Instance(
            name,
            identifier=name,
            replicate_source_db=primary.identifier,
            instance_class=self._args["instance_class"],
            auto_minor_version_upgrade=True,
            engine_lifecycle_support="open-source-rds-extended-support-disabled",
            iam_database_authentication_enabled=True,
            ca_cert_identifier="rds-ca-rsa2048-g1",
            parameter_group_name=self._parameters.name,
            vpc_security_group_ids=[group.group_id],
            publicly_accessible=False,
            storage_type="gp3",
            max_allocated_storage=self._max_storage,
            storage_encrypted=True,
            kms_key_id=self._args["key_arn"],
            maintenance_window="sun:05:00-sun:06:00",
            copy_tags_to_snapshot=True,
            deletion_protection=self._protected,
            skip_final_snapshot=True,  # it holds nothing of its own
            enabled_cloudwatch_logs_exports=list(_EXPORTED_LOGS),
            performance_insights_enabled=True,
            performance_insights_kms_key_id=self._args["key_arn"],
            performance_insights_retention_period=7,
            monitoring_interval=60,
            monitoring_role_arn=self._monitoring.arn,
            opts=self._child(
                protect=self._protected, delete_before_replace=True, depends_on=[*logs, self._monitoring_policy]
            ),
        )

    def _proxy(
        self, primary: aws.rds.Instance, group: AwsSecurityGroup, password: random.RandomPassword
    ) -> pulumi.Output[str]:
        """The proxy's address. It signs in as the application, so it reads the application's credentials."""
        name, args, scope = self._prefix, self._args, self._args["scope"]
        credentials = self._secret(
            "proxy-credentials",
            "name and password",
            password.result.apply(lambda secret: json.dumps({"username": self._role, "password": secret})),
        )
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
                allow("Read", ["secretsmanager:GetSecretValue"], [credentials.arn]),
                allow(
                    "Decrypt",
                    ["kms:Decrypt"],
                    [args["key_arn"]],
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
                    "secret_arn": credentials.arn,
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
        aws.rds.ProxyTarget(
            f"{name}-proxy",
            db_proxy_name=proxy.name,
            target_group_name=target_group.name,
            db_instance_identifier=primary.identifier,
            opts=self._child(),
        )
        return proxy.endpoint

    def _url_secret(
        self, key: str, meaning: str, host: pulumi.Output[str], password: random.RandomPassword
    ) -> pulumi.Output[str]:
        hosts = host.apply(lambda names: ",".join(f"{each}:{PORT}" for each in names.split(",")))
        url = pulumi.Output.concat(
            "postgresql://",
            self._role,
            ":",
            password.result,
            "@",
            hosts,
            "/",
            self._args["database"],
            "?sslmode=require",
        )
        return self._secret(key, meaning, url).arn

    def _secret(self, key: str, meaning: str, value: pulumi.Output[str]) -> aws.secretsmanager.Secret:
        secret = aws.secretsmanager.Secret(
            f"{self._prefix}-{key}",
            description=f"The application's {meaning} at {self._prefix}",
            kms_key_id=self._args["key_arn"],
            recovery_window_in_days=30 if self._keep_final else 0,
            opts=self._child(),
        )
        aws.secretsmanager.SecretVersion(
            f"{self._prefix}-{key}",
            secret_id=secret.id,
            secret_string=pulumi.Output.secret(value),
            opts=self._child(),
        )
        return secret


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
