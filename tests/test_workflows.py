"""The workflows ask for no more than they need, trust nobody's text, and their scripts do what they say."""

import base64
import json
import os
import re
import shlex
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import yaml

from .support import ROOT

FOLDER = ROOT / ".github" / "workflows"
PATHS = sorted(FOLDER.glob("*.y*ml"))
TEXTS = {path.stem: path.read_text() for path in PATHS}
# Every scalar as the text that it is: YAML would read `on` as true.
WORKFLOWS: dict[str, dict[str, Any]] = {name: yaml.load(text, yaml.BaseLoader) for name, text in TEXTS.items()}
PINNED = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
EVERY_WORKFLOW = pytest.mark.parametrize("name", WORKFLOWS)


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in WORKFLOWS[name]["jobs"].values() for step in job["steps"]]


def scripts(name: str) -> list[str]:
    return [text for step in steps(name) for text in (step.get("run"), step.get("with", {}).get("script")) if text]


def script(name: str, step: str) -> str:
    """What one step of the comparison runs."""
    (found,) = [each["run"] for each in WORKFLOWS[name]["jobs"]["compare"]["steps"] if each.get("name") == step]
    return found


def outside(**more: str) -> dict[str, str]:
    """The environment as from a shell: a make within a make says where it is."""
    return {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")} | more


def test_there_are_the_two() -> None:
    assert set(WORKFLOWS) == {"pull-request", "comment"}


class TestWhatTheyMayDo:
    def test_permissions_are_these_and_no_more(self) -> None:
        assert WORKFLOWS["pull-request"]["permissions"] == {"contents": "read"}
        assert all("permissions" not in job for job in WORKFLOWS["pull-request"]["jobs"].values())
        assert not WORKFLOWS["comment"]["permissions"] or WORKFLOWS["comment"]["permissions"] == "{}"
        assert {key: job["permissions"] for key, job in WORKFLOWS["comment"]["jobs"].items()} == {
            "comment": {"actions": "read", "pull-requests": "write"}
        }

    def test_they_run_on_these_events(self) -> None:
        """Never on `pull_request_target`, which gives the rights of the repository to a run of a pull request."""
        assert set(WORKFLOWS["pull-request"]["on"]) == {"pull_request", "push"}
        assert {"labeled", "unlabeled"} < set(WORKFLOWS["pull-request"]["on"]["pull_request"]["types"])
        assert set(WORKFLOWS["comment"]["on"]) == {"workflow_run"}

    @EVERY_WORKFLOW
    def test_actions_are_pinned_with_their_version_beside(self, name: str) -> None:
        used = re.findall(r"^\s*(?:- )?uses:\s*(.*)$", TEXTS[name], re.MULTILINE)
        assert len(used) == sum("uses" in step for step in steps(name)) > 0
        assert [each for each in used if not PINNED.match(each)] == []

    def test_an_action_has_one_pin(self) -> None:
        used = {step["uses"] for name in WORKFLOWS for step in steps(name) if "uses" in step}
        assert len(used) == len({each.split("@")[0] for each in used})

    @EVERY_WORKFLOW
    def test_scripts_hold_no_expression(self, name: str) -> None:
        """What GitHub puts into a script is part of the script, whoever wrote it; values go through `env`."""
        assert scripts(name)
        assert [text for text in scripts(name) if "${{" in text] == []

    @EVERY_WORKFLOW
    def test_they_know_no_secret(self, name: str) -> None:
        assert not re.search(r"\bsecrets\b\s*[.\[:]", TEXTS[name])
        assert "id-token" not in TEXTS[name]

    @EVERY_WORKFLOW
    def test_checkouts_leave_no_token_behind(self, name: str) -> None:
        checkouts = [step for step in steps(name) if step.get("uses", "").startswith("actions/checkout@")]
        assert all(step["with"]["persist-credentials"] == "false" for step in checkouts)
        assert all("ref" not in step["with"] for step in checkouts)

    def test_the_one_that_may_write_checks_nothing_out_and_runs_no_command(self) -> None:
        assert [step["uses"].split("@")[0] for step in steps("comment")] == ["actions/github-script"]

    @EVERY_WORKFLOW
    def test_every_job_ends_some_time(self, name: str) -> None:
        assert all(int(job["timeout-minutes"]) <= 30 for job in WORKFLOWS[name]["jobs"].values())
        assert WORKFLOWS[name]["concurrency"]["group"]

    def test_a_newer_run_takes_the_place_of_an_older_one(self) -> None:
        assert WORKFLOWS["pull-request"]["concurrency"]["cancel-in-progress"] == "true"
        assert "head_ref" not in WORKFLOWS["pull-request"]["concurrency"]["group"], "two forks can name a branch alike"


class TestTheyFitTogether:
    def test_the_comment_follows_the_first_by_its_name(self) -> None:
        assert WORKFLOWS["comment"]["on"]["workflow_run"] == {
            "workflows": [WORKFLOWS["pull-request"]["name"]],
            "types": ["completed"],
        }

    def test_they_speak_of_the_same_artifact(self) -> None:
        (upload,) = [step for step in steps("pull-request") if "upload-artifact@" in step.get("uses", "")]
        assert f"name: '{upload['with']['name']}'" in TEXTS["comment"]

    def test_the_make_targets_exist(self) -> None:
        lines = [line for text in scripts("pull-request") for line in text.splitlines() if line.startswith("make ")]
        assert sorted(lines) == ["make lint test", "make setup"]
        for line in lines:
            subprocess.run(
                ["make", "--dry-run", *shlex.split(line)[1:]], cwd=ROOT, env=outside(), capture_output=True, check=True
            )

    def test_the_comparison_is_the_one_that_make_compare_runs(self) -> None:
        """But for its exit code: make knows only one for whatever went wrong."""
        dry = subprocess.run(
            ["make", "--no-print-directory", "--dry-run", "compare", "AGAINST=BASE", "ARGS=--format markdown"],
            cwd=ROOT,
            env=outside(),
            capture_output=True,
            text=True,
            check=True,
        )
        made = shlex.split(dry.stdout.splitlines()[-1])
        (here,) = re.findall(r"^\.venv/bin/python.*?(?= \\\n)", script("pull-request", "Compare"), re.MULTILINE)
        assert shlex.split(here.replace('"$base"', "BASE")) == made


@pytest.fixture
def runner(tmp_path: Path) -> Path:
    """A repository whose HEAD is a merge, with a stand-in for the preview that prints what it was called with."""
    if not (shutil.which("bash") and shutil.which("git")):
        pytest.skip("needs bash and git")
    repository = tmp_path / "repository"
    python = repository / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$@"\nexit "$CODE"\n')
    python.chmod(0o755)
    for words in (
        "init --initial-branch main",
        "commit --allow-empty --message base",
        "checkout -b change",
        "commit --allow-empty --message change",
        "checkout main",
        "commit --allow-empty --message meanwhile",
        "merge --no-ff --no-edit change",
    ):
        git(repository, *words.split())
    (tmp_path / "temp").mkdir()
    return repository


def git(repository: Path, *words: str) -> str:
    settings = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    result = subprocess.run(
        ["git", *settings, *words], cwd=repository, env=clean(), capture_output=True, text=True, check=True
    )
    return result.stdout.strip()


def clean() -> dict[str, str]:
    return {key: value for key, value in outside().items() if not key.startswith("GIT_")}


def run(repository: Path, step: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run one step of the comparison as GitHub would."""
    temp = repository.parent / "temp"
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script("pull-request", step)],
        cwd=repository,
        env=clean() | {"RUNNER_TEMP": str(temp), "GITHUB_STEP_SUMMARY": str(temp / "summary")} | env,
        capture_output=True,
        text=True,
        check=False,
    )


class TestCompare:
    @pytest.mark.parametrize("code", range(5))
    def test_keeps_text_and_exit_code(self, runner: Path, code: int) -> None:
        result = run(runner, "Compare", CODE=str(code))
        assert result.returncode == 0, result.stderr
        temp = runner.parent / "temp"
        text = (temp / "comparison" / "comparison.md").read_text()
        meanwhile = git(runner, "rev-parse", "HEAD^1")
        assert text == f"-m preview --against {meanwhile} --format markdown\n"
        assert git(runner, "log", "-1", "--format=%s", meanwhile) == "meanwhile"
        assert (temp / "summary").read_text() == text
        assert (temp / "comparison" / "exit-code").read_text() == f"{code}\n"

    def test_without_a_base_it_fails(self, runner: Path) -> None:
        git(runner, "checkout", "--orphan", "alone")
        git(runner, "commit", "--allow-empty", "--message", "alone")
        assert run(runner, "Compare", CODE="0").returncode != 0

    @pytest.mark.parametrize("allowed", ["true", "false", ""])
    @pytest.mark.parametrize(
        ("code", "passes"),
        [("0", True), ("1", False), ("2", False), ("3", True), ("4", None), ("137", False), ("", False)],
    )
    def test_only_failure_and_loss_without_the_label_fail(
        self, runner: Path, code: str, passes: bool | None, allowed: str
    ) -> None:
        folder = runner.parent / "temp" / "comparison"
        folder.mkdir()
        (folder / "exit-code").write_text(f"{code}\n")
        result = run(runner, "Judge", DESTROYS_DATA=allowed)
        assert (result.returncode == 0) is (allowed == "true" if passes is None else passes)
        assert ("::error::" in result.stdout) is (result.returncode != 0)

    def test_the_label_is_the_one_that_is_told_of(self) -> None:
        (judge,) = [step for step in steps("pull-request") if step.get("name") == "Judge"]
        (label,) = re.findall(r"labels\.\*\.name, '([^']+)'", judge["env"]["DESTROYS_DATA"])
        assert label in judge["run"]
        assert f"`{label}`" in TEXTS["comment"]
        assert f"`{label}`" in (ROOT / "docs" / "ci.md").read_text()


HEAD_SHA = "a" * 40
MARKER = "<!-- plinth-comparison -->"
BOT = {"login": "github-actions[bot]", "type": "Bot"}
LIMIT = 65_536
HARNESS = """
const given = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
const calls = [], told = [];
const call = (name, result) => async (words) => { calls.push({ name, ...words }); return { data: result }; };
const github = {
  rest: {
    pulls: { list: call('pulls', given.pulls) },
    actions: {
      listWorkflowRunArtifacts: call('artifacts', given.artifacts),
      downloadArtifact: async (words) => {
        calls.push({ name: 'download', ...words });
        if (given.parsed) return { data: given.parsed };
        const bytes = Buffer.from(given.archive, 'base64');
        return { data: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) };
      },
    },
    issues: {
      listComments: call('comments', given.comments),
      createComment: call('create'),
      updateComment: call('update'),
      deleteComment: call('delete'),
    },
  },
  paginate: async (method, words) => (await method(words)).data,
};
const context = {
  repo: { owner: 'here', repo: 'plinth' },
  payload: {
    workflow_run: {
      id: 7, run_number: 12, html_url: 'https://github.example/run/7',
      head_sha: given.sha, head_repository: given.repository,
    },
  },
};
const core = Object.fromEntries(['notice', 'warning'].map((kind) => [kind, (text) => told.push([kind, text])]));
const AsyncFunction = (async () => {}).constructor;
new AsyncFunction('github', 'context', 'core', 'require', given.script)(github, context, core, require).then(
  () => console.log(JSON.stringify({ calls, told })),
);
"""


def pull(number: int = 5, sha: str = HEAD_SHA, repository: int | None = 1) -> dict[str, Any]:
    return {"number": number, "head": {"sha": sha, "repo": None if repository is None else {"id": repository}}}


def comment(number: int, body: str = f"{MARKER}\nold", user: dict[str, str] | None = None) -> dict[str, Any]:
    return {"id": number, "body": body, "user": user or BOT}


def archive(*members: tuple[str, str], link: str = "") -> bytes:
    """A zip as the upload makes it, or with one of its members as a symbolic link."""
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as into:
        for name, text in members:
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = (0o120777 if name == link else 0o100644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            into.writestr(info, text)
    return content.getvalue()


def compared(text: str = "### Changes", code: str = "3\n") -> bytes:
    return archive(("comparison.md", text), ("exit-code", code))


@dataclass(frozen=True)
class Told:
    """What the script asked of GitHub, and what it told the log."""

    calls: list[dict[str, Any]]
    log: list[tuple[str, str]]

    @property
    def writes(self) -> list[dict[str, Any]]:
        return [call for call in self.calls if call["name"] in ("create", "update", "delete")]

    @property
    def body(self) -> str:
        """The text of the one comment that was made or updated."""
        (body,) = [call["body"] for call in self.writes if "body" in call]
        assert body.startswith(MARKER)
        assert len(body) <= LIMIT
        return body


@pytest.fixture
def commented(tmp_path: Path) -> Callable[..., Told]:
    """Run the comment's script in a GitHub that answers from a table."""
    node = shutil.which("node")
    if not node or not shutil.which("unzip"):
        pytest.skip("needs node and unzip, as GitHub's runners have them")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.lstrip("v").split(".")[0]) < 20:
        pytest.skip(f"needs node 20 or newer, not {version.strip()}")
    (text,) = scripts("comment")

    def commented(
        content: bytes | None = None,
        *,
        pulls: list[dict[str, Any]] | None = None,
        comments: list[dict[str, Any]] | None = None,
        repository: dict[str, int] | None = None,
        size: int | None = None,
        artifacts: list[dict[str, Any]] | None = None,
        parsed: object = None,
    ) -> Told:
        if artifacts is None:
            held = {"id": 3, "name": "comparison", "expired": False, "size_in_bytes": size or len(content or b"")}
            artifacts = [] if content is None else [held]
        given = {
            "script": text,
            "sha": HEAD_SHA,
            "repository": repository or {"id": 1},
            "pulls": [pull()] if pulls is None else pulls,
            "comments": comments or [],
            "artifacts": artifacts,
            "parsed": parsed,
            "archive": base64.b64encode(content or b"").decode(),
        }
        result = subprocess.run(
            [node, "-e", HARNESS],
            input=json.dumps(given),
            cwd=tmp_path,
            env=outside(RUNNER_TEMP=str(tmp_path)),
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        assert {path.name for path in tmp_path.iterdir()} <= {"comparison.zip"}, "nothing else is ever written"
        said = json.loads(result.stdout)
        return Told(said["calls"], [tuple(each) for each in said["told"]])

    return commented


Commented = Callable[..., Told]
ZERO = "\u200b"


class TestComment:
    def test_a_pull_request_gets_one(self, commented: Commented) -> None:
        told = commented(compared())
        assert [(call["name"], call["issue_number"]) for call in told.writes] == [("create", 5)]
        assert "### Changes" in told.body
        assert HEAD_SHA in told.body
        assert "https://github.example/run/7" in told.body
        assert "destroys-data" not in told.body
        assert all(call["owner"] == "here" and call["repo"] == "plinth" for call in told.calls)

    def test_a_fork_gets_one_too(self, commented: Commented) -> None:
        told = commented(compared(), pulls=[pull(repository=99)], repository={"id": 99})
        assert [call["name"] for call in told.writes] == ["create"]

    @pytest.mark.parametrize(
        "pulls",
        [
            pytest.param([], id="none"),
            pytest.param([pull(5), pull(6)], id="several"),
            pytest.param([pull(sha="b" * 40)], id="moved on"),
            pytest.param([pull(repository=2)], id="of another repository"),
            pytest.param([pull(repository=None)], id="of a deleted repository"),
        ],
    )
    def test_where_it_is_not_one_pull_request_nothing_is_read_or_written(
        self, commented: Commented, pulls: list[dict[str, Any]]
    ) -> None:
        told = commented(compared(), pulls=pulls, comments=[comment(1)])
        assert [call["name"] for call in told.calls] == ["pulls"]
        assert [kind for kind, _ in told.log] == ["notice"]

    def test_only_the_one_that_is_meant_gets_it(self, commented: Commented) -> None:
        pulls = [pull(4, sha="b" * 40), pull(5), pull(6, repository=2), pull(7, repository=None)]
        assert [call["issue_number"] for call in commented(compared(), pulls=pulls).writes] == [5]

    def test_its_own_comment_is_updated(self, commented: Commented) -> None:
        told = commented(compared(), comments=[comment(1, "something else"), comment(2)])
        assert [(call["name"], call["comment_id"]) for call in told.writes] == [("update", 2)]

    def test_of_several_one_stays(self, commented: Commented) -> None:
        told = commented(compared(), comments=[comment(2), comment(3), comment(4)])
        assert [(call["name"], call["comment_id"]) for call in told.writes] == [
            ("update", 2),
            ("delete", 3),
            ("delete", 4),
        ]

    @pytest.mark.parametrize(
        "other",
        [
            comment(1, user={"login": "someone", "type": "User"}),
            comment(1, user={"login": "github-actions[bot]", "type": "User"}),
            comment(1, user={"login": "another[bot]", "type": "Bot"}),
            comment(1, body=f"> {MARKER}"),
            {"id": 1, "body": MARKER, "user": None},
            {"id": 1, "body": None, "user": BOT},
        ],
    )
    def test_nobody_elses_comment_is_touched(self, commented: Commented, other: dict[str, Any]) -> None:
        assert [call["name"] for call in commented(compared(), comments=[other]).writes] == ["create"]

    def test_without_a_comparison_there_is_no_comment(self, commented: Commented) -> None:
        assert commented(None).writes == []

    def test_without_a_comparison_an_older_comment_says_so(self, commented: Commented) -> None:
        told = commented(None, comments=[comment(2)])
        assert [call["name"] for call in told.writes] == ["update"]
        assert f"no comparison for {HEAD_SHA}" in told.body

    def test_the_newest_artifact_of_the_name_counts(self, commented: Commented) -> None:
        sort = {"name": "comparison", "expired": False, "size_in_bytes": 9}
        artifacts = [
            sort | {"id": 3},
            sort | {"id": 8},
            sort | {"id": 9, "expired": True},
            sort | {"id": 10, "name": "another"},
        ]
        told = commented(compared(), artifacts=artifacts)
        assert [call["artifact_id"] for call in told.calls if call["name"] == "download"] == [8]

    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(b"not a zip", id="no archive"),
            pytest.param(archive(("comparison.md", "text")), id="no exit code"),
            pytest.param(archive(("exit-code", "3")), id="no text"),
            pytest.param(archive(("comparison.md", "text"), ("exit-code", "3"), ("more", "")), id="more"),
            pytest.param(archive(("../comparison.md", "text"), ("exit-code", "3")), id="a path upwards"),
            pytest.param(archive(("/tmp/comparison.md", "text"), ("exit-code", "3")), id="a path from the root"),
            pytest.param(
                archive(("comparison.md", "/etc/passwd"), ("exit-code", "3"), link="comparison.md"), id="a link"
            ),
            pytest.param(compared(code="3; rm"), id="an exit code that is none"),
            pytest.param(compared(code=""), id="an empty exit code"),
        ],
    )
    def test_what_is_not_two_plain_files_is_refused(self, commented: Commented, content: bytes) -> None:
        told = commented(content)
        assert told.writes == []
        assert [kind for kind, _ in told.log] == ["warning"]

    @pytest.mark.parametrize("parsed", [{"a": 1}, "text"], ids=["JSON", "text"])
    def test_what_is_served_as_something_else_is_refused(self, commented: Commented, parsed: object) -> None:
        told = commented(compared(), parsed=parsed)
        assert told.writes == []
        assert [kind for kind, _ in told.log] == ["warning"]

    def test_what_is_too_large_is_not_even_downloaded(self, commented: Commented) -> None:
        told = commented(compared(), size=1024 * 1024 + 1)
        assert "download" not in [call["name"] for call in told.calls]
        assert told.writes == []

    def test_what_unpacks_to_too_much_is_cut(self, commented: Commented) -> None:
        """Fifty megabytes of the same, in fifty kilobytes."""
        assert "Cut here" in commented(compared("word " * 10_000_000)).body

    @pytest.mark.parametrize("length", [60_000, 65_000, 65_300, LIMIT, 70_000, 300_000])
    def test_what_is_too_long_is_cut_with_a_note(self, commented: Commented, length: int) -> None:
        line = "+ aws:s3/bucket:Bucket  events\n"
        head = "<details><summary>dev</summary>\n\n~~~~diff\n"
        tail = "~~~~\n</details>\n"
        text = head + line * ((length - len(head) - len(tail)) // len(line)) + tail
        body = commented(compared(text)).body
        assert ("Cut here" in body) is (length > 65_300)
        assert body.count("~~~~") == 2
        assert body.count("<details>") == body.count("</details>") == 1
        assert body.index("</details>") < body.index("own code in")
        assert len(body) > 59_000

    @pytest.mark.parametrize("start", ["", "x"])
    def test_one_long_line_of_wide_characters_is_cut_whole(self, commented: Commented, start: str) -> None:
        body = commented(compared(start + "\U0001f40d" * 50_000)).body
        assert "Cut here" in body
        body.encode()  # no half of a character

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("ask @octocat", f"ask @{ZERO}octocat"),
            ("`@here/everyone`", f"`@{ZERO}here/everyone`"),
            ("&#64;octocat &#x40;octocat &commat;octocat", f"&{ZERO}#x40;octocat &{ZERO}commat;octocat"),
            ("closes #12 and GH-3", f"closes #{ZERO}12 and GH-{ZERO}3"),
            ("other/place#4", f"other/place#{ZERO}4"),
            ("https://github.com/a/b/issues/1", f"https:{ZERO}//github.com"),
            ("<!-- hidden", f"<{ZERO}!-- hidden"),
            ("a\u202eb\x00c\x1b[31m", "abc[31m"),
            ("### A heading, &#39;quoted&#39; &lt;b&gt; &quot;", "### A heading, &#39;quoted&#39; &lt;b&gt; &quot;"),
            ("@@ -1 +1 @@", "@@ -1 +1 @@"),
            ("tree: ${{ secrets.X }} `${1+1}` $& $1", "${{ secrets.X }} `${1+1}` $& $1"),
        ],
    )
    def test_the_text_can_do_nothing_but_be_read(self, commented: Commented, text: str, shown: str) -> None:
        body = commented(compared(text)).body
        assert shown in body
        assert "@octocat" not in body

    def test_the_mark_of_the_report_is_not_shown(self, commented: Commented) -> None:
        assert commented(compared(f"{MARKER}\n### Changes")).body.count("plinth-comparison") == 1

    @pytest.mark.parametrize(
        ("code", "said"),
        [("1", "The comparison failed"), ("2", "The comparison failed"), ("4", "`destroys-data` only")],
    )
    def test_what_does_not_pass_is_said(self, commented: Commented, code: str, said: str) -> None:
        assert said in commented(compared(code=code)).body

    def test_an_empty_text_is_said(self, commented: Commented) -> None:
        assert "Nothing was printed" in commented(compared("", "1")).body
