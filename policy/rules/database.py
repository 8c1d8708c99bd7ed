"""PostgreSQL on RDS."""

from collections.abc import Iterator

from .demands import DURABLE, PROD, absent, at_least, equal, false, given, including, judged, matching, true
from .logs import LOG_GROUP
from .paths import MISSING, UNKNOWN, read
from .rule import Level, Link, Resource, Rule, Stack, staying

INSTANCE = "aws:rds/instance:Instance"
PARAMETERS = "aws:rds/parameterGroup:ParameterGroup"
PROXY = "aws:rds/proxy:Proxy"
COPIES = "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"


def _is_replica(instance: Resource, stack: Stack) -> bool:
    return "replicateSourceDb" in instance.inputs


def _is_primary(instance: Resource, stack: Stack) -> bool:
    return not _is_replica(instance, stack)


def _has_replicas(instance: Resource, stack: Stack) -> bool:
    """Whether others replicate it: in this stack, or, by its tag, in another one."""
    elsewhere = read(instance.inputs, "tags.replicated") is not MISSING
    return elsewhere or bool(stack.pointing(instance, INSTANCE, "replicateSourceDb"))


def _is_replicated_primary(instance: Resource, stack: Stack) -> bool:
    return _is_primary(instance, stack) and _has_replicas(instance, stack)


def _is_single_primary(instance: Resource, stack: Stack) -> bool:
    return _is_primary(instance, stack) and not _has_replicas(instance, stack)


def _stands_alone(instance: Resource, stack: Stack) -> bool:
    """Whether it takes nothing from another instance of its region, as a replica in the same one does."""
    sources = stack.pointed(instance, INSTANCE, "replicateSourceDb")
    home = stack.region(instance)
    if sources:
        return any(stack.region(source) != home for source in sources)
    # AWS takes an identifier in the same region and an ARN out of another one.
    return str(instance.inputs.get("replicateSourceDb", "arn:")).startswith("arn:")


def _can_grow(instance: Resource, stack: Stack) -> Iterator[str]:
    now, most = instance.inputs.get("allocatedStorage"), instance.inputs.get("maxAllocatedStorage")
    if isinstance(now, int) and isinstance(most, int) and most <= now:
        yield f"it ends at {most} GB and starts with {now} GB"


def _keeps_its_logs(instance: Resource, stack: Stack) -> Iterator[str]:
    identifier, logs = instance.inputs.get("identifier"), instance.inputs.get("enabledCloudwatchLogsExports")
    if identifier == UNKNOWN or not isinstance(logs, list) or UNKNOWN in logs:
        return
    groups = [each.inputs.get("name") for each in stack.pointed(instance, LOG_GROUP, "")]
    for log in logs:
        name = f"/aws/rds/instance/{identifier}/{log}"
        if name not in groups and UNKNOWN not in groups:
            yield f"it waits for no log group {name}"


def _goes_elsewhere(instance: Resource, stack: Stack) -> Iterator[str]:
    home = stack.region(instance)
    for copies in stack.pointing(instance, COPIES, "sourceDbInstanceArn"):
        if home and stack.region(copies) == home:
            yield f"{copies.name} stays in {home}"


