"""Backups on Google Cloud: a vault and plans of the Backup and DR service for databases, plans of Backup for GKE."""

import re
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp
import pulumi_random as random

from ..component import Component, between, checked, checked_name, matching
from ..problems import InputError, Problem
from ..security.google import REGION, GcpScope, scope_problem, service_account

_DAY = 86400
_FOREVER = 36159
"""Days in the 99 years that a backup lasts at most."""
_SQL = "sqladmin.googleapis.com/Instance"
# A window has six hours or more. A job that has not begun at its end is not run.
_WINDOW = {"start_hour_of_day": 0, "end_hour_of_day": 6}
_NAME = r"[a-z](-?[a-z0-9])*"
_NAME_REMEDY = "use small letters, digits and single hyphens, letter first"
_INSTANCE = r"projects/[^/]+/instances/[^/]+"
_CLUSTER = r"projects/[^/]+/locations/[^/]+/clusters/[^/]+"
_KEY = r"projects/[^/]+/locations/([^/]+)/keyRings/[^/]+/cryptoKeys/[^/]+"
_LONGEST_ID = 63


class VaultAccess(Enum):
    """Whose backups a vault takes, and where they may be restored."""

    WITHIN_PROJECT = "WITHIN_PROJECT"
    """Those of its own project, and nowhere else."""
    WITHIN_ORGANIZATION = "WITHIN_ORGANIZATION"
    """Those of its organization's projects."""


class GcpBackupVaultArgs(TypedDict):
    """How a vault keeps its backups."""

    scope: GcpScope
    """Project and region of the vault."""
    location: NotRequired[str]
    """Region that it stands in. Default: that of the scope."""
    locked_days: NotRequired[int]
    """Days in which nobody deletes a backup; a plan that keeps backups for less is refused. Every vault has one at
    least. Default: 7."""
    access: NotRequired[VaultAccess]
    """Whose backups it takes. Default: its organization's."""
    key_name: NotRequired[pulumi.Input[str]]
    """Id of the KMS key, of the vault's region, for what the vault encrypts. Google takes it at creation only. The
    backups of a database stay encrypted with the database's own key, which Google's account `gcp-sa-backupdr` must be
    allowed to use. Default: Google's key."""
    protect: NotRequired[bool]
    """Whether Pulumi and Google's provider refuse to delete it. Default: yes."""
    delete_contents: NotRequired[bool]
    """Whether its deletion takes along what is left in it without a backup, and does not mind plans that name it. No
    flag deletes backups: while one is locked, the vault stays. Default: no."""
    abandon: NotRequired[bool]
    """Whether its deletion only forgets it, so that it goes on existing with its locked backups until somebody deletes
    it by hand. Needs `protect` to be false. Default: no."""


_VAULT_RULES = {
    "scope": scope_problem,
    "location": matching(REGION, "give a region like europe-west3"),
    "locked_days": between(1, _FOREVER, "days"),
}


