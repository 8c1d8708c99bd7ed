"""What every component of the library shares: type, children's parent, outputs, and the check of its args."""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, TypeVar, cast, get_args, is_typeddict

import pulumi
from pulumi.output import Unknown
from pulumi.provider.experimental import analyzer

from .problems import MISSING, InputError, Problem, one_of, unknown_key

Args = TypeVar("Args", bound=Mapping[str, Any])
Value = TypeVar("Value")
Rule = Callable[[Any], str | None]
"""Looks at one plain value: None where it is fine, else what is wrong and what to write instead."""


class Component(pulumi.ComponentResource):
    """A component of type `plinth:index:<class>`: class names are therefore unique across clouds."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None):
        super().__init__(f"plinth:index:{type(self).__name__}", name, None, opts)
        self._awaited = _listed(opts.depends_on if opts else None)

    def _child(self, **options: Any) -> pulumi.ResourceOptions:
        """Options for a child. Provider and tags are inherited; a caller's `opts` are never merged into a child,
        since they carry `aliases`, `import_` and `protect` that were meant for the component. Only its `depends_on`
        is: Pulumi keeps that at the component, and the children would not wait."""
        if self._awaited:
            options["depends_on"] = [*self._awaited, *_listed(options.get("depends_on"))]
        return pulumi.ResourceOptions(parent=self, **options)

    def _register(self) -> None:
        """Register as outputs exactly the attributes that the class declares."""
        self.register_outputs(outputs(self))


def _listed(depends_on: Any) -> list[Any]:
    """What a resource waits for, which may be nothing, one resource, or a list."""
    if depends_on is None:
        return []
    return list(depends_on) if isinstance(depends_on, Sequence) else [depends_on]


def outputs(component: Component) -> dict[str, Any]:
    """The outputs of a component as its consumers get them: those that its class declares, spelled as in the schema,
    with enum members as their values."""
    notes = inspect.get_annotations(type(component))
    return {
        camel_case(name): _outward(note, getattr(component, name, None))
        for name, note in notes.items()
        if not name.startswith("_")
    }


class Sent(dict[str, Any]):
    """Args as the engine hands them over from a program in another language: keys in camelCase at every level, whole
    numbers as floats, enum members by their values, and Outputs that hold the same."""


class ArgsError(InputError):
    """What `checked` refuses. Its paths and keys are spelled as the caller spells them."""


def checked(
    shape: type[Args],
    args: Args,
    subject: str,
    rules: Mapping[str, Rule] | None = None,
    further: Callable[[Args], Iterable[Problem]] | None = None,
) -> Args:
    """The args, checked against their TypedDict and the rules by field name: unknown and missing keys, wrong shapes,
    values out of range, all reported together as one `ArgsError`.

    Args whose shape is right are also asked for `further` problems, such as values that do not fit each other. Those
    are reported together with what the rules say, as an `InputError` whose paths are spelled as in the TypedDict.

    Whole floats become integers and values of enum members become members. An Output is checked by its rule when its
    value is known. Args that were `Sent` get the names that their TypedDict has, and their Outputs are checked and
    converted as the rest is, once they are known.
    """
    check = _Check(subject, sent=isinstance(args, Sent))
    result = check.mapping(shape, args, "")
    shaped = not check.problems
    for field, rule in (rules or {}).items():
        if isinstance(result, dict) and field in result:
            result[field] = check.against(rule, result[field], check.spelled(field))
    found = list(further(cast(Args, result))) if further and shaped else []
    if found:
        own = {check.spelled(field): field for field in rules or {}}
        ruled = [problem._replace(path=own[problem.path]) for problem in check.problems]
        raise InputError(subject, [*ruled, *found])
    if check.problems:
        raise ArgsError(subject, check.problems)
    return cast(Args, result)


def between(low: int, high: int, unit: str) -> Rule:
    """A rule: a number from `low` to `high`."""
    return lambda value: None if low <= value <= high else f"give {low} to {high} {unit}"


def at_least(low: int) -> Rule:
    """A rule: a number, `low` or more."""
    return lambda value: None if value >= low else f"give {low} or more"


def among(choices: Sequence[str]) -> Rule:
    """A rule: one of the choices."""
    return lambda value: None if value in choices else f"choose one of {', '.join(choices)}"


def matching(pattern: str, remedy: str) -> Rule:
    """A rule: text that matches the whole pattern."""
    return lambda value: None if re.fullmatch(pattern, value) else remedy


def known_after(value: pulumi.Input[Value], *others: pulumi.Input[Any] | pulumi.CustomResource) -> pulumi.Output[Value]:
    """The value, known once the others are, and the resources among them there: what uses it comes after them, and
    goes before them."""
    there = [each.id if isinstance(each, pulumi.CustomResource) else each for each in others]
    return pulumi.Output.all(value, *there).apply(lambda known: known[0])


def laid_over(known: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """The known values with others laid over them, at every level of mappings."""
    merged = dict(known)
    for key, value in others.items():
        below = known.get(key)
        merged[key] = laid_over(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def checked_name(name: str, subject: str, longest: int, pattern: str, remedy: str) -> None:
    """Refuse a component name out of which a product's physical name cannot be made."""
    if len(name) > longest:
        raise InputError(subject, [Problem("name", name, f"{len(name)} characters; use {longest} or fewer")])
    if not re.fullmatch(pattern, name):
        raise InputError(subject, [Problem("name", name, remedy)])


