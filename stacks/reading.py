"""What the readers of all kinds of stack files share."""

import copy
import importlib
import json
import re
from collections.abc import Iterable, Mapping
from enum import Enum
from itertools import takewhile
from typing import Any, TypeVar, get_origin

from pydantic import BaseModel, ValidationError

from components.problems import MISSING, Problem, one_of, unknown_key

from .model import Part

NAMESPACE = "plinth"


class Cloud(Enum):
    """Where an environment stands."""

    AWS = "aws"
    GCP = "gcp"
    KUBERNETES = "kubernetes"
    """In an existing cluster, with nothing of any cloud."""
    LOCAL = "local"


RECEIVER = r"mailto:[^@\s]+@[^@\s]+\.[^@\s]+|https://[^\s/]+(/\S*)?"
"""Shape of somebody who is told of alarms."""
REQUIRED_TAGS = ("owner",)
"""Tags that a stack file must give."""
RESERVED_TAGS = ("system", "environment", "tier", "managed-by", "decommission")
"""Tags that every environment sets itself, and that policies read."""


class Alerts(Part):
    """Who is told of alarms: `mailto:` addresses, or `https://` URLs of a paging or chat service."""

    critical: tuple[str, ...] = ()
    """Told of what must be looked at now."""
    warning: tuple[str, ...] = ()
    """Told of what must be looked at this week. Default: those who are told of what is critical."""

    @property
    def by_severity(self) -> dict[str, list[str]]:
        """Who is told of what."""
        return {"critical": list(self.critical), "warning": list(self.warning or self.critical)}

    @property
    def by_mail(self) -> list[str]:
        """The e-mail addresses among them, each once."""
        everyone = dict.fromkeys((*self.critical, *self.warning))
        return [each.removeprefix("mailto:") for each in everyone if each.startswith("mailto:")]


def values_of(config: Mapping[str, str]) -> dict[str, Any]:
    """The namespace's keys and values. Empty values are the defaults that Pulumi.yaml declares: not set."""
    values: dict[str, Any] = {}
    for key, text in config.items():
        namespace, _, name = key.partition(":")
        if namespace != NAMESPACE:
            continue
        value: Any = text
        if text[:1] in ("{", "[") or text in ("true", "false"):
            value = json.loads(text)
        if value not in ("", {}, []):
            values[name] = value
    return values