class GcpBackupVault(Component):
    """A vault of the Backup and DR service. It belongs to Google, not to the project: nobody, the project's owner
    included, deletes a backup in it before its time, and the backups outlive the project.

    The time itself can be shortened for backups to come, by whoever may change the vault. The lock that forbids that
    too (`effective_time`) is no choice here: it cannot be undone, by nobody and for nothing.

    Its id ends in random characters, since an abandoned one keeps its own.

    Raises `InputError` for bad args and for a name that no vault can have.
    """

    vault_id: pulumi.Output[str]
    """Its id, `projects/<p>/locations/<l>/backupVaults/<v>`."""
    vault_name: pulumi.Output[str]
    """Its name, the last part of its id."""
    service_account: pulumi.Output[str]
    """Address of the account of Google's by which the vault makes its backups."""
    locked_days: pulumi.Output[int]
    """Days in which nobody deletes a backup."""

    def __init__(self, name: str, args: GcpBackupVaultArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"GcpBackupVault {name}"
        args = checked(GcpBackupVaultArgs, args, subject, _VAULT_RULES)
        checked_name(name, subject, _LONGEST_ID - len("-12345678"), _NAME, _NAME_REMEDY)
        location = args.get("location", args["scope"]["region"])
        problems = [*_key_problems(args.get("key_name"), location), *_abandon_problems(args)]
        if problems:
            raise InputError(subject, problems)
        super().__init__(name, opts)
        days = args.get("locked_days", 7)
        suffix = random.RandomId(name, byte_length=4, opts=self._child())
        vault_name = pulumi.Output.concat(name, "-", suffix.hex)
        gone = args.get("delete_contents", False)
        vault = gcp.backupdisasterrecovery.BackupVault(
            name,
            project=args["scope"]["project"],
            location=location,
            backup_vault_id=vault_name,
            description=f"Backups of {name}",
            backup_minimum_enforced_retention_duration=f"{days * _DAY}s",
            access_restriction=args.get("access", VaultAccess.WITHIN_ORGANIZATION).value,
            encryption_config={"kms_key_name": args["key_name"]} if "key_name" in args else None,
            ignore_inactive_datasources=gone,
            ignore_backup_plan_references=gone,
            deletion_policy=_deletion_policy(args),
            opts=self._child(protect=args.get("protect", True)),
        )
        self.vault_id = vault.id
        # Of the resource itself, so that it is known only once the vault is there.
        self.vault_name = vault.backup_vault_id
        self.service_account = vault.service_account
        self.locked_days = pulumi.Output.from_input(days)
        self._register()


class GcpBackupPlanArgs(TypedDict):
    """Which databases are backed up into a vault, and for how long."""

    scope: GcpScope
    """Project and region of the plan and of every instance in it."""
    vault_id: pulumi.Input[str]
    """Id of the vault, `projects/<p>/locations/<l>/backupVaults/<v>`."""
    vault_account: pulumi.Input[str]
    """Address of the vault's service account, which is allowed to back up these instances, and no others."""
    locked_days: NotRequired[int]
    """Days in which the vault lets nobody delete a backup. No backup is kept for less. Default: 7."""
    resources: dict[str, pulumi.Input[str]]
    """Ids of primary instances of Cloud SQL, `projects/<p>/instances/<i>`, by purpose: small letters, digits and single
    hyphens, letter first."""
    daily_days: NotRequired[int]
    """Days to keep the backup of each day. Default: 35."""
    monthly_days: NotRequired[int]
    """Days to keep the backup of the first day of each month, more than `daily_days`; 0 for none. Default: 365."""
    log_days: NotRequired[int]
    """Days of point-in-time recovery, 1 to 35 and no more than `daily_days`; the edition ENTERPRISE has 7 at most.
    Default: 7."""


def _resources_problem(resources: dict[str, Any]) -> str | None:
    return None if resources else "name what is backed up, or make no plan"


_PLAN_RULES = {
    "scope": scope_problem,
    "locked_days": between(1, _FOREVER, "days"),
    "resources": _resources_problem,
    "daily_days": between(1, _FOREVER, "days"),
    "monthly_days": between(0, _FOREVER, "days"),
    "log_days": between(1, 35, "days"),
}


class GcpBackupPlan(Component):
    """A plan of the Backup and DR service: daily and monthly backups of Cloud SQL's instances, and their logs, in a
    vault. These are Cloud SQL's enhanced backups.

    The plan takes an instance's own backups over: Cloud SQL turns them off, sets their times to nothing, and from then
    on refuses every change of `settings.backup_configuration`. Google's provider sees that (`backup_tier` is
    ENHANCED) once the instance was read again, and then leaves all of it alone but `location`: give such an instance
    none, and run `pulumi refresh` after the update that puts it into a plan, before the next one changes anything else
    of it. What was backed up before stays as long as it was meant to.

    Raises `InputError` for bad args, for ids of something else, and for times that the vault refuses.
    """

    plan_id: pulumi.Output[str]
    """Id of the plan, `projects/<p>/locations/<l>/backupPlans/<id>`."""
    plan_name: pulumi.Output[str]
    """Its name, the last part of its id."""
    protected: pulumi.Output[list[str]]
    """The purposes of the instances, known once all of them are backed up."""
    data_sources: pulumi.Output[dict[str, str]]
    """Names of the vault's data sources, which have the backups of an instance each, by purpose:
    `projects/<p>/locations/<l>/backupVaults/<v>/dataSources/<d>`."""

    def __init__(self, name: str, args: GcpBackupPlanArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"GcpBackupPlan {name}"
        args = checked(GcpBackupPlanArgs, args, subject, _PLAN_RULES)
        checked_name(name, subject, _LONGEST_ID - len("-12345678"), _NAME, _NAME_REMEDY)
        if problems := list(_plan_problems(name, args)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        project, region = args["scope"]["project"], args["scope"]["region"]
        # Its vault is for ever: a plan for another one is another plan, made before this one goes.
        suffix = random.RandomId(
            name,
            byte_length=4,
            keepers={"vault": args["vault_id"]},
            opts=self._child(),
        )
        rules = [_rule("daily", args.get("daily_days", 35), {"recurrence_type": "DAILY"})]
        if monthly := args.get("monthly_days", 365):
            rules.append(_rule("monthly", monthly, {"recurrence_type": "MONTHLY", "days_of_months": [1]}))
        plan = gcp.backupdisasterrecovery.BackupPlan(
            name,
            project=project,
            location=region,
            backup_plan_id=pulumi.Output.concat(name, "-", suffix.hex),
            description=f"Backups of {', '.join(args['resources'])}",
            resource_type=_SQL,
            backup_vault=args["vault_id"],
            backup_rules=rules,
            log_retention_days=args.get("log_days", 7),
            opts=self._child(),
        )
        instances = {
            purpose: _verified_instance(subject, purpose, instance) for purpose, instance in args["resources"].items()
        }
        # Cloud SQL has no policies of instances.
        operator = gcp.projects.IAMMember(
            name,
            project=project,
            role="roles/backupdr.cloudSqlOperator",
            member=service_account(args["vault_account"]),
            condition={
                "title": "Only what is backed up",
                "expression": pulumi.Output.all(*instances.values()).apply(_only),
            },
            opts=self._child(),
        )
        associations = {
            purpose: gcp.backupdisasterrecovery.BackupPlanAssociation(
                f"{name}-{purpose}",
                project=project,
                location=region,
                backup_plan_association_id=f"{name}-{purpose}",
                resource=instance,
                resource_type=_SQL,
                backup_plan=plan.id,
                # Google moves none to another instance, and an instance is in one plan at a time.
                opts=self._child(
                    replace_on_changes=["resource"],
                    delete_before_replace=True,
                    # The first backup is made as soon as there is one, and fails before.
                    depends_on=[operator],
                ),
            )
            for purpose, instance in instances.items()
        }
        self.plan_id = plan.id
        self.plan_name = plan.backup_plan_id
        made = pulumi.Output.all(*[each.id for each in associations.values()])
        self.protected = made.apply(lambda _: [*args["resources"]])
        self.data_sources = pulumi.Output.all(**{purpose: each.data_source for purpose, each in associations.items()})
        self._register()


class GkeBackupPlanArgs(TypedDict):
    """What of a cluster is backed up, where to, and for how long."""

    scope: GcpScope
    """Project of the cluster."""
    cluster_id: pulumi.Input[str]
    """Id of the cluster, `projects/<p>/locations/<l>/clusters/<c>`, with the agent of Backup for GKE."""
    location: NotRequired[str]
    """Region that the backups are kept in; another one than the cluster's outlives a disaster there. Default: that of
    the scope."""
    key_name: pulumi.Input[str]
    """Id of the KMS key, of that region, that encrypts the backups. Google takes it at creation only."""
    namespaces: NotRequired[list[str]]
    """Namespaces that are backed up. Default: all."""
    daily_days: NotRequired[int]
    """Days to keep the backup of each day, 1 to 360. Default: 35."""
    monthly_days: NotRequired[int]
    """Days to keep the backup of the first day of each month, more than `daily_days` and up to 365; 0 for none.
    Default: 365."""
    lock_days: NotRequired[int]
    """Days in which nobody deletes a backup, 0 to 90, `daily_days` at most. Default: 7."""
    hour: NotRequired[int]
    """Hour of the day, in UTC, 0 to 21, of the daily backups; the monthly ones are made two hours later. Plans of the
    same cluster need hours of their own, since one backup of a cluster is made at a time. Default: 1."""
    permissive: NotRequired[bool]
    """Whether a backup goes on where something in it could not be restored just so. Default: no, it fails, so that
    somebody hears of it."""
    restore_cluster_id: NotRequired[pulumi.Input[str]]
    """Id of the cluster that the plans restore into. Default: the one that is backed up."""
    test_namespace: NotRequired[str]
    """Namespace that is restored as a test, into one of its name with `-restore-test`. Nothing runs in there: it gets
    the objects and the volumes. Default: none, and then there is no plan for tests."""
    protect: NotRequired[bool]
    """Whether Pulumi and Google's provider refuse to delete the plans. Default: yes."""
    abandon: NotRequired[bool]
    """Whether their deletion only forgets the plans, which go on existing with their backups until somebody deletes
    both by hand: Google deletes no plan that has backups. Needs `protect` to be false. Default: no."""


def _namespaces_problem(namespaces: list[str]) -> str | None:
    if namespaces and all(_namespace_problem(each) is None for each in namespaces):
        return None
    return "name one namespace or more, each of small letters, digits and hyphens"


def _namespace_problem(namespace: str) -> str | None:
    return None if re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", namespace) else "give a namespace's name"


def _test_namespace_problem(namespace: str) -> str | None:
    longest = 63 - len(TEST_SUFFIX)
    if len(namespace) > longest:
        return f"{len(namespace)} characters; with {TEST_SUFFIX} a namespace has 63, so use {longest} or fewer"
    return _namespace_problem(namespace)


MOST_DAILY_DAYS, MOST_MONTHLY_DAYS = 360, 365
"""How long a cluster's backups are kept at most: a daily plan keeps no more than 360 of them, and no plan any for more
than a year."""
TEST_SUFFIX = "-restore-test"
"""What the namespace of a test is called, after the one that it is of."""
_GKE_RULES = {
    "scope": scope_problem,
    "cluster_id": matching(_CLUSTER, "give its id, projects/<project>/locations/<location>/clusters/<name>"),
    "restore_cluster_id": matching(_CLUSTER, "give its id, projects/<project>/locations/<location>/clusters/<name>"),
    "location": matching(REGION, "give a region like europe-west3"),
    "namespaces": _namespaces_problem,
    "daily_days": between(1, MOST_DAILY_DAYS, "days"),
    "monthly_days": between(0, MOST_MONTHLY_DAYS, "days"),
    "lock_days": between(0, 90, "days"),
    "hour": between(0, 21, "as the hour, in UTC"),
    "test_namespace": _test_namespace_problem,
}


class GkeBackupPlan(Component):
    """Daily and monthly backups of a cluster by Backup for GKE, each by a plan of its own, with secrets and volumes,
    encrypted with the given key, and locked. And plans to restore them with, one by choice for tests.

    The lock is that of each backup. The one of the plan's own retention (`locked`) is no choice here: it cannot be
    undone, by nobody and for nothing.

    A plan for restores brings everything back into a cluster that has none of it: namespaces that are there already
    make it fail, and what belongs to the whole cluster stays as it is there.

    Raises `InputError` for bad args, for times that contradict each other, and for a name that no plan can have.
    """

    daily_plan_id: pulumi.Output[str]
    """Id of the plan of daily backups, `projects/<p>/locations/<l>/backupPlans/<n>`."""
    daily_plan_name: pulumi.Output[str]
    """Its name."""
    monthly_plan_id: pulumi.Output[str]
    """Id of the plan of monthly backups. Empty where there are none."""
    monthly_plan_name: pulumi.Output[str]
    """Its name, or empty."""
    daily_restore_plan_id: pulumi.Output[str]
    """Id of the plan that restores daily backups, `projects/<p>/locations/<l>/restorePlans/<n>`."""
    monthly_restore_plan_id: pulumi.Output[str]
    """Id of the plan that restores monthly backups, or empty."""
    test_restore_plan_id: pulumi.Output[str]
    """Id of the plan that restores a namespace of a daily backup as a test, or empty."""

    def __init__(self, name: str, args: GkeBackupPlanArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"GkeBackupPlan {name}"
        args = checked(GkeBackupPlanArgs, args, subject, _GKE_RULES)
        longest = _LONGEST_ID - len("-monthly-1234567")
        checked_name(name, subject, longest, _NAME, _NAME_REMEDY)
        if problems := list(_gke_problems(args)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        self._prefix = name
        self._args = args
        self._location = args.get("location", args["scope"]["region"])
        hour, nothing = args.get("hour", 1), pulumi.Output.from_input("")
        daily = self._plan("daily", args.get("daily_days", 35), f"0 {hour} * * *")
        self.daily_plan_id, self.daily_plan_name = daily.id, daily.name
        self.daily_restore_plan_id = self._restores("daily", daily, _EVERYTHING)
        self.monthly_plan_id = self.monthly_plan_name = self.monthly_restore_plan_id = nothing
        if days := args.get("monthly_days", 365):
            monthly = self._plan("monthly", days, f"0 {hour + 2} 1 * *")
            self.monthly_plan_id, self.monthly_plan_name = monthly.id, monthly.name
            self.monthly_restore_plan_id = self._restores("monthly", monthly, _EVERYTHING)
        self.test_restore_plan_id = (
            self._restores("test", daily, _one_as_a_test(args["test_namespace"]))
            if "test_namespace" in args
            else nothing
        )
        self._register()

    def _plan(self, kind: str, days: int, schedule: str) -> gcp.gkebackup.BackupPlan:
        args = self._args
        config: dict[str, Any] = {
            "include_secrets": True,
            "include_volume_data": True,
            "permissive_mode": args.get("permissive", False),
            "encryption_key": {"gcp_kms_encryption_key": args["key_name"]},
        }
        if "namespaces" in args:
            config["selected_namespaces"] = {"namespaces": args["namespaces"]}
        else:
            config["all_namespaces"] = True
        return gcp.gkebackup.BackupPlan(
            f"{self._prefix}-{kind}",
            project=args["scope"]["project"],
            location=self._location,
            cluster=args["cluster_id"],
            description=f"The {kind} backups of {self._prefix}",
            backup_config=config,  # pyright: ignore[reportArgumentType]
            backup_schedule={"cron_schedule": schedule, "paused": False},
            retention_policy={
                "backup_retain_days": days,
                "backup_delete_lock_days": args.get("lock_days", 7),
                "locked": False,
            },
            deactivated=False,
            deletion_policy=_deletion_policy(args),
            opts=self._child(protect=args.get("protect", True)),
        )

    def _restores(self, kind: str, plan: gcp.gkebackup.BackupPlan, config: dict[str, Any]) -> pulumi.Output[str]:
        args = self._args
        return gcp.gkebackup.RestorePlan(
            f"{self._prefix}-{kind}",
            project=args["scope"]["project"],
            location=self._location,  # where the backups are, whatever cluster they go to
            backup_plan=plan.id,
            cluster=args.get("restore_cluster_id", args["cluster_id"]),
            description=f"Restores the {'daily' if kind == 'test' else kind} backups of {self._prefix}"
            + (" as a test" if kind == "test" else ""),
            restore_config=config,  # pyright: ignore[reportArgumentType]
            deletion_policy="ABANDON" if args.get("abandon", False) else "DELETE",
            opts=self._child(),
        ).id


_EVERYTHING: dict[str, Any] = {
    "all_namespaces": True,
    "namespaced_resource_restore_mode": "FAIL_ON_CONFLICT",
    "volume_data_restore_policy": "RESTORE_VOLUME_DATA_FROM_BACKUP",
    "cluster_resource_restore_scope": {"all_group_kinds": True},
    "cluster_resource_conflict_policy": "USE_EXISTING_VERSION",
}


_REPLICATED = (("apps", "Deployment"), ("apps", "StatefulSet"))
_STARTED = (("batch", "CronJob"), ("batch", "Job"))


def _one_as_a_test(namespace: str) -> dict[str, Any]:
    """The restore of a namespace into another one, in which nothing runs. What an earlier test left is replaced."""
    other = f"{namespace}{TEST_SUFFIX}"
    return {
        "selected_namespaces": {"namespaces": [namespace]},
        "namespaced_resource_restore_mode": "MERGE_REPLACE_ON_CONFLICT",
        "volume_data_restore_policy": "RESTORE_VOLUME_DATA_FROM_BACKUP",
        "cluster_resource_restore_scope": {"no_group_kinds": True},
        "transformation_rules": [
            # What runs twice would work twice: on the same queues, and with the same credentials.
            _changed(
                "Run no replicas", namespace, [("apps", "Deployment"), ("apps", "StatefulSet")], "spec/replicas", "0"
            ),
            _changed("Start no jobs", namespace, _STARTED, "spec/suspend", "true"),
            {
                "description": f"Call the namespace {other}",
                "resource_filter": {
                    "group_kinds": [{"resource_kind": "Namespace"}],
                    "json_path": f".metadata[?(@.name == '{namespace}')]",
                },
                "field_actions": [{"op": "REPLACE", "path": "/metadata/name", "value": other}],
            },
            # Last: the others find objects by the namespace that they were in.
            {
                "description": f"Put everything into {other}",
                "resource_filter": {"namespaces": [namespace]},
                "field_actions": [{"op": "REPLACE", "path": "/metadata/namespace", "value": other}],
            },
        ],
    }


def _changed(
    description: str, namespace: str, kinds: Sequence[tuple[str, str]], field: str, value: str
) -> dict[str, Any]:
    """A rule that sets a field of some kinds of objects, whether they have it or not."""
    return {
        "description": description,
        "resource_filter": {
            "namespaces": [namespace],
            "group_kinds": [{"resource_group": group, "resource_kind": kind} for group, kind in kinds],
        },
        "field_actions": [{"op": "ADD", "path": f"/{field}", "value": value}],
    }


def _rule(rule_id: str, days: int, recurrence: dict[str, Any]) -> Any:
    return {
        "rule_id": rule_id,
        "backup_retention_days": days,
        "standard_schedule": {**recurrence, "time_zone": "UTC", "backup_window": _WINDOW},
    }


def _deletion_policy(args: GcpBackupVaultArgs | GkeBackupPlanArgs) -> str:
    if args.get("protect", True):
        return "PREVENT"
    return "ABANDON" if args.get("abandon", False) else "DELETE"


def _abandon_problems(args: GcpBackupVaultArgs | GkeBackupPlanArgs) -> Iterator[Problem]:
    if args.get("abandon", False) and args.get("protect", True):
        yield Problem("abandon", True, "a protected one is not deleted; set `protect` to false too, or leave it out")


def _key_problems(key_name: object, location: str) -> Iterator[Problem]:
    if isinstance(key_name, str):
        stands = re.fullmatch(_KEY, key_name)
        if not stands or stands[1] != location:
            yield Problem("key_name", key_name, f"give the id of a key in {location}, where the backups are")


def _plan_problems(name: str, args: GcpBackupPlanArgs) -> Iterator[Problem]:
    daily, monthly, locked = args.get("daily_days", 35), args.get("monthly_days", 365), args.get("locked_days", 7)
    if daily < locked:
        yield Problem("daily_days", daily, f"the vault keeps every backup for {locked} days; give as many or more")
    if monthly and monthly <= daily:
        yield Problem("monthly_days", monthly, f"give more than daily_days, {daily}, or 0 for none")
    if args.get("log_days", 7) > daily:
        yield Problem("log_days", args.get("log_days", 7), f"logs follow a backup; give daily_days, {daily}, or fewer")
    longest = _LONGEST_ID - len(f"{name}-")
    for purpose, instance in args["resources"].items():
        path = f"resources.{purpose}"
        if not re.fullmatch(_NAME, purpose):
            yield Problem(path, purpose, _NAME_REMEDY)
        elif len(purpose) > longest:
            yield Problem(path, purpose, f"{len(purpose)} characters; beside the name {name} use {longest} or fewer")
        elif isinstance(instance, str) and not re.fullmatch(_INSTANCE, instance):
            yield Problem(path, instance, _INSTANCE_REMEDY)


def _only(instances: Sequence[str]) -> str:
    """A condition that holds for these instances alone."""
    names = " || ".join(f'resource.name == "{each}"' for each in instances)
    return f'resource.service == "sqladmin.googleapis.com" && ({names})'


_INSTANCE_REMEDY = "give the instance's id, projects/<project>/instances/<name>"


def _verified_instance(subject: str, purpose: str, instance: pulumi.Input[str]) -> pulumi.Output[str]:
    """The id, refused as soon as it is known to be something else."""

    def verify(known: str) -> str:
        if not re.fullmatch(_INSTANCE, known):
            raise InputError(subject, [Problem(f"resources.{purpose}", known, _INSTANCE_REMEDY)])
        return known

    return pulumi.Output.from_input(instance).apply(verify)


def _gke_problems(args: GkeBackupPlanArgs) -> Iterator[Problem]:
    location = args.get("location", args["scope"]["region"])
    yield from _key_problems(args["key_name"], location)
    yield from _abandon_problems(args)
    daily, monthly, lock = args.get("daily_days", 35), args.get("monthly_days", 365), args.get("lock_days", 7)
    if monthly and monthly <= daily:
        yield Problem("monthly_days", monthly, f"give more than daily_days, {daily}, or 0 for none")
    if lock > daily:
        yield Problem("lock_days", lock, f"give daily_days, {daily}, or fewer: nothing deletes a locked backup")
    if "test_namespace" in args and args["test_namespace"] not in args.get("namespaces", [args["test_namespace"]]):
        yield Problem("test_namespace", args["test_namespace"], "it is not backed up; name it in `namespaces` too")
