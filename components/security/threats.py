"""What looks for attacks on an AWS account and for weaknesses in it."""

import json
import re
from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..component import Component, checked, known_after
from ..problems import InputError, Problem, one_of
from .policy import AwsScope

FEATURES = (
    "S3_DATA_EVENTS",
    "EKS_AUDIT_LOGS",
    "EBS_MALWARE_PROTECTION",
    "RDS_LOGIN_EVENTS",
    "LAMBDA_NETWORK_LOGS",
    "RUNTIME_MONITORING",
)
"""What GuardDuty reads beyond the sources that it always does."""
SCANS = ("EC2", "ECR", "LAMBDA")
"""What Inspector looks for known vulnerabilities in."""
STANDARDS = (
    "aws-foundational-security-best-practices/v/1.0.0",
    "cis-aws-foundations-benchmark/v/3.0.0",
)
_RUNTIME = "RUNTIME_MONITORING"
# In the order in which GuardDuty returns them: the provider takes any other one for a change.
_AGENTS = ("EKS_ADDON_MANAGEMENT", "ECS_FARGATE_AGENT_MANAGEMENT", "EC2_AGENT_MANAGEMENT")
_HIGH = 7
_STANDARD = r"[a-z0-9-]+/v/\d+\.\d+\.\d+"
_OLD_STANDARD = "cis-aws-foundations-benchmark/v/1.2.0"


class AwsThreatDetectionArgs(TypedDict):
    """What is watched, and who hears of it."""

    scope: AwsScope
    """Account and region that is watched."""
    without: NotRequired[list[str]]
    """Features of GuardDuty that are off, such as `LAMBDA_NETWORK_LOGS`. Default: none."""
    agents: NotRequired[bool]
    """Whether GuardDuty puts the agents of its runtime monitoring onto clusters, tasks and instances by itself. They
    report through endpoints that it makes in their VPCs, which keep a VPC from being deleted. Default: yes."""
    scans: NotRequired[list[str]]
    """What Inspector scans: `EC2`, `ECR`, `LAMBDA`. Default: all of them."""
    topic_arn: NotRequired[pulumi.Input[str]]
    """ARN of the SNS topic that hears of findings of high severity, to which `events.amazonaws.com` must be allowed to
    publish. Where Security Hub has one, that hears of them too. Default: none."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete the detector, with which its findings go. Default: yes."""


