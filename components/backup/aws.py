"""Backups by AWS Backup: vaults that keep them, and plans that make them, copy them and try them out."""

import re
from collections.abc import Callable, Iterator
from enum import Enum
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..component import Component, between, checked, checked_name, known_after
from ..network.security_group import AwsSecurityGroup
from ..problems import MISSING, InputError, Problem, one_of
from ..security.policy import AwsScope, arn, document, trust

_FOREVER = 36500
_SERVICE = "backup.amazonaws.com"
# AWS Backup tells of failures as of completions: the events that are named after failed backups are no longer sent.
_EVENTS = (
    "BACKUP_JOB_COMPLETED",
    "COPY_JOB_FAILED",
    "RESTORE_JOB_COMPLETED",
    "S3_BACKUP_OBJECT_FAILED",
    "S3_RESTORE_OBJECT_FAILED",
)
# 23:00 UTC. RDS starts no snapshot in the hour before its own backup and maintenance windows, nor within them: those of
# our databases are 02:00 to 03:00, and Sundays 03:30 to 04:30. What is asked for then fails.
_DAILY = "cron(0 23 * * ? *)"
_MONTHLY = "cron(0 23 1 * ? *)"
_START_MINUTES = 60
# Seven days: the first backup of a large bucket takes days, and AWS cancels what takes longer than this.
_COMPLETE_MINUTES = 7 * 24 * 60
# The deletion of what has expired is AWS Backup's own and asks for neither action.
_KEPT_BY_ALL = {
    "Sid": "KeptByAll",
    "Effect": "Deny",
    "Principal": {"AWS": "*"},
    "Action": ["backup:DeleteRecoveryPoint", "backup:UpdateRecoveryPointLifecycle"],
    "Resource": "*",
}
# Plans and selections take 50 characters, eight of them the provider's; a selection's name holds a purpose too.
_LONGEST_NAME = 42
_NAME = r"[a-z](-?[a-z0-9])*"
_NAME_REMEDY = "use small letters, digits and single hyphens, letter first"
_CRON = r"cron\((\S+ ){5}\S+\)"


class AwsBackupVaultArgs(TypedDict):
    """How a vault keeps its backups."""

    scope: AwsScope
    """Account and region of the vault."""
    key_arn: pulumi.Input[str]
    """ARN of the KMS key, in the vault's region, that encrypts the backups (CKV_AWS_166)."""
    lock: NotRequired[bool]
    """Whether a lock keeps every backup until its time, against everyone who may not remove the lock. Default: yes."""
    min_retention_days: NotRequired[int]
    """Days that the lock asks of every backup at least: a job for a shorter time fails. Default: 7."""
    max_retention_days: NotRequired[int]
    """Days that the lock grants a backup at most: a job for a longer time fails. Default: no limit."""
    topic_arn: NotRequired[pulumi.Input[str]]
    """ARN of an SNS topic, in the vault's region, that is told of ended backups and restores and of failed copies. Its
    policy, and its key's, must let `backup.amazonaws.com` publish. A subscription that wants failures alone filters on
    the message attribute `State`. Default: nobody is told."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete it. Default: yes."""
    delete_contents: NotRequired[bool]
    """Whether its deletion deletes the backups in it too, instead of failing. It then has no policy that refuses to
    delete them. Default: no."""


_VAULT_RULES = {
    "min_retention_days": between(1, _FOREVER, "days"),
    "max_retention_days": between(1, _FOREVER, "days"),
}