RULES = (
    Rule(
        "rds-encrypted",
        "A database's storage is encrypted with a key of ours.",
        (INSTANCE,),
        ("CKV_AWS_16", "AWS-0080", "CIS-AWS-2.3.1"),
        demands={"storageEncrypted": true(), "kmsKeyId": given()},
    ),
    Rule(
        "rds-private",
        "A database has no public address.",
        (INSTANCE,),
        ("CKV_AWS_17", "AWS-0180", "CIS-AWS-2.3.3"),
        demands={"publiclyAccessible": false()},
    ),
    Rule(
        "rds-guarded",
        "A database stands behind security groups of its own, not behind the default one of its VPC.",
        (INSTANCE, PROXY),
        demands={"vpcSecurityGroupIds": given()},
    ),
    Rule(
        "rds-own-subnets",
        "A database stands in the subnets that it is given, not in the account's default VPC.",
        (INSTANCE,),
        demands={"dbSubnetGroupName": given()},
        when=_stands_alone,
        looks_around=True,
    ),
    Rule(
        "rds-standby",
        "A database in staging and prod has a standby in another zone.",
        (INSTANCE,),
        ("CKV_AWS_157",),
        demands={"multiAz": true()},
        when=_is_primary,
        tiers=DURABLE,
    ),
    Rule(
        "rds-backups",
        "A database can be put back to any moment of the last day, in staging and prod of the last week.",
        (INSTANCE,),
        ("CKV_AWS_133", "AWS-0077"),
        demands={"backupRetentionPeriod": at_least(7, dev=1)},
        when=_stands_alone,
        looks_around=True,
    ),
    Rule(
        "rds-backups-elsewhere",
        "A database in prod has copies of its backups in another region.",
        (INSTANCE,),
        links=(
            Link(
                "a copy of its backups",
                COPIES,
                "sourceDbInstanceArn",
                {"retentionPeriod": at_least(7)},
            ),
        ),
        check=_goes_elsewhere,
        when=_is_primary,
        tiers=(PROD,),
    ),
    Rule(
        "rds-backups-elsewhere-encrypted",
        "Copies of backups in another region are encrypted with a key of ours.",
        (COPIES,),
        ("CKV_AWS_245",),
        demands={"kmsKeyId": given()},
    ),
    Rule(
        "rds-last-snapshot",
        "A database in staging and prod leaves a final snapshot and its backups behind.",
        (INSTANCE,),
        demands={
            "skipFinalSnapshot": false(),
            "finalSnapshotIdentifier": given(),
            "deleteAutomatedBackups": false(),
        },
        when=_is_primary,
        tiers=DURABLE,
    ),
    Rule(
        "rds-deletion-protection",
        "AWS refuses to delete a database in staging and prod.",
        (INSTANCE,),
        ("AWS-0177", "CKV_AWS_293"),
        demands={"deletionProtection": true()},
        when=staying,
        tiers=DURABLE,
    ),
    Rule(
        "rds-tagged-snapshots",
        "A database's snapshots carry its tags.",
        (INSTANCE,),
        ("CKV2_AWS_60",),
        demands={"copyTagsToSnapshot": true()},
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "rds-iam-authentication",
        "People sign in to a database as themselves, with IAM.",
        (INSTANCE,),
        ("CKV_AWS_161", "AWS-0176"),
        demands={"iamDatabaseAuthenticationEnabled": true()},
    ),
    Rule(
        "rds-managed-password",
        "The administrator's password is made, kept and rotated by RDS, encrypted with a key of ours.",
        (INSTANCE,),
        demands={
            "manageMasterUserPassword": true(),
            "masterUserSecretKmsKeyId": given(),
            "password": absent("something"),
            "passwordWo": absent("something"),
        },
        when=_is_single_primary,
        looks_around=True,
    ),
    Rule(
        "rds-own-password",
        "A database with replicas has an administrator's password of ours: AWS refuses replicas of one whose password "
        "RDS manages.",
        (INSTANCE,),
        demands={
            "manageMasterUserPassword": absent(True),
            "masterUserSecretKmsKeyId": absent("something"),
            "password|passwordWo": given(),
        },
        when=_is_replicated_primary,
        looks_around=True,
    ),
    Rule(
        "rds-replica-no-password",
        "A replica takes its users from its primary: AWS refuses credentials of its own.",
        (INSTANCE,),
        demands={
            "username": absent("someone"),
            "password": absent("something"),
            "passwordWo": absent("something"),
            "manageMasterUserPassword": absent(True),
            "masterUserSecretKmsKeyId": absent("something"),
        },
        when=_is_replica,
    ),
    Rule(
        "rds-no-blue-green-with-replicas",
        "A database with replicas is not updated by blue-green deployment: the two do not go together.",
        (INSTANCE,),
        demands={"blueGreenUpdate.enabled": absent(True)},
        when=_has_replicas,
        looks_around=True,
    ),
    Rule(
        "rds-force-tls",
        "A database answers over TLS only, and its parameter group says so.",
        (INSTANCE,),
        ("CKV2_AWS_69",),
        demands={"parameterGroupName": given()},
        links=(
            Link(
                "a parameter group of this stack",
                PARAMETERS,
                "parameterGroupName",
                {
                    "parameters[name=rds.force_ssl]": given(),
                    "parameters[name=rds.force_ssl].value": equal("1", breaks=["0"]),
                },
                outward=True,
            ),
        ),
    ),
    Rule(
        "rds-certificate",
        "A database's certificate comes from an authority that has not expired.",
        (INSTANCE,),
        ("CKV_AWS_211",),
        demands={
            "caCertIdentifier": equal(
                "rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1", breaks=["rds-ca-2019"]
            )
        },
    ),
    Rule(
        "rds-enhanced-monitoring",
        "A database shows what its operating system does.",
        (INSTANCE,),
        ("CKV_AWS_118",),
        demands={"monitoringInterval": at_least(1), "monitoringRoleArn": given()},
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "rds-performance-insights",
        "A database shows what its queries wait for.",
        (INSTANCE,),
        ("CKV_AWS_353", "AWS-0133"),
        demands={"performanceInsightsEnabled": true()},
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "rds-performance-insights-encrypted",
        "What Performance Insights keeps, queries among it, is encrypted with a key of ours.",
        (INSTANCE,),
        ("CKV_AWS_354", "AWS-0078"),
        demands={"performanceInsightsKmsKeyId": given()},
    ),
    Rule(
        "rds-logs",
        "A database sends its logs to CloudWatch.",
        (INSTANCE,),
        ("CKV_AWS_129",),
        demands={"enabledCloudwatchLogsExports": including("postgresql", "upgrade")},
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "rds-log-groups",
        "The log groups stand before the database that writes to them: RDS makes missing ones by itself, unencrypted "
        "and kept for ever.",
        (INSTANCE,),
        links=(Link("log groups", LOG_GROUP, "", {"name": judged("/elsewhere")}, outward=True, judged=True),),
        check=_keeps_its_logs,
    ),
    Rule(
        "rds-query-logs",
        "A database logs slow statements and changes of its schema.",
        (INSTANCE,),
        ("CKV2_AWS_30",),
        links=(
            Link(
                "a parameter group of this stack",
                PARAMETERS,
                "parameterGroupName",
                {
                    "parameters[name=log_statement].value": equal("ddl", "mod", "all", breaks=["none"]),
                    "parameters[name=log_min_duration_statement].value": matching(
                        r"\d+", "be a number of milliseconds", "-1"
                    ),
                },
                outward=True,
            ),
        ),
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "rds-parameter-group-named-apart",
        "A parameter group takes a name of the provider's: at a major upgrade the new one stands beside the old one.",
        (PARAMETERS,),
        demands={"name": absent("fixed")},
        level=Level.ADVISORY,
    ),
    Rule(
        "rds-version",
        "A database pins a supported major version and leaves the minor one to AWS.",
        (INSTANCE,),
        demands={"engineVersion": matching("15|16|17|18", "be 15, 16, 17 or 18", "17.4", "14")},
        when=_is_primary,
    ),
    Rule(
        "rds-minor-upgrades",
        "A database takes minor versions by itself.",
        (INSTANCE,),
        ("CKV_AWS_226", "CIS-AWS-2.3.2"),
        demands={"autoMinorVersionUpgrade": true()},
        in_dev=Level.ADVISORY,
    ),
    Rule(
        "rds-no-extended-support",
        "A database does not slip into paid extended support.",
        (INSTANCE,),
        demands={
            "engineLifecycleSupport": equal(
                "open-source-rds-extended-support-disabled", breaks=["open-source-rds-extended-support"]
            )
        },
    ),
    Rule(
        "rds-growing-storage",
        "A database's volume is gp3 and grows by itself.",
        (INSTANCE,),
        demands={"storageType": equal("gp3", breaks=["gp2"]), "maxAllocatedStorage": at_least(1)},
        check=_can_grow,
        level=Level.ADVISORY,
    ),
    Rule(
        "rds-proxy-tls",
        "A proxy answers over TLS only.",
        (PROXY,),
        demands={"requireTls": true()},
    ),
    Rule(
        "rds-proxy-credentials",
        "A proxy signs in with credentials out of Secrets Manager.",
        (PROXY,),
        demands={
            "auths[*].authScheme": equal("SECRETS", breaks=[""]),
            "auths[*].secretArn": given(),
            "roleArn": given(),
        },
    ),
    Rule(
        "rds-proxy-quiet",
        "A proxy does not write statements, and the values in them, to its log.",
        (PROXY,),
        demands={"debugLogging": absent(True)},
    ),
)
