"""A server with data of its own in a cluster, for laptops and for teams without a cloud: what databases, caches and
brokers there have in common.

It is one pod. When its node or the pod goes, it comes back elsewhere with its volume, and meanwhile nobody answers.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes

from ..component import checked_name, known_after
from ..problems import Problem
from .names import SERVICE, SERVICE_REMEDY, label_problem, service_problem, subdomain_problem
from .traffic import Peer, end_problems, network_policy, pods_of

ISSUER = "internal-ca"
"""The ClusterIssuer that signs certificates inside the cluster."""
USER = 999
"""Who each of the official images runs its server as."""
TLS_PATH = "/etc/tls"
"""Where the server finds its certificate and its key."""
DATA = "data"
"""Name of the volume that outlives the pod."""
# Its pod's label `controller-revision-hash` is this name with eleven characters more.
_LONGEST = 52
_CERTIFICATE_DAYS = 90
# To the group alone, which is the server's. PostgreSQL refuses a key that others may read.
_READABLE = 0o640


class ServerClient(TypedDict):
    """Pods that call a server."""

    pods: pulumi.Input[dict[str, str]]
    """Their labels, one or more: `pods` of a service or a job."""
    namespace: NotRequired[pulumi.Input[str]]
    """Their namespace. Default: the server's."""


class ServerPort(TypedDict):
    """A port of a server, and who calls it there."""

    port: int
    """TCP port."""
    clients: Mapping[str, ServerClient]
    """Pods that may call it, by purpose."""


