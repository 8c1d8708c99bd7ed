"""What each concern looks like to those who use it, in whatever cloud.

No component inherits from these: it has the attributes, and the tests hold every implementation against its contract.
A reference to a secret is an ARN on AWS, and `projects/<project>/secrets/<id>` on Google Cloud. In a Kubernetes cluster
it is the name of a Secret in the namespace.

There is a contract for each concern that a service sees: where it runs, who it is, and what it uses. Networks, keys,
backups, registries, the edge and alerts have none: no service refers to them. They are as each cloud has them, and only
the cloud's own environment puts them together.
"""

from typing import Protocol

import pulumi


class Cluster(Protocol):
    """Where services run."""

    cluster_name: pulumi.Output[str]
    """Name of the cluster."""
    endpoint: pulumi.Output[str]
    """URL of its API server."""
    kubeconfig: pulumi.Output[str]
    """A kubeconfig without credentials of its own: it asks the cloud's command for them."""


class Database(Protocol):
    """A PostgreSQL database and the application's role in it."""

    host: pulumi.Output[str]
    """Where writes go, through the pool where there is one."""
    reader_host: pulumi.Output[str]
    """Where reads may go: the replicas with a comma between, `host` where there are none. A standby's is its own."""
    port: pulumi.Output[int]
    """TCP port."""
    database: pulumi.Output[str]
    """Name of the database."""
    role: pulumi.Output[str]
    """The application's role."""
    credentials_secret: pulumi.Output[str]
    """Secret with the application's `username`, `password`, `host`, `port` and `dbname`."""


class Broker(Protocol):
    """What services send messages through."""

    protocol: pulumi.Output[str]
    """`amqps`, or `pubsub`; `amqp` in a Kubernetes cluster that does without TLS."""
    address: pulumi.Output[str]
    """Where it is: `<host>:<port>/<virtual host>`, or the project."""
    credentials_secret: pulumi.Output[str]
    """Secret with which services sign in; empty where their own identity is enough."""


class Cache(Protocol):
    """A cache of keys and values, over TLS."""

    host: pulumi.Output[str]
    """The primary, whichever node that is."""
    reader_host: pulumi.Output[str]
    """The replicas; `host` where there are none."""
    port: pulumi.Output[int]
    """TCP port."""
    credentials_secret: pulumi.Output[str]
    """Secret with `host` and `port`, and what signs services in."""


class ObjectStore(Protocol):
    """A store of objects."""

    bucket: pulumi.Output[str]
    """Name of the bucket."""


class Secret(Protocol):
    """A secret of which services have the reference."""

    secret: pulumi.Output[str]
    """Reference to it. Known once it holds its value."""


class Identity(Protocol):
    """Who a service is to the cloud."""

    identity: pulumi.Output[str]
    """ARN of its role, or address of its service account. Known once it has what it was granted."""
