"""Proof, every month, that what is backed up on Google Cloud can be restored."""

import base64
import re
from collections.abc import Iterator
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp
import pulumi_random as random

from ..component import Component, between, checked, checked_name, known_after, matching
from ..problems import MISSING, InputError, Problem
from ..security.google import GcpScope, account_id_problem, email_of, scope_problem, service_account

_SQL = "https://sqladmin.googleapis.com/v1/projects/"
_GKE = "https://gkebackup.googleapis.com/v1/"
_CLONES = "-restore-test-"
"""What the names of restored instances have after the component's."""
_MINUTE = 60
_HOURS = 6
"""How long a restore may take."""
_FIELD = r"(\*|\d+)([-,/]\d+)*"
_BACKUP_PLAN = r"projects/[^/]+/locations/[^/]+/backupPlans/[^/]+"
_RESTORE_PLAN = r"projects/[^/]+/locations/[^/]+/restorePlans/[^/]+"
_DATASOURCE = r"projects/[^/]+/locations/[^/]+/backupVaults/[^/]+/dataSources/[^/]+"
_CALLER = "-call"
_CLOUD_SQL, _BACKUPS = "sqladmin.googleapis.com", "backupdr.googleapis.com"
_READS_BACKUPS = (
    "backupdr.bvbackups.useReadOnlyForCloudSqlInstance",
    "backupdr.bvdataSources.useReadOnlyForCloudSqlInstance",
)
"""By what Cloud SQL reads a vault for somebody."""

Step = dict[str, Any]
"""A step of a workflow, by its name."""


class RestoredCluster(TypedDict):
    """What of a cluster is restored."""

    backup_plan_id: pulumi.Input[str]
    """Id of the plan whose latest backup is restored, `projects/<p>/locations/<l>/backupPlans/<n>`."""
    restore_plan_id: pulumi.Input[str]
    """Id of the plan that restores it as a test, `projects/<p>/locations/<l>/restorePlans/<n>`."""
    fresh_days: NotRequired[int]
    """Days that the latest backup may be old. Default: 3."""


class GcpRestoreTestsArgs(TypedDict):
    """What is restored, and when."""

    scope: GcpScope
    """Project and region of the workflow."""
    key_name: pulumi.Input[str]
    """Id of the KMS key, of the region, that encrypts the workflow and what it knows."""
    account_id: str
    """What stands before the `@` of the workflow's service account, 6 to 25 characters. That of the scheduler's account
    has `-call` after it."""
    database: NotRequired[pulumi.Input[str]]
    """Name of the primary instance of Cloud SQL that is restored, to what it was an hour before. Default: none."""
    datasource: NotRequired[pulumi.Input[str]]
    """Name of the vault's data source that has its backups,
    `projects/<p>/locations/<l>/backupVaults/<v>/dataSources/<d>`: `data_sources` of `GcpBackupPlan`. Default: none; it
    is cloned out of Cloud SQL's own backups."""
    cluster: NotRequired[RestoredCluster]
    """What of a cluster is restored. Default: nothing."""
    schedule: NotRequired[str]
    """When, as a cron expression in UTC. Default: on the second of every month at 06:00."""
    protect: NotRequired[bool]
    """Whether Google's provider refuses to delete the workflow. Default: yes."""


def _cron_problem(schedule: str) -> str | None:
    if re.fullmatch(rf"{_FIELD}( {_FIELD}){{4}}", schedule):
        return None
    return "write a cron expression of five fields, for example 0 6 2 * *"


_RULES = {
    "scope": scope_problem,
    "account_id": account_id_problem,
    "database": matching(r"[a-z][a-z0-9-]*", "give the instance's name alone"),
    "datasource": matching(
        _DATASOURCE,
        "give its name, projects/<project>/locations/<location>/backupVaults/<vault>/dataSources/<data source>",
    ),
    "schedule": _cron_problem,
}