class AwsThreatDetection(Component):
    """GuardDuty with all its features (CKV_AWS_238), which looks for attacks, and Inspector, which looks for known
    vulnerabilities in instances, images and functions. A region has one.

    Raises `InputError` for bad args.
    """

    detector_id: pulumi.Output[str]
    """Id of GuardDuty's detector."""

    def __init__(self, name: str, args: AwsThreatDetectionArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"AwsThreatDetection {name}"
        args = checked(AwsThreatDetectionArgs, args, subject)
        off, scans = args.get("without", []), args.get("scans", SCANS)
        problems = [*_not_among(FEATURES, "without", off), *_not_among(SCANS, "scans", scans)]
        if problems:
            raise InputError(subject, problems)
        super().__init__(name, opts)
        detector = aws.guardduty.Detector(
            name,
            enable=True,
            finding_publishing_frequency="FIFTEEN_MINUTES",
            opts=self._child(protect=args.get("protect", True)),
        )
        for feature in FEATURES:
            # One that is off stays declared: leaving it out would leave it as it is.
            on = feature not in off
            agents = _status(on and args.get("agents", True))
            aws.guardduty.DetectorFeature(
                f"{name}-{feature.lower().replace('_', '-')}",
                detector_id=detector.id,
                name=feature,
                status=_status(on),
                additional_configurations=(
                    [{"name": agent, "status": agents} for agent in _AGENTS] if feature == _RUNTIME else None
                ),
                opts=self._child(),
            )
        if scans:
            aws.inspector2.Enabler(
                name,
                account_ids=[args["scope"]["account"]],
                resource_types=sorted(scans),
                opts=self._child(),
            )
        if "topic_arn" in args:
            _tell(
                name,
                "Findings of GuardDuty of high severity",
                {
                    "source": ["aws.guardduty"],
                    "detail-type": ["GuardDuty Finding"],
                    "detail": {"severity": [{"numeric": [">=", _HIGH]}]},
                },
                args["topic_arn"],
                self._child(),
            )
        self.detector_id = detector.id
        self._register()


class AwsSecurityHubArgs(TypedDict):
    """By which standards an account is judged, and who hears of it."""

    scope: AwsScope
    """Account and region that is judged."""
    recorder_name: pulumi.Input[str]
    """Name of AWS Config's recorder in the region, as `AwsConfigRecorder` gives it. Most controls read its record, so
    the region is judged by no standard before it records."""
    standards: NotRequired[list[str]]
    """Standards and their versions, as their ARNs end. Default:
    `aws-foundational-security-best-practices/v/1.0.0` and `cis-aws-foundations-benchmark/v/3.0.0`."""
    regions: NotRequired[list[str]]
    """Other regions of the account whose findings come here too. Give them in one region. Default: none."""
    topic_arn: NotRequired[pulumi.Input[str]]
    """ARN of the SNS topic that hears of new findings of high or critical severity, to which `events.amazonaws.com`
    must be allowed to publish. Default: none."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to switch Security Hub off, with which its findings go. Default: yes."""


class AwsSecurityHub(Component):
    """Security Hub (CIS-AWS-4.16), which judges a region by the standards that it is given and by no others, with one
    finding a control. New controls of these standards are on. A region has one.

    Raises `InputError` for bad args.
    """

    hub_arn: pulumi.Output[str]
    """ARN of Security Hub in the region."""

    def __init__(self, name: str, args: AwsSecurityHubArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"AwsSecurityHub {name}"
        args = checked(AwsSecurityHubArgs, args, subject, {"standards": _standards})
        scope, regions = args["scope"], args.get("regions", [])
        if scope["region"] in regions:
            problem = Problem("regions", scope["region"], "is the region that they come to; name the others")
            raise InputError(subject, [problem])
        super().__init__(name, opts)
        hub = aws.securityhub.Account(
            name,
            enable_default_standards=False,
            control_finding_generator="SECURITY_CONTROL",
            auto_enable_controls=True,
            opts=self._child(protect=args.get("protect", True)),
        )
        # Standards and an aggregator need Security Hub; no value carries that.
        after = self._child(depends_on=[hub])
        for standard in args.get("standards", list(STANDARDS)):
            address = f"arn:{scope.get('partition', 'aws')}:securityhub:{scope['region']}::standards/{standard}"
            aws.securityhub.StandardsSubscription(
                f"{name}-{standard.replace('/v/', '-')}",
                # Nothing here has a place for the recorder's name, so the standard's own is known once that is.
                standards_arn=known_after(address, args["recorder_name"]),
                opts=after,
            )
        if regions:
            aws.securityhub.FindingAggregator(
                name, linking_mode="SPECIFIED_REGIONS", specified_regions=sorted(regions), opts=after
            )
        if "topic_arn" in args:
            _tell(
                name,
                "New findings of Security Hub of high or critical severity",
                {
                    "source": ["aws.securityhub"],
                    "detail-type": ["Security Hub Findings - Imported"],
                    "detail": {
                        "findings": {
                            "Severity": {"Label": ["CRITICAL", "HIGH"]},
                            "Workflow": {"Status": ["NEW"]},
                            "RecordState": ["ACTIVE"],
                        }
                    },
                },
                args["topic_arn"],
                self._child(),
            )
        self.hub_arn = hub.arn
        self._register()


def _tell(
    name: str, description: str, pattern: dict[str, Any], topic_arn: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> None:
    """Send the events of a pattern to a topic."""
    rule = aws.cloudwatch.EventRule(
        f"{name}-findings", description=description, event_pattern=json.dumps(pattern), opts=opts
    )
    aws.cloudwatch.EventTarget(f"{name}-findings", rule=rule.name, arn=topic_arn, opts=opts)


def _status(on: bool) -> str:
    return "ENABLED" if on else "DISABLED"


def _not_among(valid: tuple[str, ...], path: str, given: Sequence[str]) -> list[Problem]:
    return [Problem(f"{path}[{i}]", each, one_of(valid, each)) for i, each in enumerate(given) if each not in valid]


def _standards(given: list[str]) -> str | None:
    wrong = [each for each in given if not re.fullmatch(_STANDARD, each) or each == _OLD_STANDARD]
    if wrong:
        return f"{', '.join(wrong)}: write <standard>/v/<version>, of the CIS benchmark 1.4.0 or newer"
    return None if given else "name one standard or more: without any nothing is judged"
