"""A chart of the catalogue, installed in a cluster."""

from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes

from ..component import Component, at_least, checked
from ..problems import one_of
from .charts import CHARTS, mirror_problem, source
from .names import label_problem

_REVISIONS_KEPT = 5


class HelmReleaseArgs(TypedDict):
    """Which chart is installed, where, and with which values."""

    chart: str
    """Name of a chart of the catalogue, which pins its version."""
    namespace: pulumi.Input[str]
    """Name of the namespace, which must be there."""
    values: NotRequired[pulumi.Input[dict[str, Any]]]
    """Values of the chart. They are readable in the cluster: put no secret into them. Default: the chart's own."""
    mirror: NotRequired[str]
    """Where charts come from: `oci://<registry>/<path>`, `https://<repository>`, or a folder with archives
    `<name>-<version>.tgz`, seen from the project's folder. Default: each chart's own repository."""
    skip_crds: NotRequired[bool]
    """Leave out the kinds in the chart's folder `crds`. Default: no."""
    timeout: NotRequired[int]
    """Seconds until everything must be ready. Default: 600."""


class HelmRelease(Component):
    """A release of one chart, in the version that the catalogue pins, named as the chart.

    It is there once its pods are ready. A first installation that fails is taken away again, and a failed upgrade
    goes back to what ran before. Kinds in a chart's folder `crds` are another matter: Helm installs them, but a new
    version of the chart does not change them, and they stay when the release goes.

    Raises `InputError` for bad args, among them a chart that the catalogue does not have.
    """

    ready: pulumi.Output[str]
    """Name of the release, once it is there and its pods are ready."""

    def __init__(self, name: str, args: HelmReleaseArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(HelmReleaseArgs, args, f"HelmRelease {name}", _RULES)
        super().__init__(name, opts)
        chart = CHARTS[args["chart"]]
        found = source(chart, args.get("mirror"))
        release = kubernetes.helm.v3.Release(
            name,
            name=chart.name,
            chart=found.chart,
            version=chart.version,
            repository_opts={"repo": found.repository} if found.repository else None,
            namespace=args["namespace"],
            create_namespace=False,
            values=args.get("values", {}),
            # Otherwise Helm keeps the last values where none are left.
            reset_values=True,
            skip_crds=args.get("skip_crds", False),
            skip_await=False,
            wait_for_jobs=True,
            # Half a release helps nobody: its webhooks would refuse what comes after it, and the next attempt as well.
            atomic=True,
            cleanup_on_fail=True,
            max_history=_REVISIONS_KEPT,
            timeout=args.get("timeout", 600),
            # A second release beside the first one would want the same cluster-wide objects.
            opts=self._child(delete_before_replace=True),
        )
        self.ready = cast(pulumi.Output[str], release.name)
        self._register()


def _chart_problem(chart: str) -> str | None:
    return None if chart in CHARTS else one_of(CHARTS, chart)


_RULES = {"chart": _chart_problem, "namespace": label_problem, "mirror": mirror_problem, "timeout": at_least(1)}