class GcpRestoreTests(Component):
    """A workflow that restores what is backed up, and a schedule that starts it. An execution that fails is a backup
    that could not be restored.

    Of a database it makes a clone out of backup and logs, Cloud SQL's own or those in a vault, waits until that runs,
    and deletes it, whether it ran or not. The clone has the machine and the disk of its source, and costs as much, for
    that while. It is called `<name>-restore-test-<time>`, and the workflow can change and delete what is called so, and
    nothing else.

    Of a cluster it restores the latest backup by a plan that is for tests, and leaves what was restored there: to
    delete a namespace would take the right to delete any. The next test replaces it.

    Raises `InputError` for bad args and for tests of nothing.
    """

    workflow_id: pulumi.Output[str]
    """Id of the workflow, `projects/<p>/locations/<l>/workflows/<n>`. Known once it may do what it must."""
    workflow_name: pulumi.Output[str]
    """Its name, by which metrics know it."""
    account_email: pulumi.Output[str]
    """Address of the service account as which it restores."""

    def __init__(self, name: str, args: GcpRestoreTestsArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"GcpRestoreTests {name}"
        args = checked(GcpRestoreTestsArgs, args, subject, _RULES)
        # An instance's name has 98 characters with its project, ten of them digits of the time here. And a custom
        # role's id takes 64: the name, what the role is for, and eight random ones.
        longest = min(45, 98 - len(f"{args['scope']['project']}:{_CLONES}") - 10)
        checked_name(name, subject, longest, r"[a-z][a-z0-9-]*", "use small letters, digits and hyphens, letter first")
        if problems := list(_problems(args)):
            raise InputError(subject, problems)
        super().__init__(name, opts)
        self._prefix = name
        self._args = args
        self._project, self._region = args["scope"]["project"], args["scope"]["region"]
        account = self._account(name, args["account_id"], "Restores backups as a test")
        self._member = service_account(email_of(account))
        grants = [*self._own_grants(), *self._database_grants(), *self._cluster_grants()]
        workflow = gcp.workflows.Workflow(
            name,
            project=self._project,
            region=self._region,
            description="Restores backups as a test",
            service_account=email_of(account),
            crypto_key_name=args["key_name"],
            call_log_level="LOG_ERRORS_ONLY",
            execution_history_level="EXECUTION_HISTORY_BASIC",
            source_contents=pulumi.Output.json_dumps(_source(name, args)),
            deletion_protection=args.get("protect", True),
            opts=self._child(),
        )
        self._schedule(workflow)
        self.workflow_id = known_after(workflow.id, *grants)
        self.workflow_name = workflow.name
        self.account_email = email_of(account)
        self._register()

    def _account(self, name: str, account_id: str, description: str) -> gcp.serviceaccount.Account:
        return gcp.serviceaccount.Account(
            name,
            project=self._project,
            account_id=account_id,
            display_name=name,
            description=description,
            opts=self._child(),
        )

    def _own_grants(self) -> Iterator[pulumi.CustomResource]:
        # Who writes a log names it; Cloud Logging has no policies of logs.
        yield gcp.projects.IAMMember(
            f"{self._prefix}-logs",
            project=self._project,
            role="roles/logging.logWriter",
            member=self._member,
            opts=self._child(),
        )

    def _database_grants(self) -> Iterator[pulumi.CustomResource]:
        if "database" not in self._args:
            return
        # Cloud SQL has no policies of instances, and no role of its own that clones and does little else.
        instances = f"projects/{self._project}/instances/"
        source = pulumi.Output.concat('resource.name == "', instances, self._args["database"], '"')
        yield self._granted("source", "Clones an instance", _on_instances("clone", "get"), _of(_CLOUD_SQL, source))
        clones = f'resource.name.startsWith("{instances}{self._prefix}{_CLONES}")'
        may = _on_instances("create", "delete", "get", "update")
        yield self._granted("clones", "Deletes a clone", may, _of(_CLOUD_SQL, clones))
        if "datasource" in self._args:
            # Vaults have no policies either. Google's role for restores would restore machines and disks, too.
            only = _of(_BACKUPS, pulumi.Output.from_input(self._args["datasource"]).apply(_in_datasource))
            yield self._granted("backups", "Reads backups of a vault", _READS_BACKUPS, only)

    def _granted(
        self, purpose: str, title: str, may: tuple[str, ...], only: pulumi.Input[str]
    ) -> gcp.projects.IAMMember:
        name = f"{self._prefix}-{purpose}"
        # A deleted role's id is taken for 37 days, and the provider would bring that role back.
        suffix = random.RandomId(name, byte_length=4, opts=self._child())
        role = gcp.projects.IAMCustomRole(
            name,
            project=self._project,
            role_id=pulumi.Output.concat(re.sub(r"\W", "_", name), "_", suffix.hex),
            title=f"{title}: {self._prefix}",
            description=f"{title}, for a restore as a test",
            permissions=list(may),
            stage="GA",
            opts=self._child(),
        )
        return gcp.projects.IAMMember(
            name,
            project=self._project,
            role=role.name,
            member=self._member,
            condition={"title": title, "expression": only},
            opts=self._child(),
        )

    def _cluster_grants(self) -> Iterator[pulumi.CustomResource]:
        if "cluster" not in self._args:
            return
        cluster = self._args["cluster"]
        backup, restore = (_parts(cluster[key]) for key in ("backup_plan_id", "restore_plan_id"))
        yield gcp.gkebackup.BackupPlanIamMember(
            f"{self._prefix}-backups",
            project=self._project,
            location=backup["location"],
            name=backup["name"],
            role="roles/gkebackup.viewer",
            member=self._member,
            opts=self._child(),
        )
        yield gcp.gkebackup.RestorePlanIamMember(
            f"{self._prefix}-restores",
            project=self._project,
            location=restore["location"],
            name=restore["name"],
            role="roles/gkebackup.delegatedRestoreAdmin",
            member=self._member,
            opts=self._child(),
        )

    def _schedule(self, workflow: gcp.workflows.Workflow) -> None:
        """A job that starts the workflow, as an account that can do nothing else."""
        name = f"{self._prefix}{_CALLER}"
        caller = self._account(name, self._args["account_id"] + _CALLER, "Starts restores as a test")
        # Workflows has no policies of workflows, and conditions know none by its name.
        invoker = gcp.projects.IAMMember(
            name,
            project=self._project,
            role="roles/workflows.invoker",
            member=service_account(email_of(caller)),
            opts=self._child(),
        )
        gcp.cloudscheduler.Job(
            self._prefix,
            project=self._project,
            region=self._region,
            description="Restores backups as a test",
            schedule=self._args.get("schedule", "0 6 2 * *"),
            time_zone="Etc/UTC",
            attempt_deadline="60s",  # it waits for the start alone
            retry_config={"retry_count": 5, "min_backoff_duration": "60s", "max_backoff_duration": "900s"},
            http_target={
                "uri": pulumi.Output.concat(
                    "https://workflowexecutions.googleapis.com/v1/", workflow.id, "/executions"
                ),
                "http_method": "POST",
                "headers": {"Content-Type": "application/json"},
                "body": base64.b64encode(b"{}").decode(),
                "oauth_token": {
                    "service_account_email": email_of(caller),
                    "scope": "https://www.googleapis.com/auth/cloud-platform",
                },
            },
            # Its first call may come at once, and would be refused.
            opts=self._child(depends_on=[invoker]),
        )


def _on_instances(*may: str) -> tuple[str, ...]:
    return tuple(f"cloudsql.instances.{each}" for each in may)


def _of(service: str, only: pulumi.Input[str]) -> pulumi.Output[str]:
    """A condition that holds for some of what a service has."""
    return pulumi.Output.concat(f'resource.service == "{service}" && ', only)


def _in_datasource(datasource: str) -> str:
    """That something is a data source or one of its backups. Its project goes by name or by number."""
    path = datasource[datasource.index("/backupVaults/") :]
    return f'(resource.name.endsWith("{path}") || resource.name.extract("{path}/backups/{{backup}}") != "")'


def _source(name: str, args: GcpRestoreTestsArgs) -> dict[str, Any]:
    """The workflow. One test does not keep the other from being made, and what went wrong in any fails all of it."""
    flows: dict[str, Any] = {}
    steps: list[Step] = [_assigned("begin", problems=[])]
    if "database" in args:
        flows["restore_database"] = {
            "steps": _database_steps(name, args["scope"]["project"], args["database"], args.get("datasource"))
        }
        steps.append(_tried("database", [{"restore_the_database": {"call": "restore_database"}}], "problems"))
    if "cluster" in args:
        flows["restore_cluster"] = {"steps": _cluster_steps(args["cluster"])}
        steps.append(_tried("cluster", [{"restore_the_cluster": {"call": "restore_cluster"}}], "problems"))
    steps += [
        _raised("verdict", "${len(problems) > 0}", "${json.encode_to_string(problems)}"),
        {"done": {"return": "restored"}},
    ]
    return {"main": {"steps": steps}, **flows, "is_passing": _PASSING}


_PASSING = {
    "params": ["error"],
    "steps": [
        # Cloud SQL changes one thing of an instance at a time: 409 says that it is still at another one.
        {
            "judge": {
                "switch": [
                    {"condition": '${not("code" in error)}', "return": True},
                    {
                        "condition": "${error.code == 409 or error.code == 429 or error.code >= 500}",
                        "return": True,
                    },
                ]
            }
        },
        {"otherwise": {"return": False}},
    ],
}
"""Whether an error passes by itself."""


def _cloned(project: str, datasource: pulumi.Input[str] | None) -> Step:
    """How the clone is made. What is backed up into a vault is not cloned: Cloud SQL has no backups of its own then."""
    # An hour ago: the logs of the last minutes are there only later.
    at = "${time.format(int(sys.now()) - 3600)}"
    if datasource is None:
        context = {"destinationInstanceName": "${clone}", "pointInTime": at}
        body: dict[str, Any] = {"cloneContext": context}
        return _called("clone_it", "post", '${instances + source + "/clone"}', "operation", body=body)
    body = {"datasource": datasource, "pointInTime": at, "targetInstance": "${clone}"}
    return _called("clone_it", "post", f"{_SQL}{project}:pointInTimeRestore", "operation", body=body)


def _database_steps(
    name: str, project: str, source: pulumi.Input[str], datasource: pulumi.Input[str] | None
) -> list[Step]:
    """Clone, wait, delete. The state of the clone is asked for, and not that of operations, which are the project's."""
    begun = {
        "clone": f'${{"{name}{_CLONES}" + string(int(sys.now()))}}',
        "instances": f"{_SQL}{project}/instances/",
        "source": source,
        "made": False,
        "gone": False,
        "problems": [],
    }
    not_kept = {
        "deletionProtectionEnabled": False,
        "finalBackupConfig": {"enabled": False},
        "retainBackupsOnDelete": False,
    }
    restored = [
        _cloned(project, datasource),
        _assigned("it_is_made", made=True),
        _awaited(
            "until_it_runs",
            "${instances + clone}",
            [
                {"condition": '${answer.body.state == "RUNNABLE"}', "next": "break"},
                _or_raised(
                    "it_failed",
                    '${answer.body.state == "FAILED" or answer.body.state == "SUSPENDED"}',
                    '${"the clone is " + answer.body.state}',
                ),
            ],
            "the clone does not run",
        ),
    ]
    removed = [
        _patiently("unprotect_it", "patch", "${instances + clone}", body={"settings": not_kept}),
        _patiently("delete_it", "delete", "${instances + clone}"),
        _awaited("until_it_is_gone", "${instances + clone}", [], "the clone is still there", until_gone=True),
    ]
    return [
        _assigned("begin", **begun),
        _tried("restore", restored, "problems"),
        {"is_there_one": {"switch": [{"condition": "${made}", "next": "remove"}], "next": "verdict"}},
        _tried("remove", removed, "problems"),
        _raised("verdict", "${len(problems) > 0}", "${json.encode_to_string(problems)}"),
        {"done": {"return": "${clone}"}},
    ]


def _cluster_steps(cluster: RestoredCluster) -> list[Step]:
    """Find the latest backup that succeeded, restore it, wait."""
    seconds = cluster.get("fresh_days", 3) * 86400
    newer = '${backup.state == "SUCCEEDED" and time.parse(backup.createTime) > made_at}'
    begun = {
        "backups": pulumi.Output.concat(_GKE, cluster["backup_plan_id"], "/backups"),
        "restores": pulumi.Output.concat(_GKE, cluster["restore_plan_id"], "/restores"),
        "latest": "",
        "made_at": 0,
        "page": "",
        "objects": 0,
        "restore": '${"test-" + string(int(sys.now()))}',
    }
    listed = {
        "for": {
            "value": "backup",
            "in": '${default(map.get(found.body, "backups"), [])}',
            "steps": [
                {
                    "compare": {
                        "switch": [
                            {
                                "condition": newer,
                                "steps": [
                                    _assigned(
                                        "take_it",
                                        latest="${backup.name}",
                                        made_at="${time.parse(backup.createTime)}",
                                    )
                                ],
                            }
                        ]
                    }
                }
            ],
        }
    }
    return [
        _assigned("begin", **begun),
        _called("list", "get", "${backups}", "found", query={"pageToken": "${page}"}),
        {"look": listed},
        _assigned("turn", page='${default(map.get(found.body, "nextPageToken"), "")}'),
        {"are_there_more": {"switch": [{"condition": '${page != ""}', "next": "list"}]}},
        _raised("is_there_one", '${latest == ""}', "no backup succeeded"),
        _raised("is_it_fresh", f"${{sys.now() - made_at > {seconds}}}", '${"the latest backup is old: " + latest}'),
        _called(
            "restore_it",
            "post",
            "${restores}",
            "operation",
            query={"restoreId": "${restore}"},
            body={"backup": "${latest}", "description": "Restored as a test"},
        ),
        _awaited(
            "until_it_is_restored",
            '${restores + "/" + restore}',
            [
                {
                    "condition": '${answer.body.state == "SUCCEEDED"}',
                    "steps": [
                        _assigned("count", objects='${int(default(map.get(answer.body, "resourcesRestoredCount"), 0))}')
                    ],
                    "next": "break",
                },
                _or_raised(
                    "it_failed", '${answer.body.state == "FAILED" or answer.body.state == "DELETING"}', "${answer.body}"
                ),
            ],
            "the restore does not end",
        ),
        _raised("is_it_empty", "${objects == 0}", "the restore brought nothing back"),
        {"done": {"return": "${latest}"}},
    ]


def _assigned(name: str, **values: Any) -> Step:
    return {name: {"assign": [{key: value} for key, value in values.items()]}}


def _raised(name: str, condition: str, what: str) -> Step:
    return {name: {"switch": [_or_raised(f"{name}_not", condition, what)]}}


def _or_raised(name: str, condition: str, what: str) -> dict[str, Any]:
    """What a switch does in a case that fails the workflow."""
    return {"condition": condition, "steps": [{name: {"raise": what}}]}


def _tried(name: str, steps: list[Step], problems: str) -> Step:
    """Steps whose failure is noted, and does not end the workflow."""
    noted = f"${{list.concat({problems}, error)}}"
    return {
        name: {
            "try": {"steps": steps},
            "except": {"as": "error", "steps": [_assigned(f"note_{name}", **{problems: noted})]},
        }
    }


def _called(name: str, method: str, url: str, result: str = "", **args: Any) -> Step:
    """A request, as the workflow's own account."""
    step: dict[str, Any] = {"call": f"http.{method}", "args": {"url": url, "auth": {"type": "OAuth2"}, **args}}
    return {name: {**step, "result": result} if result else step}


def _patiently(name: str, method: str, url: str, **args: Any) -> Step:
    """A request that is made again, for up to an hour, while the instance is at something else."""
    [request] = _called(name, method, url, **args).values()
    again = {
        "predicate": "${is_passing}",
        "max_retries": 60,
        "backoff": {"initial_delay": _MINUTE, "max_delay": _MINUTE, "multiplier": 2},
    }
    return {name: {"try": request, "retry": again}}


def _awaited(name: str, url: str, judged: list[dict[str, Any]], too_long: str, until_gone: bool = False) -> Step:
    """Look at something every minute until it is judged, or, if so asked, until Google knows it no more."""
    rounds = _HOURS * 60
    [request] = _called("look", "get", url, "answer").values()
    look: dict[str, Any] = {"try": request}
    if until_gone:
        # Of what there is not, Cloud SQL says 404 or that one may not see it.
        unknown = '${"code" in error and (error.code == 404 or error.code == 403)}'
        look["except"] = {"as": "error", "steps": [_assigned(f"{name}_note", gone=unknown)]}
        judged = [{"condition": "${gone}", "next": "break"}]
    else:
        look["retry"] = "${http.default_retry}"
    late = _or_raised(f"{name}_late", f"${{minute == {rounds}}}", f"{too_long} after {_HOURS} hours")
    steps = [
        {f"{name}_wait": {"call": "sys.sleep", "args": {"seconds": _MINUTE}}},
        {f"{name}_look": look},
        {f"{name}_judge": {"switch": [*judged, late]}},
    ]
    return {name: {"for": {"value": "minute", "range": [1, rounds], "steps": steps}}}


def _parts(plan_id: pulumi.Input[str]) -> dict[str, pulumi.Output[str]]:
    """The location and the name in a plan's id."""
    known = pulumi.Output.from_input(plan_id).apply(lambda known: known.split("/"))
    return {"location": known.apply(lambda parts: parts[3]), "name": known.apply(lambda parts: parts[5])}


def _problems(args: GcpRestoreTestsArgs) -> Iterator[Problem]:
    if "database" not in args and "cluster" not in args:
        yield Problem("database", MISSING, "name a database, a cluster's plans, or both, or make no tests")
    elif "database" not in args and "datasource" in args:
        yield Problem("database", MISSING, "name the database whose backups the data source has")
    if len(args["account_id"]) > 30 - len(_CALLER):
        length = len(args["account_id"])
        yield Problem("account_id", args["account_id"], f"{length} characters; with {_CALLER} use 25 or fewer")
    key_name, region = args["key_name"], args["scope"]["region"]
    if isinstance(key_name, str) and f"/locations/{region}/" not in key_name:
        yield Problem("key_name", key_name, f"give the id of a key in {region}, where the workflow is")
    if "cluster" in args:
        cluster = args["cluster"]
        days = cluster.get("fresh_days", 3)
        if remedy := between(1, 365, "days")(days):
            yield Problem("cluster.fresh_days", days, remedy)
        for path, pattern, kind in (
            ("backup_plan_id", _BACKUP_PLAN, "backupPlans"),
            ("restore_plan_id", _RESTORE_PLAN, "restorePlans"),
        ):
            given = cluster[path]
            if isinstance(given, str) and not re.fullmatch(pattern, given):
                remedy = f"give its id, projects/<project>/locations/<location>/{kind}/<name>"
                yield Problem(f"cluster.{path}", given, remedy)