def regions_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a stack file says of regions, by key."""
    return {key: values[key] for key in ("region", "recoveryRegion", "primaryRegion") if key in values}


def follows_another(values: Mapping[str, Any]) -> bool:
    """Whether a stack file makes a standby: its primary is in another region."""
    return values.get("primaryRegion", values.get("region")) != values.get("region")


Section = TypeVar("Section", bound=BaseModel)
Member = TypeVar("Member", bound=Enum)
_ATTEMPTS = 10
"""How often something is put in the place of what does not fit: where a part goes as a whole, its owner may follow."""


class Reader:
    """Reads one stack's configuration and keeps every problem that it finds."""

    def __init__(self, stack: str):
        self.file = f"Pulumi.{stack}.yaml"
        self.problems: list[Problem] = []
        self._of_shape: list[Problem] = []
        self._broken: list[str] = []

    def add(self, path: str, value: object, remedy: str) -> None:
        """Keep a problem."""
        self.problems.append(Problem(f"{NAMESPACE}:{path}", value, remedy))

    def add_all(self, problems: Iterable[Problem]) -> None:
        """Keep problems whose paths are below the namespace."""
        for problem in problems:
            self.add(*problem)

    def secrets(self, keys: Iterable[str]) -> None:
        """Refuse encrypted keys: settings hold no secret."""
        for key in sorted(keys):
            if key.partition(":")[0] == NAMESPACE:
                self.add(key.partition(":")[2], MISSING, "is encrypted but holds no secret; write it in plain text")

    def parsed(
        self, shape: type[Section], value: Any, path: str, known: Mapping[str, Any] | None = None
    ) -> Section | None:
        """The value as the shape. Strict, since YAML has types of its own.

        What does not fit is a problem. So that the rest is looked at with it, what is known stands in its place, or
        nothing; where that does not fit either, there is None.
        """
        given = value
        for attempt in range(_ATTEMPTS):
            try:
                return shape.model_validate_json(json.dumps(given), strict=True)
            except ValidationError as error:
                details = error.errors()
            if not attempt:
                for detail in details:
                    self._keep(shape, path, detail)
            given = _without(given, details, known or {})
            if given is None:
                break
        return None

    def _keep(self, shape: type[BaseModel], path: str, detail: Any) -> None:
        """Keep a problem of shape, and where it is."""
        self.add(*_explained(shape, path, detail, self.file))
        self._of_shape.append(self.problems[-1])
        if detail["type"] != "extra_forbidden":
            self._broken.append(".".join([*([path] if path else []), *_steps(detail)]))

    def told(self) -> list[Problem]:
        """The problems, without those that are about something in the place of what does not fit."""
        return [
            each
            for each in self.problems
            if each in self._of_shape or not any(_rests_on(each, broken) for broken in self._broken)
        ]

    def member(self, kind: type[Member], value: Any) -> Member | None:
        """The member with the value, or None: the file's shape reports what is none."""
        return next((member for member in kind if member.value == value), None)

    def receivers(self, needed: bool, alerts: Any) -> None:
        """See that those who are told of alarms can be, and that there is somebody where it is needed."""
        if not isinstance(alerts, dict):
            return  # reported with the file's shape
        for severity in ("critical", "warning"):
            receivers = alerts.get(severity, [])
            for i, receiver in enumerate(receivers if isinstance(receivers, list) else []):
                path = f"alerts.{severity}[{i}]"
                if isinstance(receiver, str) and not re.fullmatch(RECEIVER, receiver):
                    remedy = "write mailto:<address>, or https:// and the URL of a paging or chat service"
                    self.add(path, receiver, remedy)
                elif receiver in receivers[:i]:
                    self.add(path, receiver, "stands twice; name each receiver once")
        if needed and not alerts.get("critical"):
            self.add("alerts.critical", MISSING, f"an alarm needs somebody who is told; name them in {self.file}")

    def tags(self, tags: Any) -> None:
        """See that the tags which must be given are, and that no other is."""
        if not isinstance(tags, dict):
            return  # reported with the file's shape
        for tag in REQUIRED_TAGS:
            if tag not in tags:
                self.add(f"tags.{tag}", MISSING, f"required for cost allocation; set it in {self.file}")
        for tag in RESERVED_TAGS:
            if tag in tags:
                self.add(f"tags.{tag}", tags[tag], "every environment sets this tag itself; choose another name")

    def section(
        self,
        shape: type[Section],
        cloud: Cloud | None,
        values: dict[str, Any],
        known: Mapping[str, Any] | None = None,
    ) -> Section | None:
        """The cloud's own section, or None and problems."""
        given = values.get(cloud.value, {}) if cloud else None
        # Anything else is reported with the file's shape.
        return self.parsed(shape, given, cloud.value, known) if cloud and isinstance(given, dict) else None

    def unheard(self, cloud: Cloud, values: Mapping[str, Any]) -> list[str]:
        """Warnings of what only another cloud has. It may stay, so that the file holds for both."""
        others = [each.value for each in Cloud if each is not cloud and each.value in values]
        return [f"{NAMESPACE}:{other}: has no effect on {cloud.value}, and may stay for a move" for other in others]

    def module(self, cloud: Cloud | None, modules: Mapping[Cloud, str], what: str) -> Any:
        """The module of settings that a cloud has beside its own, or None where there is none."""
        if cloud is None:
            return None
        if cloud not in modules:
            supported = ", ".join(each.value for each in modules)
            self.add("cloud", cloud.value, f"{what} does not run there yet; choose {supported}")
            return None
        return importlib.import_module(f"{modules[cloud]}_settings")


