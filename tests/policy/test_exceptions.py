"""Exceptions: what they let stand, for how long, and what is wrong with them."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from policy.catalogue import IDS, judge
from policy.exceptions import STALE, Allowance, ExceptionsError, load
from policy.rules.rule import Level
from preview import judged, render
from preview.plan import STACK_TYPE, Plan, Resource
from preview.project import PreviewError, configuration

from ..mutants import PROGRAM
from ..support import ROOT
from .planted import sound

TODAY = date(2027, 6, 30)
ALLOWED = Allowance("rds-encrypted", "test", "*::database", "The old one is moved in July", TODAY)
ROOT_URN = "urn:pulumi:test::plinth::pulumi:pulumi:Stack::plinth-test"


def broken() -> Plan:
    """A whole stack with one unencrypted database."""
    sketch = sound()
    sketch.change("database", storageEncrypted=False)
    root = Resource(ROOT_URN, STACK_TYPE, "plinth-test", False, "", {}, [], {}, "", False, [], {})
    return replace(sketch.plan(), resources=[root, *sketch.plan().resources])


def test_an_exception_lets_a_finding_stand_until_its_last_day() -> None:
    (finding,) = judge(broken(), [ALLOWED], TODAY)
    assert finding.rule == "rds-encrypted"
    assert finding.excepted == "until 2027-06-30: The old one is moved in July"
    assert "ran out" not in finding.message


def test_from_the_next_day_on_the_finding_stands_and_says_so() -> None:
    (finding,) = judge(broken(), [ALLOWED], date(2027, 7, 1))
    assert not finding.excepted
    assert finding.message.endswith(
        " The exception ran out on 2027-06-30: mend this, or give it a later date in exceptions.yaml."
    )


def test_of_two_exceptions_the_later_one_counts() -> None:
    later = replace(ALLOWED, expires=date(2027, 12, 31), reason="In December")
    (finding,) = judge(broken(), [later, ALLOWED], date(2027, 7, 1))
    assert finding.excepted == "until 2027-12-31: In December"


@pytest.mark.parametrize(
    "other",
    [
        {"rule": "rds-private"},
        {"urn": "*::replica"},
        {"urn": "urn:pulumi:test"},
        {"urn": "*::[d]atabase"},
    ],
    ids=str,
)
def test_an_exception_that_is_about_nothing_is_a_finding_itself(other: dict[str, str]) -> None:
    finding, idle = judge(broken(), [replace(ALLOWED, **other)], TODAY)
    assert (finding.rule, finding.excepted) == ("rds-encrypted", "")
    assert (idle.rule, idle.urn, idle.level) == (STALE, ROOT_URN, Level.ADVISORY)
    assert "until 2027-06-30, is about nothing: take it out of exceptions.yaml." in idle.message


def test_an_exception_of_another_stack_neither_helps_nor_harms() -> None:
    (finding,) = judge(broken(), [replace(ALLOWED, stack="prod")], TODAY)
    assert not finding.excepted


def test_the_preview_shows_exceptions_apart() -> None:
    sketch = broken()
    mended = replace(ALLOWED, rule="rds-private")
    shown = render.text(replace(sketch, findings=judge(sketch, [ALLOWED, mended], TODAY)))
    findings = shown.partition("Policy findings (1)\n")[2].partition("Exceptions (1)\n")
    assert findings[0].startswith("  exception-needed (advisory): plinth-test: An exception goes when ")
    assert findings[2].splitlines()[0] == "  rds-encrypted: database: until 2027-06-30: The old one is moved in July"


def test_the_exceptions_of_this_project_are_in_order() -> None:
    assert all(each.expires >= date.today() for each in load(IDS))


GOOD: dict[str, Any] = {
    "rule": "rds-encrypted",
    "stack": "prod",
    "urn": "*::x",
    "reason": "Because\n  it is",
    "expires": date(2027, 6, 30),
}


def loaded(folder: Path, content: Any) -> list[Allowance]:
    path = folder / "exceptions.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return load(IDS, path)


def test_exceptions_are_read(tmp_path: Path) -> None:
    expected = Allowance("rds-encrypted", "prod", "*::x", "Because it is", date(2027, 6, 30))
    assert loaded(tmp_path, {"exceptions": [GOOD]}) == [expected]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"rule": "rds-encrypt"}, "rule='rds-encrypt': no such rule; did you mean `rds-encrypted`?"),
        ({"rule": "zzz"}, "rule='zzz': no such rule; `python -m policy list` shows them"),
        ({"rule": None}, "rule=None: name a rule; `python -m policy list` shows them"),
        ({"stack": ""}, "stack='': name the stack that it is for"),
        ({"urn": 7}, "urn=7: give the resource's URN; `*` stands for anything"),
        ({"reason": "  "}, "reason='  ': say why the finding may stand"),
        ({"expires": None}, "expires=None: give the last day of it, as in 2027-12-31"),
        ({"expires": "soon"}, "expires='soon': give the last day of it, as in 2027-12-31"),
        ({"until": 1}, "until=1: no such key; there are rule, stack, urn, reason, expires"),
    ],
    ids=str,
)
def test_a_wrong_entry_is_named_with_its_value_and_remedy(tmp_path: Path, change: Any, problem: str) -> None:
    with pytest.raises(ExceptionsError) as error:
        loaded(tmp_path, {"exceptions": [GOOD, {**GOOD, **change}]})
    assert str(error.value) == f"exceptions.yaml, entry 2: {problem}"


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ExceptionsError) as error:
        loaded(tmp_path, {"exceptions": ["rds-encrypted", {**GOOD, "stack": None, "reason": None}]})
    assert str(error.value).splitlines() == [
        "exceptions.yaml, entry 1: 'rds-encrypted': give rule, stack, urn, reason, expires",
        "exceptions.yaml, entry 2: stack=None: name the stack that it is for",
        "exceptions.yaml, entry 2: reason=None: say why the finding may stand",
    ]


@pytest.mark.parametrize("content", ["", "[]", "exceptions: {}", "exceptions: []\nmore: 1", "a: [", "text"])
def test_a_file_of_another_shape_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(ExceptionsError, match=r"exceptions\.yaml (must hold one key|is no YAML)"):
        loaded(tmp_path, content)


def test_a_preview_with_a_wrong_exception_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(_: Any) -> None:
        raise ExceptionsError("exceptions.yaml, entry 1: wrong")

    monkeypatch.setattr(judged.catalogue, "load", wrong)
    with pytest.raises(PreviewError, match="entry 1: wrong"):
        judged.judged_plan(configuration(ROOT, "dev"), PROGRAM)
