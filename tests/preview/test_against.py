"""The comparison of a working tree with a commit, in throwaway repositories."""

import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from policy import catalogue
from policy.exceptions import Allowance, ExceptionsError
from preview.__main__ import main
from preview.against import Comparison, Verdict, compare_with
from preview.difference import Change, Kind
from preview.project import PreviewError
from preview.report import LIMIT, MARK, as_json, markdown, text

from ..support import ROOT

PROJECT = (
    "__main__.py",
    "Pulumi.yaml",
    "Pulumi.dev.yaml",
    "Pulumi.prod.yaml",
    "requirements.txt",
    "components",
    "stacks",
)


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, check=True)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project in a repository of its own, with one commit."""
    folder = tmp_path_factory.mktemp("template")
    for name in PROJECT:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    # Two stacks that are alike, the second as quick as the first.
    shutil.copy(folder / "Pulumi.dev.yaml", folder / "Pulumi.prod.yaml")
    (folder / ".gitignore").write_text("__pycache__/\n")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "The project")
    return folder


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Path:
    return shutil.copytree(template, tmp_path / "project")


def replaced(project: Path, name: str, old: str, new: str) -> None:
    path = project / name
    content = path.read_text()
    assert old in content
    path.write_text(content.replace(old, new))


def dev(project: Path) -> tuple[Comparison, list[Change]]:
    comparison = compare_with(project, "HEAD", ["dev"])
    assert not comparison.stacks[0].error
    return comparison, comparison.stacks[0].changes


def test_nothing_changes_in_what_nothing_has_touched(project: Path) -> None:
    comparison = compare_with(project, "HEAD")
    assert comparison.verdict is Verdict.SAME
    assert [stack.untouched for stack in comparison.stacks] == [True, True]
    assert not comparison.dirty


def test_one_changed_property(project: Path) -> None:
    replaced(project, "stacks/tiers.py", "backup_days=1,", "backup_days=3,")
    comparison, (change,) = dev(project)
    assert comparison.verdict is Verdict.CHANGED
    assert comparison.dirty
    assert (change.kind, change.name) == (Kind.UPDATE, "skipper-dev-database")
    assert change.properties == [("backupRetentionPeriod", 1, 3)]


QUEUE = """
        import pulumi_aws
        pulumi_aws.sqs.Queue(f"{self._name}-extra", opts=pulumi.ResourceOptions(provider=self._in_home.providers[0]))
        self._notifications()
        self._backups()"""


def test_one_added_queue(project: Path) -> None:
    replaced(project, "stacks/environments/aws.py", "\n        self._notifications()\n        self._backups()", QUEUE)
    comparison, (change,) = dev(project)
    assert comparison.verdict is Verdict.CHANGED
    assert (change.kind, change.type, change.name) == (Kind.CREATE, "aws:sqs/queue:Queue", "skipper-dev-extra")


def test_a_renamed_database(project: Path) -> None:
    replaced(project, "stacks/environments/aws.py", 'f"{self._name}-database",', 'f"{self._name}-postgres",')
    comparison, changes = dev(project)
    assert comparison.verdict is Verdict.DESTROYS
    assert changes[0].kind is Kind.RENAME
    lost = {change.name for change in changes if change.destroys}
    assert lost == {
        "skipper-dev-database",
        "skipper-dev-database-application",
        "skipper-dev-database-credentials",
    }
    why = next(change.why for change in changes if change.type == "plinth:index:RdsPostgres")
    assert 'pulumi.Alias(name="skipper-dev-database")' in why


def test_a_renamed_database_with_its_alias_loses_nothing(project: Path) -> None:
    replaced(project, "stacks/environments/aws.py", 'f"{self._name}-database",', 'f"{self._name}-postgres",')
    replaced(
        project,
        "stacks/environments/aws.py",
        "args, self._in_home)\n        if database.copy_backups",
        "args, pulumi.ResourceOptions.merge(\n"
        '            self._in_home, pulumi.ResourceOptions(aliases=[pulumi.Alias(name=f"{self._name}-database")])\n'
        "        ))\n        if database.copy_backups",
    )
    _, changes = dev(project)
    assert not [change for change in changes if change.kind in (Kind.RENAME, Kind.DELETE)]
    # The instance's identifier is its name, so the engine must still be asked.
    assert {change.kind for change in changes if change.name == "skipper-dev-postgres"} <= {
        Kind.UPDATE,
        Kind.MAY_REPLACE,
    }


def test_a_changed_cidr(project: Path) -> None:
    replaced(project, "Pulumi.dev.yaml", "cidr: 10.20.0.0/16", "cidr: 10.40.0.0/16")
    comparison, changes = dev(project)
    assert comparison.verdict is Verdict.DESTROYS
    lost = {change.type: change.loses for change in changes if change.destroys}
    assert lost["aws:ec2/vpc:Vpc"] == lost["aws:ec2/subnet:Subnet"] == "the network"
    # The engine too says that the database is updated: it gets another security group.
    assert {change.kind for change in changes if change.type == "aws:rds/instance:Instance"} == {Kind.FOLLOW}
    assert ("cidrBlock", "10.20.0.0/16", "10.40.0.0/16") in next(
        change.properties for change in changes if change.type == "aws:ec2/vpc:Vpc"
    )


def test_a_removed_bucket(project: Path) -> None:
    replaced(
        project,
        "stacks/environments/aws.py",
        "for name, store in stores.items()\n        }",
        "for name, store in ()\n        }",
    )
    replaced(project, "stacks/systems/skipper.py", 'reads=("events",)', "reads=()")
    replaced(project, "stacks/systems/skipper.py", 'appends=("events",)', "appends=()")
    comparison, changes = dev(project)
    assert comparison.verdict is Verdict.DESTROYS
    assert [(change.kind, change.name) for change in changes if change.destroys] == [
        (Kind.DELETE, "skipper-dev-events")
    ]


def test_a_renamed_component_class(project: Path) -> None:
    for path in (*(project / "components").rglob("*.py"), *(project / "stacks").rglob("*.py")):
        path.write_text(path.read_text().replace("S3ObjectStore", "S3Store"))
    comparison, changes = dev(project)
    assert comparison.verdict is Verdict.DESTROYS
    (top,) = (change for change in changes if change.type == "plinth:index:S3ObjectStore")
    assert 'pulumi.Alias(type_="plinth:index:S3ObjectStore")' in top.why
    assert {change.name for change in changes if change.destroys} == {"skipper-dev-events"}
    assert not [change for change in changes if change.kind in (Kind.CREATE, Kind.DELETE)]
    # Their policies name the bucket.
    assert "skipper-dev-audit" in {change.name for change in changes if change.kind is Kind.FOLLOW}


def test_what_no_stack_loads_touches_none(project: Path) -> None:
    (project / "README.md").write_text("# Another\n")
    (project / "components" / "unused.py").write_text("x = 1\n")
    assert compare_with(project, "HEAD").verdict is Verdict.SAME
    assert all(stack.untouched for stack in compare_with(project, "HEAD").stacks)


def test_only_the_stacks_whose_file_changed_are_looked_at(project: Path) -> None:
    replaced(project, "Pulumi.prod.yaml", "owner: platform", "owner: shop")
    found = {stack.stack: stack for stack in compare_with(project, "HEAD").stacks}
    assert found["dev"].untouched
    assert found["prod"].verdict is Verdict.CHANGED
    assert "default tags of skipper-prod-eu-central-1 change" in " ".join(found["prod"].notes)


def test_new_and_gone_stacks_are_told(project: Path) -> None:
    content = (project / "Pulumi.dev.yaml").read_text()
    (project / "Pulumi.try.yaml").write_text(content.replace("10.20.0.0/16", "10.50.0.0/16"))
    (project / "Pulumi.prod.yaml").unlink()
    found = {stack.stack: stack for stack in compare_with(project, "HEAD", ["try", "prod"]).stacks}
    assert found["try"].notes == ["the stack is new"]
    assert {change.kind for change in found["try"].changes} == {Kind.CREATE}
    assert "destroy the stack before its file goes" in found["prod"].notes[0]
    assert found["prod"].verdict is Verdict.DESTROYS


def test_a_stack_that_fails_on_one_side_keeps_no_other_from_being_compared(project: Path) -> None:
    (project / "Pulumi.prod.yaml").write_text("config: [\n")
    replaced(project, "Pulumi.dev.yaml", "owner: platform", "owner: shop")
    found = {stack.stack: stack for stack in compare_with(project, "HEAD").stacks}
    assert found["prod"].error.startswith("here: Pulumi.prod.yaml is no YAML")
    assert found["dev"].verdict is Verdict.CHANGED
    assert compare_with(project, "HEAD").verdict is Verdict.FAILED


def test_a_new_finding_is_shown_and_an_old_one_is_not(project: Path) -> None:
    replaced(project, "components/database/rds.py", "storage_encrypted=True", "storage_encrypted=False")
    comparison = compare_with(project, "HEAD", ["dev"])
    assert {finding.urn.rpartition("::")[2] for finding in comparison.stacks[0].findings} == {"skipper-dev-database"}
    git(project, "commit", "--quiet", "--all", "--message", "Weaker")
    replaced(project, "Pulumi.dev.yaml", "owner: platform", "owner: shop")
    assert compare_with(project, "HEAD", ["dev"]).stacks[0].findings == []


def test_bad_input_is_told_in_words(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(PreviewError, match="no commit `mian`: name a branch, a tag or a commit"):
        compare_with(project, "mian")
    with pytest.raises(PreviewError, match=r"no stack `prd`, neither here nor at HEAD; the stacks are dev, prod"):
        compare_with(project, "HEAD", ["prd"])
    git(project, "checkout", "--quiet", "--orphan", "empty")
    git(project, "rm", "--quiet", "-r", "--cached", ".")
    git(project, "commit", "--quiet", "--allow-empty", "--message", "Nothing yet")
    with pytest.raises(PreviewError, match="the project did not exist at empty"):
        compare_with(project, "empty")
    assert main(["--against", "mian"], project) == 1
    assert capsys.readouterr().err.startswith("no commit `mian`")


def test_a_ref_that_looks_like_an_option_is_none(project: Path) -> None:
    with pytest.raises(PreviewError, match="no commit `--help`"):
        compare_with(project, "--help")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda project: None, 0),
        (lambda project: (project / "Pulumi.dev.yaml").write_text("config: ["), 1),
        (lambda project: replaced(project, "stacks/tiers.py", "backup_days=1,", "backup_days=3,"), 3),
        (lambda project: replaced(project, "Pulumi.dev.yaml", "cidr: 10.20.0.0/16", "cidr: 10.40.0.0/16"), 4),
    ],
    ids=["same", "failed", "changed", "destroys"],
)
def test_exit_codes_and_formats(
    project: Path, capsys: pytest.CaptureFixture[str], change: Callable[[Path], object], code: int
) -> None:
    change(project)
    assert main(["--against", "HEAD", "dev", "--format", "json"], project) == code
    shown = json.loads(capsys.readouterr().out)
    assert shown["verdict"] == {0: "same", 1: "failed", 3: "changed", 4: "destroys"}[code]
    assert [stack["stack"] for stack in shown["stacks"]] == ["dev"]


def test_the_comment_fits_and_shows_what_destroys_first(project: Path) -> None:
    replaced(project, "Pulumi.dev.yaml", "cidr: 10.20.0.0/16", "cidr: 10.40.0.0/16")
    replaced(project, "Pulumi.prod.yaml", "cidr: 10.20.0.0/16", "cidr: 10.60.0.0/16")
    comparison = compare_with(project, "HEAD")
    comment = markdown(comparison)
    assert comment.startswith(f"{MARK}\n### Against HEAD: DESTROYS DATA OR REPLACES THE NETWORK")
    assert comment.index("[!CAUTION]") < comment.index("<details>")
    assert comment.count("<details>") == comment.count("</details>") == 2
    assert len(comment) <= LIMIT
    assert json.loads(as_json(comparison))["verdict"] == "destroys"
    assert "DESTROYS DATA OR REPLACES THE NETWORK" in text(comparison)

    many = Comparison("HEAD", comparison.stacks * 12, dirty=False)
    comment = markdown(many)
    assert len(comment) <= LIMIT
    assert "more lines; `python -m preview --against` shows them" in comment
    assert comment.count("<details>") == comment.count("</details>") == 24


def test_changes_that_differ_in_their_names_alone_stand_together(project: Path) -> None:
    replaced(project, "components/storage/s3.py", '"days_after_initiation": 7', '"days_after_initiation": 3')
    shown = text(compare_with(project, "HEAD", ["dev"]))
    lines = [line for line in shown.splitlines() if "BucketLifecycleConfiguration" in line]
    assert len(lines) == 1
    assert lines[0].endswith("  skipper-dev-access-logs, skipper-dev-events")


@pytest.mark.parametrize(
    ("expires", "shown"), [(date(2020, 1, 1), True), (date(2999, 1, 1), False)], ids=["over", "open"]
)
def test_a_finding_is_shown_again_when_its_exception_has_run_out(
    project: Path, monkeypatch: pytest.MonkeyPatch, expires: date, shown: bool
) -> None:
    replaced(project, "components/database/rds.py", "storage_encrypted=True", "storage_encrypted=False")
    git(project, "commit", "--quiet", "--all", "--message", "Weaker")
    replaced(project, "Pulumi.dev.yaml", "owner: platform", "owner: shop")
    exception = Allowance("rds-encrypted", "dev", "*::skipper-dev-database", "It is moved soon", expires)
    monkeypatch.setattr(catalogue, "load", lambda rules: [exception])
    findings = compare_with(project, "HEAD", ["dev"]).stacks[0].findings
    assert [(finding.rule, "The exception ran out on 2020-01-01" in finding.message) for finding in findings] == (
        [("rds-encrypted", True)] if shown else []
    )


def test_a_malformed_exception_is_told_in_words(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(rules: object) -> list[Allowance]:
        raise ExceptionsError("exceptions.yaml, entry 1: reason=None: say why the finding may stand")

    monkeypatch.setattr(catalogue, "load", load)
    replaced(project, "Pulumi.dev.yaml", "owner: platform", "owner: shop")
    with pytest.raises(PreviewError, match=r"exceptions\.yaml, entry 1: reason=None: say why"):
        compare_with(project, "HEAD", ["dev"])