@dataclass(frozen=True)
class Server:
    """One server, and the objects that are its own. All of them are named after it."""

    name: str
    """Its name, a DNS label."""
    system: str
    """Name of the system that it is a part of."""
    namespace: pulumi.Input[str]
    """Namespace that it runs in."""
    child: Callable[..., pulumi.ResourceOptions]
    """Options for a child of its component: `Component._child`."""
    subject: str
    """How its component is called where it is refused."""

    @property
    def pods(self) -> dict[str, str]:
        """Labels that its pod has and no other."""
        return pods_of(self.name, self.system)

    @property
    def address(self) -> pulumi.Output[str]:
        """Name that it is reached by from everywhere in the cluster."""
        return pulumi.Output.concat(self.name, ".", self.namespace, ".svc")

    def metadata(self, role: str = "", annotations: Mapping[str, str] | None = None) -> Any:
        """The metadata of an object that has a role."""
        return {
            "name": self._named(role),
            "namespace": self.namespace,
            "labels": self._labels,
            **({"annotations": annotations} if annotations else {}),
        }

    def secret(self, role: str, fields: Mapping[str, pulumi.Input[str]]) -> pulumi.Output[str]:
        """Makes a Secret of these fields, and returns its name, known once it is there."""
        return keep_secret(self._named(role), self.metadata(role), fields, self.child())

    def configuration(self, files: Mapping[str, str]) -> pulumi.Output[str]:
        """Makes a ConfigMap of these files, and returns its name."""
        made = kubernetes.core.v1.ConfigMap(
            self._named("configuration"), metadata=self.metadata("configuration"), data=files, opts=self.child()
        )
        return made.metadata.name

    def certificate(self, issuer: str) -> pulumi.Output[str]:
        """Has a certificate signed for the server, and returns the name of the Secret that holds it, known once it
        does: `tls.crt`, `tls.key`, and `ca.crt`, which clients go by."""
        local = [self.name, pulumi.Output.concat(self.name, ".", self.namespace)]
        made = kubernetes.apiextensions.CustomResource(
            self._named("tls"),
            api_version="cert-manager.io/v1",
            kind="Certificate",
            metadata=self.metadata("tls", {"pulumi.com/waitFor": "condition=Ready"}),
            spec={
                "secretName": self._named("tls"),
                "secretTemplate": {"labels": self._labels},
                "duration": f"{_CERTIFICATE_DAYS * 24}h",
                "renewBefore": f"{_CERTIFICATE_DAYS * 24 // 3}h",
                "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
                "usages": ["digital signature", "server auth"],
                "dnsNames": [
                    *local,
                    self.address,
                    pulumi.Output.concat(self.address, ".cluster.local"),
                    "localhost",  # what its own probes call
                ],
                "issuerRef": {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": issuer},
            },
            opts=self.child(),
        )
        return known_after(self._named("tls"), made.id)

    def account(self) -> pulumi.Output[str]:
        """Makes the service account of its pod, which may do nothing, and returns its name."""
        made = kubernetes.core.v1.ServiceAccount(
            self.name, metadata=self.metadata(), automount_service_account_token=False, opts=self.child()
        )
        return made.metadata.name

    def run(
        self,
        pod: Mapping[str, Any],
        ports: Mapping[str, ServerPort],
        storage: Mapping[str, Any],
        checksum: pulumi.Input[str],
        *,
        keep: bool,
        protect: bool,
    ) -> kubernetes.apps.v1.StatefulSet:
        """Makes what runs the pod: a StatefulSet of one, with the volume that `volume_claim` describes, a Service that
        names it, and a policy that lets in its clients and nothing out. Another checksum replaces the pod."""
        kubernetes.core.v1.Service(
            self.name,
            metadata=self.metadata(),
            spec={
                "type": "ClusterIP",
                "cluster_ip": "None",
                "selector": self.pods,
                "ports": [
                    {"name": name, "port": each["port"], "target_port": name, "protocol": "TCP"}
                    for name, each in ports.items()
                ],
            },
            opts=self.child(),
        )
        callers = {
            f"{name}-{purpose}": Peer(ports=[each["port"]], **client)
            for name, each in ports.items()
            for purpose, client in each["clients"].items()
        }
        network_policy(
            self.name,
            self.metadata(),
            self.pods,
            {},
            callers,
            self.child(),
            resolves_names=False,
            subject=self.subject,
        )
        return kubernetes.apps.v1.StatefulSet(
            self.name,
            metadata=self.metadata(),
            spec=cast(
                Any,
                {
                    "replicas": 1,
                    "service_name": self.name,
                    # Else a pod that does not start keeps away the one that would, and waits for somebody to delete it.
                    "pod_management_policy": "Parallel",
                    "selector": {"match_labels": self.pods},
                    "persistent_volume_claim_retention_policy": {
                        "when_deleted": "Retain" if keep else "Delete",
                        "when_scaled": "Retain",
                    },
                    "template": {
                        "metadata": {"labels": self._labels, "annotations": {"checksum/configuration": checksum}},
                        "spec": pod,
                    },
                    "volume_claim_templates": [{"metadata": {"name": DATA, "labels": self.pods}, "spec": storage}],
                },
            ),
            opts=self.child(
                protect=protect,
                delete_before_replace=True,  # its name is taken, and its volume in use, while it exists
            ),
        )

    @property
    def _labels(self) -> dict[str, str]:
        return {**self.pods, "app.kubernetes.io/managed-by": "plinth"}

    def _named(self, role: str) -> str:
        return f"{self.name}-{role}" if role else self.name


def keep_secret(
    name: str, metadata: Any, fields: Mapping[str, pulumi.Input[str]], opts: pulumi.ResourceOptions
) -> pulumi.Output[str]:
    """Makes a Secret of these fields, and returns its name, known once it is there."""
    # All of it: whoever sees that the host is no secret need not see which of the others is.
    hidden = {key: pulumi.Output.secret(value) for key, value in fields.items()}
    made = kubernetes.core.v1.Secret(name, metadata=metadata, type="Opaque", string_data=hidden, opts=opts)
    return made.metadata.name


SERVER_RULES = {
    "namespace": label_problem,
    "system": service_problem,
    "storage_class": subdomain_problem,
    "issuer": subdomain_problem,
}
"""What all servers are told, by itself."""


def checked_server_name(name: str, subject: str) -> None:
    """Refuse a name of a component that its objects cannot have."""
    checked_name(name, subject, _LONGEST, SERVICE, SERVICE_REMEDY)


def server_problems(
    tls: bool, issuer: str | None, clients: Mapping[str, Mapping[str, ServerClient]]
) -> Iterator[Problem]:
    """What is wrong with what all servers are told, `clients` by the name of their arg."""
    if not tls and issuer is not None:
        yield Problem("issuer", issuer, "leave it out: without `tls` there is no certificate")
    for field, those in clients.items():
        for purpose, client in those.items():
            yield from end_problems(f"{field}.{purpose}", client)


def volume_claim(storage_gb: int, storage_class: str | None) -> dict[str, Any]:
    """The volume of a server, of the cluster's default class where none is given."""
    return {
        "access_modes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": f"{storage_gb}Gi"}},
        **({"storage_class_name": storage_class} if storage_class is not None else {}),
    }


def secret_volume(secret: pulumi.Input[str]) -> dict[str, Any]:
    """A volume of a Secret's fields, which the server alone may read."""
    return {"secret": {"secret_name": secret, "default_mode": _READABLE}}


def checksum(*texts: pulumi.Input[str]) -> pulumi.Output[str]:
    """One text that is another when any of these is. It gives nothing away, even of a generated password."""

    def digest(known: list[str]) -> str:
        return hashlib.sha256("\0".join(known).encode()).hexdigest()

    return pulumi.Output.unsecret(pulumi.Output.all(*texts).apply(digest))