def camel_case(name: str) -> str:
    """`vpc_id` as the schema writes it: `vpcId`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def unwrapped(note: Any) -> Any:
    """What an annotation says about a value that is there and known."""
    if analyzer.is_not_required(note) or analyzer.is_required(note) or analyzer.is_output(note):
        return unwrapped(get_args(note)[0])
    if analyzer.is_input(note):
        return unwrapped(analyzer.unwrap_input(note))
    return unwrapped(analyzer.unwrap_optional(note)) if analyzer.is_optional(note) else note


def fields(shape: type) -> dict[str, Any]:
    """The annotations of a TypedDict, by field."""
    return {key: note for cls in reversed(shape.__mro__) for key, note in inspect.get_annotations(cls).items()}


def _outward(note: Any, value: Any) -> Any:
    shape = unwrapped(note)
    if value is None or analyzer.is_any(shape) or analyzer.is_simple(shape):
        return value
    if isinstance(value, pulumi.Output):
        return value.apply(lambda known: _outward(shape, known))
    if isinstance(value, Enum):
        return value.value
    if is_typeddict(shape):
        notes = fields(shape)
        return {camel_case(field): _outward(notes[field], item) for field, item in value.items()}
    if analyzer.is_list(shape):
        return [_outward(get_args(shape)[0], item) for item in value]
    if analyzer.is_dict(shape):
        return {key: _outward(get_args(shape)[1], item) for key, item in value.items()}
    return value


class _Check:
    """Walks a value along its annotation. The shapes it knows are those that the schema analyzer takes."""

    def __init__(self, subject: str, sent: bool, in_input: bool = False) -> None:
        self.problems: list[Problem] = []
        self._subject = subject
        self._sent = sent
        self._in_input = in_input

    def spelled(self, field: str) -> str:
        """The field as the caller spells it."""
        return camel_case(field) if self._sent else field

    def _refuse(self, path: str, value: object, remedy: str) -> Any:
        self.problems.append(Problem(path or "args", value, remedy))
        return value

    def mapping(self, shape: Any, value: Any, path: str) -> Any:
        if not isinstance(value, Mapping):
            return self._refuse(path, value, f"give a mapping with the keys of {shape.__name__}")
        notes = fields(shape)
        known = {self.spelled(field): field for field in notes}
        result = {}
        for key, item in value.items():
            here = f"{path}.{key}" if path else key
            if key not in known:
                self._refuse(here, item, unknown_key(key, known))
            elif item is not None or known[key] in shape.__required_keys__:
                result[known[key]] = self.value(notes[known[key]], item, here)
        for key in sorted({self.spelled(field) for field in shape.__required_keys__} - set(value)):
            self._refuse(f"{path}.{key}" if path else key, MISSING, "required; give a value")
        return result

    def value(self, note: Any, value: Any, path: str) -> Any:
        if analyzer.is_not_required(note) or analyzer.is_required(note):
            return self.value(get_args(note)[0], value, path)
        if analyzer.is_input(note):
            return self._input(analyzer.unwrap_input(note), value, path)
        if isinstance(value, Unknown):
            value = pulumi.Output.from_input(value)
        if isinstance(value, pulumi.Output | Awaitable):
            if self._in_input:
                return self._later(note, value, path) if self._sent else value
            return self._refuse(
                path,
                MISSING,
                "decides which resources there are, so it must be plain; it was given an Output",
            )
        if analyzer.is_optional(note):
            return None if value is None else self.value(analyzer.unwrap_optional(note), value, path)
        if analyzer.is_any(note):
            return value
        if is_typeddict(note):
            return self.mapping(note, value, path)
        if analyzer.is_list(note):
            if isinstance(value, str | Mapping) or not hasattr(value, "__iter__"):
                return self._refuse(path, value, "give a list")
            return [self.value(get_args(note)[0], item, f"{path}[{i}]") for i, item in enumerate(value)]
        if analyzer.is_dict(note):
            if not isinstance(value, Mapping):
                return self._refuse(path, value, "give a mapping")
            return {key: self.value(get_args(note)[1], item, f"{path}.{key}") for key, item in value.items()}
        if isinstance(note, type) and issubclass(note, Enum):
            return self._member(note, value, path)
        return self._simple(note, value, path)

    def _input(self, note: Any, value: Any, path: str) -> Any:
        """Whatever only fills a property may be an Output, as a whole and in its parts."""
        outside, self._in_input = self._in_input, True
        try:
            return self.value(note, value, path)
        finally:
            self._in_input = outside

    def _later(self, note: Any, value: Any, path: str) -> pulumi.Output[Any]:
        """What was sent as an Output, converted and checked once it is known."""

        def arrived(known: Any, secret: bool) -> Any:
            check = _Check(self._subject, self._sent, in_input=True)
            result = check.value(note, known, path)
            if check.problems:
                raise ArgsError(self._subject, [_discreet(problem, secret) for problem in check.problems])
            return result

        return _when_known(pulumi.Output.from_input(value), arrived)

    def _member(self, enum: type[Enum], value: Any, path: str) -> Any:
        try:
            return enum(value)
        except ValueError:
            return self._refuse(path, value, one_of([str(member.value) for member in enum], value))

    def _simple(self, note: type, value: Any, path: str) -> Any:
        if note is int and isinstance(value, float) and value.is_integer():
            return int(value)
        if note is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, note) and not (note is int and isinstance(value, bool)):
            return value
        wanted = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
        return self._refuse(path, value, f"give {wanted.get(note, note.__name__)}")

    def against(self, rule: Rule, value: Any, path: str) -> Any:
        if isinstance(value, pulumi.Output):
            return _when_known(value, lambda known, secret: _verified(rule, known, secret, path, self._subject))
        if not any(problem.path == path for problem in self.problems) and not isinstance(value, Awaitable):
            remedy = rule(value)
            if remedy:
                self._refuse(path, value, remedy)
        return value


def _verified(rule: Rule, value: Any, secret: bool, path: str, subject: str) -> Any:
    remedy = rule(value)
    if remedy:
        raise ArgsError(subject, [_discreet(Problem(path, value, remedy), secret)])
    return value


def _when_known(output: pulumi.Output[Any], look: Callable[[Any, bool], Any]) -> pulumi.Output[Any]:
    """The Output after a look at its value, which is told whether that is a secret. One may hold nothing."""
    return pulumi.Output.all(output, output.is_secret()).apply(lambda both: None if both[0] is None else look(*both))


def _discreet(problem: Problem, secret: bool) -> Problem:
    return problem._replace(value=MISSING) if secret else problem