def _rests_on(problem: Problem, broken: str) -> bool:
    """Whether a problem is at, above or below a path, or reasons with what stands there."""
    here = problem.path.removeprefix(f"{NAMESPACE}:")
    if here == broken or here.startswith((f"{broken}.", f"{broken}[")) or broken.startswith(f"{here}."):
        return True
    owner, _, key = broken.rpartition(".")
    if not owner:
        return False
    # A remedy names its neighbours by their keys, and all else by its path.
    named = f"{re.escape(broken)}|{re.escape(key)}" if here.startswith(f"{owner}.") else re.escape(broken)
    return re.search(rf"(?<![\w.])({named})\b", problem.remedy) is not None


def _steps(detail: Any) -> list[str]:
    """The keys that lead to a pydantic error. What is in a list is not told from the list."""
    return [str(step) for step in takewhile(lambda step: isinstance(step, str) and step != "[key]", detail["loc"])]


def _without(given: Any, details: list[Any], known: Mapping[str, Any]) -> dict[str, Any] | None:
    """A mapping with what is known, or nothing, in the place of each error. None where nothing would be left."""
    if not isinstance(given, dict):
        return None
    mended = copy.deepcopy(given)
    for detail in details:
        steps = _steps(detail)
        if detail["type"] == "missing" and _at(known, steps) is None:
            del steps[-1]  # a part that lacks something goes as a whole
        if not steps:
            return None
        place = _at(mended, steps[:-1])
        if not isinstance(place, dict):
            continue  # it went with another error
        place.pop(steps[-1], None)
        if (instead := _at(known, steps)) is not None:
            place[steps[-1]] = instead
    return mended


def _at(values: Mapping[str, Any], steps: list[str]) -> Any:
    """What stands in nested mappings where the steps lead, or None."""
    found: Any = values
    for step in steps:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _explained(shape: type[BaseModel], prefix: str, detail: Any, file: str) -> Problem:
    """A pydantic error as path, value and remedy."""
    path = prefix
    for step in detail["loc"]:
        if step == "[key]":
            continue  # the name itself is wrong, which stands there already
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else str(step)
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return Problem(path, given, unknown_key(str(detail["loc"][-1]), _keys(shape, detail["loc"][:-1])))
    if kind == "missing":
        return Problem(path, MISSING, f"required; set it in {file}")
    if kind == "enum":
        expected = [choice.strip("'") for choice in context["expected"].replace(" or ", ", ").split(", ")]
        return Problem(path, given, one_of(expected, given))
    remedies = {
        "string_type": "give text; in YAML, put it in quotes",
        "int_type": "give a whole number",
        "int_from_float": "give a whole number",
        "bool_type": "give true or false",
        "dict_type": "give a mapping of keys and values",
        "model_type": "give a mapping of keys and values",
        "model_attributes_type": "give a mapping of keys and values",
        "tuple_type": "give a list",
        "greater_than_equal": f"give {context.get('ge')} or more",
        "less_than_equal": f"give {context.get('le')} or less",
        "int_parsing_size": "give a number of fewer digits",
        "shape": detail["msg"],  # which is a remedy
    }
    return Problem(path, given, remedies.get(kind, "is nothing that can stand here; see docs/configuration.md"))


def _keys(shape: type[BaseModel], steps: tuple[int | str, ...]) -> list[str]:
    """The keys of the model at the steps below a shape."""
    path = iter(steps)
    for step in path:
        fields = {field.alias or name: field for name, field in shape.model_fields.items()}
        note = fields[str(step)].annotation
        if get_origin(note) is dict:
            next(path)  # a name, which is no field
        candidates = [note, *getattr(note, "__args__", ())]
        shape = next(each for each in candidates if isinstance(each, type) and issubclass(each, BaseModel))
    return [field.alias or name for name, field in shape.model_fields.items()]