class AwsBackupVault(Component):
    """A vault of AWS Backup, encrypted with a key of ours (CKV_AWS_166) and locked, with a policy that lets nobody
    delete a backup by hand.

    The lock is in governance mode, always: who may, removes it. One in compliance mode cannot be undone, by nobody and
    for nothing, so it is no choice here. The policy forbids neither its own removal nor the lock's, since that would
    shut Pulumi out as well: whoever must delete a backup before its time removes both first.

    Raises `InputError` for bad args and for a name that no vault can have.
    """

    vault_name: pulumi.Output[str]
    """Name of the vault, the component's. Known once its lock and its policy are there."""
    vault_arn: pulumi.Output[str]
    """ARN of the vault. Known once its lock and its policy are there."""

    def __init__(self, name: str, args: AwsBackupVaultArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"AwsBackupVault {name}"
        args = checked(AwsBackupVaultArgs, args, subject, _VAULT_RULES)
        remedy = "AWS Backup takes two or more letters, digits, hyphens and underscores"
        checked_name(name, subject, 50, r"[A-Za-z0-9_-]{2,}", remedy)
        _refuse(subject, _vault_problems(args))
        super().__init__(name, opts)
        vault = aws.backup.Vault(
            name,
            name=name,
            kms_key_arn=args["key_arn"],
            force_destroy=args.get("delete_contents", False),
            opts=self._child(
                protect=args.get("protect", True),
                delete_before_replace=True,  # its name is taken while it exists
            ),
        )
        sides: list[pulumi.CustomResource] = []
        if args.get("lock", True):
            sides.append(
                aws.backup.VaultLockConfiguration(
                    name,
                    backup_vault_name=vault.name,
                    # No `changeable_for_days`: it would make this a compliance lock.
                    min_retention_days=args.get("min_retention_days", 7),
                    max_retention_days=args.get("max_retention_days"),
                    # AWS changes none: each change is another lock, and the old one's deletion would take it along.
                    opts=self._child(delete_before_replace=True),
                )
            )
        if not args.get("delete_contents", False):
            sides.append(
                aws.backup.VaultPolicy(
                    name, backup_vault_name=vault.name, policy=document(_KEPT_BY_ALL), opts=self._child()
                )
            )
        if "topic_arn" in args:
            aws.backup.VaultNotifications(
                name,
                backup_vault_name=vault.name,
                sns_topic_arn=args["topic_arn"],
                backup_vault_events=list(_EVENTS),
                opts=self._child(delete_before_replace=True),  # likewise: a vault has one
            )
        self.vault_name = known_after(vault.name, *sides)
        self.vault_arn = known_after(vault.arn, *sides)
        self._register()


class BackupKind(Enum):
    """What AWS Backup can back up. Caches and brokers are not among it: they have ways of their own."""

    RDS = "RDS"
    """A database instance on RDS: a primary, since replicas hold nothing of their own."""
    S3 = "S3"
    """A bucket with versioning."""
    EKS = "EKS"
    """A cluster whose authentication mode knows access entries, with the volumes that its claims bind."""
    EBS = "EBS"
    """A volume."""
    EFS = "EFS"
    """A file system."""
    DYNAMODB = "DynamoDB"
    """A table."""


_FORMS = {
    BackupKind.RDS: "arn:aws:rds:<region>:<account>:db:<identifier>",
    BackupKind.S3: "arn:aws:s3:::<bucket>",
    BackupKind.EKS: "arn:aws:eks:<region>:<account>:cluster/<name>",
    BackupKind.EBS: "arn:aws:ec2:<region>:<account>:volume/<id>",
    BackupKind.EFS: "arn:aws:elasticfilesystem:<region>:<account>:file-system/<id>",
    BackupKind.DYNAMODB: "arn:aws:dynamodb:<region>:<account>:table/<name>",
}
"""What ARNs of a kind look like."""
_UNCOVERED = {
    "elasticache": "a cache's own daily snapshots do",
    "mq": "the definitions in its configuration do",
}
"""What else keeps the data of services that AWS Backup knows nothing of."""
_UNTESTED = {BackupKind.EKS}
"""Kinds that AWS Backup backs up and restores, but not as a test."""


class BackedUp(TypedDict):
    """One thing that is backed up."""

    arn: pulumi.Input[str]
    """Its ARN, in the plan's region."""
    kind: BackupKind
    """What it is."""


class BackupCopy(TypedDict):
    """Where copies of the backups go."""

    vault_arn: pulumi.Input[str]
    """ARN of a vault in another region."""
    days: NotRequired[int]
    """Days to keep a copy. Default: as long as its original."""


class RestoreNetwork(TypedDict):
    """Where databases stand that are restored as a test."""

    vpc_id: pulumi.Input[str]
    """Id of the VPC."""
    subnet_ids: pulumi.Input[list[str]]
    """Ids of data subnets, in two zones or more."""


class RestoreTest(TypedDict):
    """How backups are tried out: AWS restores the latest of each, lets it stand for a while, and deletes it."""

    schedule: NotRequired[str]
    """When, as a cron expression of AWS in UTC. Default: on the second of every month at 06:00."""
    validation_hours: NotRequired[int]
    """Hours that what was restored stands, for whoever wants to look into it, 1 to 168. Default: 1."""
    network: NotRequired[RestoreNetwork]
    """Where databases are restored, out of everyone's reach. Databases need it: AWS would take the default VPC."""
    overrides: NotRequired[dict[str, dict[str, pulumi.Input[str]]]]
    """Restore metadata that AWS would infer otherwise, such as a database's `dbInstanceClass`, by the purpose that the
    resource has in `resources`. Default: none but a database's subnet group and security group."""


class AwsBackupPlanArgs(TypedDict):
    """What is backed up, for how long, and where to."""

    scope: AwsScope
    """Account and region of the plan and of everything that it backs up."""
    vault_name: pulumi.Input[str]
    """Name of the vault that receives the backups, in the plan's region. Its lock must allow the days below."""
    resources: dict[str, BackedUp]
    """What is backed up, by purpose: small letters, digits and single hyphens, letter first."""
    daily_days: NotRequired[int]
    """Days to keep the backup of each day. Default: 35."""
    monthly_days: NotRequired[int]
    """Days to keep the backup of the first day of each month, more than `daily_days`; 0 for none. Default: 365."""
    copy_to: NotRequired[BackupCopy]
    """Where copies go. Default: nowhere."""
    restore_test: NotRequired[RestoreTest]
    """How the backups are tried out. Clusters are left out: AWS does not test them. Default: not at all."""


_PLAN_RULES = {
    "daily_days": between(1, _FOREVER, "days"),
    "monthly_days": between(0, _FOREVER, "days"),
}


class AwsBackupPlan(Component):
    """A plan of AWS Backup: daily and monthly backups of named resources, by choice with copies in another region and
    with restores as a test.

    The backups are snapshots. Continuous ones are left to the services: of a database, AWS Backup would take RDS's own
    automated backups over, and set their retention and window against what the database's own resource says. Nothing
    moves to cold storage, which AWS Backup has for neither databases nor buckets.

    On the first of a month the two rules start together: AWS Backup then makes one backup, for the longer time.

    Raises `InputError` for bad args, for ARNs of another kind than is said or of what AWS Backup does not cover, and
    for names that no plan or selection can have.
    """

    plan_id: pulumi.Output[str]
    """Id of the plan."""
    plan_arn: pulumi.Output[str]
    """ARN of the plan."""
    role_arn: pulumi.Output[str]
    """ARN of the role that makes the backups, and later deletes what has expired. Known once it has its policies."""

    def __init__(self, name: str, args: AwsBackupPlanArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"AwsBackupPlan {name}"
        args = checked(AwsBackupPlanArgs, args, subject, _PLAN_RULES)
        checked_name(name, subject, _LONGEST_NAME, _NAME, _NAME_REMEDY)
        _refuse(subject, _plan_problems(name, args))
        super().__init__(name, opts)
        self._prefix = name
        self._args = args
        self._subject = subject
        self._arns = {purpose: self._arn_of(purpose, each) for purpose, each in args["resources"].items()}
        role_arn = self._role(name, "Makes and copies backups", "ForBackup", "ForS3Backup")
        plan = aws.backup.Plan(name, rules=self._rules(), opts=self._child())
        for purpose, resource_arn in self._arns.items():
            aws.backup.Selection(
                f"{name}-{purpose}",
                plan_id=plan.id,
                iam_role_arn=role_arn,
                resources=[resource_arn],
                opts=self._child(),
            )
        if "restore_test" in args:
            self._restore_tests(args["restore_test"])
        self.plan_id = plan.id
        self.plan_arn = plan.arn
        self.role_arn = role_arn
        self._register()

    def _arn_of(self, purpose: str, backed_up: BackedUp) -> pulumi.Output[str]:
        path, kind = f"resources.{purpose}.arn", backed_up["kind"]
        return _verified(self._subject, path, backed_up["arn"], lambda known: _misfit(kind, known))

    def _role(self, name: str, description: str, services: str, stores: str) -> pulumi.Output[str]:
        """The ARN of a role with the policies that AWS prescribes, known once it has them: that for buckets only where
        there are some."""
        role = aws.iam.Role(
            name,
            description=description,
            assume_role_policy=trust(self._args["scope"], _SERVICE),
            opts=self._child(),
        )
        policies = {"services": f"service-role/AWSBackupServiceRolePolicy{services}"}
        if BackupKind.S3 in _kinds(self._args):
            policies["stores"] = f"AWSBackupServiceRolePolicy{stores}"
        partition = self._args["scope"].get("partition", "aws")
        attached = [
            aws.iam.RolePolicyAttachment(
                f"{name}-{key}",
                role=role.name,
                policy_arn=f"arn:{partition}:iam::aws:policy/{policy}",
                opts=self._child(),
            )
            for key, policy in policies.items()
        ]
        return known_after(role.arn, *attached)

    def _rules(self) -> list[aws.backup.PlanRuleArgsDict]:
        rules = [self._rule("daily", _DAILY, self._args.get("daily_days", 35))]
        if monthly := self._args.get("monthly_days", 365):
            rules.append(self._rule("monthly", _MONTHLY, monthly))
        return rules

    def _rule(self, name: str, schedule: str, days: int) -> aws.backup.PlanRuleArgsDict:
        rule: aws.backup.PlanRuleArgsDict = {
            "rule_name": name,
            "target_vault_name": self._args["vault_name"],
            "schedule": schedule,
            "schedule_expression_timezone": "Etc/UTC",
            "start_window": _START_MINUTES,
            "completion_window": _COMPLETE_MINUTES,
            "enable_continuous_backup": False,
            "lifecycle": {"delete_after": days},
        }
        if "copy_to" in self._args:
            copy = self._args["copy_to"]
            home = self._args["scope"]["region"]
            vault_arn = _verified(
                self._subject, "copy_to.vault_arn", copy["vault_arn"], lambda known: _stays_home(known, home)
            )
            rule["copy_actions"] = [
                {"destination_vault_arn": vault_arn, "lifecycle": {"delete_after": copy.get("days", days)}}
            ]
        return rule

    def _restore_tests(self, test: RestoreTest) -> None:
        name, args = self._prefix, self._args
        role_arn = self._role(f"{name}-restore", "Restores backups as a test", "ForRestores", "ForS3Restore")
        of_databases = self._apart(test["network"]) if "network" in test and BackupKind.RDS in _kinds(args) else {}
        vault_arn = pulumi.Output.concat(arn(args["scope"], "backup", "backup-vault:"), args["vault_name"])
        # The names of these two take no hyphens, so they cannot be the provider's own.
        plan = aws.backup.RestoreTestingPlan(
            name,
            name=_underscored(name),
            schedule_expression=test.get("schedule", "cron(0 6 2 * ? *)"),
            schedule_expression_timezone="Etc/UTC",
            recovery_point_selection={
                "algorithm": "LATEST_WITHIN_WINDOW",
                "recovery_point_types": ["SNAPSHOT"],
                "include_vaults": [vault_arn],
            },
            opts=self._child(delete_before_replace=True),
        )
        for purpose, backed_up in args["resources"].items():
            if backed_up["kind"] in _UNTESTED:
                continue
            overrides = of_databases if backed_up["kind"] is BackupKind.RDS else {}
            aws.backup.RestoreTestingSelection(
                f"{name}-{purpose}",
                name=_underscored(purpose),
                restore_testing_plan_name=plan.name,
                protected_resource_type=backed_up["kind"].value,
                protected_resource_arns=[self._arns[purpose]],
                iam_role_arn=role_arn,
                restore_metadata_overrides={**overrides, **test.get("overrides", {}).get(purpose, {})} or None,
                validation_window_hours=test.get("validation_hours", 1),
                opts=self._child(delete_before_replace=True),
            )

    def _apart(self, network: RestoreNetwork) -> dict[str, pulumi.Input[str]]:
        """The metadata that restore a database into the given subnets, behind a group that lets nobody in or out."""
        name = f"{self._prefix}-restore"
        described = f"Databases that {self._prefix} restores as a test"
        group = AwsSecurityGroup(name, {"vpc_id": network["vpc_id"], "description": described}, self._child())
        subnets = aws.rds.SubnetGroup(name, description=described, subnet_ids=network["subnet_ids"], opts=self._child())
        return {
            "dbSubnetGroupName": subnets.name,
            "vpcSecurityGroupIds": pulumi.Output.json_dumps([group.group_id]),
        }


def _vault_problems(args: AwsBackupVaultArgs) -> Iterator[Problem]:
    region = args["scope"]["region"]
    for path in ("key_arn", "topic_arn"):
        given = args.get(path)
        if isinstance(given, str) and _region(given) not in ("", region):
            yield Problem(path, given, f"give one in {region}, where the vault stands")
    least, most = args.get("min_retention_days", 7), args.get("max_retention_days")
    if not args.get("lock", True):
        for path, days in (("min_retention_days", args.get("min_retention_days")), ("max_retention_days", most)):
            if days is not None:
                yield Problem(path, days, "only a lock asks for it; leave it out, or lock the vault")
    elif most is not None and most < least:
        yield Problem("max_retention_days", most, f"give min_retention_days, {least}, or more")


def _plan_problems(name: str, args: AwsBackupPlanArgs) -> Iterator[Problem]:
    yield from _resource_problems(name, args["resources"])
    daily, monthly = args.get("daily_days", 35), args.get("monthly_days", 365)
    if monthly and monthly <= daily:
        yield Problem("monthly_days", monthly, f"give more than daily_days, {daily}, or 0 for none")
    if "copy_to" in args:
        vault_arn, days = args["copy_to"]["vault_arn"], args["copy_to"].get("days", daily)
        if isinstance(vault_arn, str) and (remedy := _stays_home(vault_arn, args["scope"]["region"])):
            yield Problem("copy_to.vault_arn", vault_arn, remedy)
        if not 1 <= days <= _FOREVER:
            yield Problem("copy_to.days", days, f"give 1 to {_FOREVER} days")
    if "restore_test" in args:
        yield from _test_problems(args["restore_test"], args["resources"])


def _resource_problems(name: str, resources: dict[str, BackedUp]) -> Iterator[Problem]:
    if not resources:
        yield Problem("resources", resources, "name what is backed up, or make no plan")
    longest = _LONGEST_NAME - len(f"{name}-")
    for purpose, backed_up in resources.items():
        path, resource_arn = f"resources.{purpose}", backed_up["arn"]
        if not re.fullmatch(_NAME, purpose):
            yield Problem(path, purpose, _NAME_REMEDY)
        elif len(purpose) > longest:
            yield Problem(path, purpose, f"{len(purpose)} characters; beside the name {name} use {longest} or fewer")
        if isinstance(resource_arn, str) and (remedy := _misfit(backed_up["kind"], resource_arn)):
            yield Problem(f"{path}.arn", resource_arn, remedy)


def _test_problems(test: RestoreTest, resources: dict[str, BackedUp]) -> Iterator[Problem]:
    tested = [purpose for purpose, each in resources.items() if each["kind"] not in _UNTESTED]
    if resources and not tested:
        yield Problem("restore_test", MISSING, "AWS restores no cluster as a test; leave it out")
    schedule, hours = test.get("schedule"), test.get("validation_hours", 1)
    if schedule is not None and not re.fullmatch(_CRON, schedule):
        remedy = "write a cron expression of six fields, for example cron(0 6 2 * ? *)"
        yield Problem("restore_test.schedule", schedule, remedy)
    if not 1 <= hours <= 168:
        yield Problem("restore_test.validation_hours", hours, "give 1 to 168 hours")
    if "network" not in test and any(each["kind"] is BackupKind.RDS for each in resources.values()):
        remedy = "required to restore databases; give their VPC and data subnets"
        yield Problem("restore_test.network", MISSING, remedy)
    for purpose in test.get("overrides", {}):
        if purpose not in tested:
            yield Problem(f"restore_test.overrides.{purpose}", MISSING, one_of(tested, purpose))


def _misfit(kind: BackupKind, resource_arn: str) -> str | None:
    """What is wrong with the ARN of something that is said to be of a kind."""
    service, resource = _part(resource_arn, 2), _part(resource_arn, 5)
    if service in _UNCOVERED:
        return f"AWS Backup does not cover it: {_UNCOVERED[service]}; leave it out"
    form = _FORMS[kind]
    if service == _part(form, 2) and resource.startswith(_part(form, 5).partition("<")[0]):
        return None
    return f"of kind {kind.value} are ARNs like {form}; give one, or change its kind"


def _stays_home(vault_arn: str, home: str) -> str | None:
    return f"it stands in {home} as well; give a vault in another region" if _region(vault_arn) == home else None


def _region(given_arn: str) -> str:
    return _part(given_arn, 3)


def _part(given_arn: str, position: int) -> str:
    """A part of an ARN, or nothing where it has none."""
    parts = given_arn.split(":", 5)
    return parts[position] if position < len(parts) else ""


def _kinds(args: AwsBackupPlanArgs) -> set[BackupKind]:
    return {each["kind"] for each in args["resources"].values()}


def _underscored(name: str) -> str:
    """The name as restore tests take it: with letters, digits and underscores alone."""
    return name.replace("-", "_")


def _verified(
    subject: str, path: str, value: pulumi.Input[str], look: Callable[[str], str | None]
) -> pulumi.Output[str]:
    """The value, refused for what is wrong with it as soon as it is known."""

    def verify(known: str) -> str:
        if remedy := look(known):
            raise InputError(subject, [Problem(path, known, remedy)])
        return known

    return pulumi.Output.from_input(value).apply(verify)


def _refuse(subject: str, found: Iterator[Problem]) -> None:
    if problems := list(found):
        raise InputError(subject, problems)
