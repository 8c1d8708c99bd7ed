"""The rules as a policy pack of the engine (CrossGuard).

A rule that looks at a resource and its provider alone is a resource policy: the engine asks it before it makes the
resource. One that looks at what stands beside it is a stack policy: the engine asks it when all resources are known,
at the end of a preview and of an update. The engine shows resource policies a resource's inputs, which is what rules
are about, and stack policies its outputs; hence stack policies judge by the inputs that were shown before.

An engine's policy has one level. A rule with another level in dev is therefore two policies: `<id>` and `<id>-in-dev`.
"""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyPack,
    PolicyProviderResource,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from .catalogue import IDS, RULES
from .exceptions import Allowance, ExceptionsError, excepted, load
from .rules.paths import UNKNOWN
from .rules.rule import Finding, Level, Rule, Stack

NAME = "plinth"
EXCEPTIONS = "exceptions"
"""The policy that shows what exceptions let stand."""


@dataclass
class Shown:
    """A resource that the engine shows, as rules see it."""

    urn: str
    type: str
    name: str
    props: Any
    provider: str
    protect: bool
    dependencies: Sequence[str] = ()
    property_dependencies: Mapping[str, Sequence[str]] = field(default_factory=dict)
    _inputs: dict[str, Any] = field(default_factory=dict)

    @property
    def inputs(self) -> dict[str, Any]:
        """Its properties as a recorded plan has them: without a name that the provider's check made up."""
        if not self._inputs:
            self._inputs = plain(self.props)
            if re.fullmatch(rf"{re.escape(self.name)}-[0-9a-f]{{7}}", str(self._inputs.get("name"))):
                del self._inputs["name"]
        return self._inputs


class Pack:
    """The policies, and what they were shown in this run."""

    def __init__(self, rules: Sequence[Rule], allowances: Sequence[Allowance], today: date):
        self._rules = rules
        self._allowances = allowances
        self._today = today
        self._shown: dict[str, Shown] = {}
        self._excepted: dict[tuple[str, str], Finding] = {}

    def policies(self) -> list[Policy]:
        """A policy for each rule and level, and one that shows what exceptions let stand."""
        made = [self._policy(rule, level) for rule in self._rules for level in rule.levels]
        shown = StackValidationPolicy(
            EXCEPTIONS, "What may stand for a while, and why.", self._show_excepted, EnforcementLevel.ADVISORY
        )
        return [*made, shown]

    def _policy(self, rule: Rule, level: Level) -> Policy:
        def of_resource(args: ResourceValidationArgs, report: ReportViolation) -> None:
            provider = args.provider
            resource = Shown(
                args.urn,
                args.resource_type,
                args.name,
                args.props,
                provider.urn if provider else "",
                args.opts.protect,
            )
            self._shown[args.urn] = resource
            if not rule.is_about(args.resource_type):
                return
            stack = Stack([resource, *([_of_provider(provider)] if provider else [])])
            found = (finding for finding in rule.findings(stack) if finding.urn == args.urn)
            self._report(found, rule, level, report)

        def of_stack(args: StackValidationArgs, report: ReportViolation) -> None:
            if not any(rule.is_about(each.resource_type) for each in args.resources):
                return
            stack = Stack(map(self._in_stack, args.resources))
            # An update of some targets leaves the others alone, and shows nothing of what they are to be.
            found = (finding for finding in rule.findings(stack) if finding.urn in self._shown)
            self._report(found, rule, level, report)

        name = rule.id if level is rule.level else f"{rule.id}-in-dev"
        enforced = EnforcementLevel(level.value)
        if rule.is_local:
            return ResourceValidationPolicy(name, rule.meaning, of_resource, enforced)
        return StackValidationPolicy(name, rule.meaning, of_stack, enforced)

    def _in_stack(self, resource: PolicyResource) -> Shown:
        """The resource as it was shown before, with what it depends on."""
        provider = resource.provider.urn if resource.provider else ""
        shown = self._shown.get(resource.urn) or Shown(
            resource.urn, resource.resource_type, resource.name, resource.props, provider, resource.opts.protect
        )
        shown.dependencies = [each.urn for each in resource.dependencies]
        shown.property_dependencies = {
            key: [each.urn for each in others] for key, others in resource.property_dependencies.items()
        }
        return shown

    def _report(self, findings: Iterable[Finding], rule: Rule, level: Level, report: ReportViolation) -> None:
        for finding in excepted([each for each in findings if each.level is level], self._allowances, self._today):
            if finding.excepted:
                self._excepted[finding.rule, finding.urn] = finding
                continue
            answers = f" [{', '.join(finding.answers)}]" if finding.answers else ""
            # The engine puts the meaning before it.
            report(finding.message.removeprefix(rule.meaning).strip() + answers, finding.urn)

    def _show_excepted(self, args: StackValidationArgs, report: ReportViolation) -> None:
        there = {resource.urn for resource in args.resources}
        for finding in self._excepted.values():
            if finding.urn in there:
                report(f"{finding.rule}: {finding.excepted}", finding.urn)


def plain(value: Any) -> Any:
    """A value of the engine as a recorded plan has it, with `[unknown]` for what only the cloud knows."""
    if isinstance(value, Mapping):
        return {key: _read(value, key) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_read(value, i) for i in range(len(value))]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _read(content: Any, key: Any) -> Any:
    try:
        return plain(content[key])
    except UnknownValueError:
        return UNKNOWN


def _of_provider(provider: PolicyProviderResource) -> Shown:
    return Shown(provider.urn, provider.resource_type, provider.name, provider.props, "", False)


def main() -> None:
    """Serve the rules to the engine until it ends."""
    try:
        allowances = load(IDS)
    except ExceptionsError as error:
        sys.exit(str(error))
    PolicyPack(NAME, Pack(RULES, allowances, date.today()).policies())
