"""Volumes of pods: the class that says what they are."""

from collections.abc import Iterator
from enum import Enum
from typing import NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from ..component import Component, checked
from ..problems import Problem, one_of
from .names import checked_label


class VolumeProvisioner(Enum):
    """Which driver makes volumes."""

    EBS = "ebs.csi.aws.com"
    """Amazon EBS, by the driver that is an add-on of EKS."""
    EBS_AUTO = "ebs.csi.eks.amazonaws.com"
    """Amazon EBS, by EKS Auto Mode."""
    PERSISTENT_DISK = "pd.csi.storage.gke.io"
    """Persistent Disk and Hyperdisk of Google Cloud, by the driver that GKE brings."""


class StorageClassArgs(TypedDict):
    """What volumes are, and what becomes of them."""

    provisioner: VolumeProvisioner
    """Which driver makes them."""
    key: pulumi.Input[str]
    """Key that encrypts them: the ARN of a KMS key, or the full name of a Cloud KMS key."""
    volume_type: NotRequired[str]
    """What they are. EBS: gp3, io2. Persistent Disk: pd-balanced, pd-ssd, and for machines that take no other kind
    hyperdisk-balanced. Default: gp3, or pd-balanced."""
    keep: NotRequired[bool]
    """Whether a volume stays when its claim is deleted, for somebody to take up again or delete. Default: yes."""
    default: NotRequired[bool]
    """Whether claims that name no class get this one. Default: yes."""


class KubernetesStorageClass(Component):
    """A class of encrypted volumes, called as the component. They are made in the zone where their first pod starts,
    and can grow.

    Of several default classes a cluster takes the newest, and this one is newer than those that a cluster begins with.
    EKS marks none of its own as default since 1.30. GKE's `standard-rwo` may stay as it is; made anew, it would be the
    newest.

    Raises `InputError` for bad args and for a name that is no DNS label.
    """

    storage_class: pulumi.Output[str]
    """Name of the class."""

    def __init__(self, name: str, args: StorageClassArgs, opts: pulumi.ResourceOptions | None = None):
        subject = f"KubernetesStorageClass {name}"
        args = checked(StorageClassArgs, args, subject, None, _problems)
        checked_label(name, subject)
        volume_type = args.get("volume_type", _TYPES[args["provisioner"]][0])
        super().__init__(name, opts)
        volumes = kubernetes.storage.v1.StorageClass(
            name,
            metadata={
                "name": name,
                "labels": {
                    "app.kubernetes.io/name": name,
                    "app.kubernetes.io/part-of": "storage",
                    "app.kubernetes.io/managed-by": "plinth",
                },
                "annotations": {"storageclass.kubernetes.io/is-default-class": str(args.get("default", True)).lower()},
            },
            provisioner=args["provisioner"].value,
            parameters=_parameters(args["provisioner"], volume_type, args["key"]),
            reclaim_policy="Retain" if args.get("keep", True) else "Delete",
            volume_binding_mode="WaitForFirstConsumer",
            allow_volume_expansion=True,
            # What it says cannot be changed, and its name is taken until it is gone. Volumes do not notice.
            opts=self._child(delete_before_replace=True),
        )
        self.storage_class = volumes.metadata.name
        self._register()


_EBS_TYPES = ("gp3", "io2")
_TYPES = {
    VolumeProvisioner.EBS: _EBS_TYPES,
    VolumeProvisioner.EBS_AUTO: _EBS_TYPES,
    VolumeProvisioner.PERSISTENT_DISK: ("pd-balanced", "pd-ssd", "hyperdisk-balanced"),
}


def _problems(args: StorageClassArgs) -> Iterator[Problem]:
    types = _TYPES[args["provisioner"]]
    if "volume_type" in args and args["volume_type"] not in types:
        yield Problem("volume_type", args["volume_type"], one_of(types, args["volume_type"]))


def _parameters(
    provisioner: VolumeProvisioner, volume_type: str, key: pulumi.Input[str]
) -> dict[str, pulumi.Input[str]]:
    common: dict[str, pulumi.Input[str]] = {"type": volume_type, "csi.storage.k8s.io/fstype": "ext4"}
    if provisioner is VolumeProvisioner.PERSISTENT_DISK:
        return {**common, "disk-encryption-kms-key": key}
    return {**common, "encrypted": "true", "kmsKeyId": key}
