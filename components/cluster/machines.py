"""What launch templates of machines have in common."""

from collections.abc import Mapping
from typing import Any

import pulumi_aws as aws

TAGGED = ("instance", "volume", "network-interface")
"""What a template tags when it starts a machine: a provider's default tags do not reach these."""
SESSION_METADATA: aws.ec2.LaunchTemplateMetadataOptionsArgsDict = {
    "http_endpoint": "enabled",
    "http_tokens": "required",
    "http_put_response_hop_limit": 1,
}
"""Instance metadata for whoever holds a session, and for the machine itself alone (CKV_AWS_79, CKV_AWS_341)."""


def root_volume(size_gb: int) -> Any:
    """The encrypted gp3 volume that a machine starts from (CKV_AWS_8).

    It has the account's key for volumes: another one's policy would have to admit EC2 Auto Scaling.
    """
    return [
        {
            "device_name": "/dev/xvda",
            "ebs": {
                "encrypted": "true",
                "volume_type": "gp3",
                "volume_size": size_gb,
                "delete_on_termination": "true",
            },
        }
    ]


def tagged(tags: Mapping[str, str]) -> Any:
    """The tags of a machine and of what comes with it."""
    return [{"resource_type": kind, "tags": dict(tags)} for kind in TAGGED]
