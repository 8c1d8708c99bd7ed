"""One stack's preview as text, in whatever process."""

from pathlib import Path
from typing import NamedTuple

from . import render
from .project import PreviewError, configuration


class Shown(NamedTuple):
    """What a stack's preview prints, and what kept it from being made."""

    output: str
    error: str


def show(root: Path, stack: str, form: str, full: bool, alone: bool = False) -> Shown:
    """Preview a stack of the project: as `text`, `json` or `mermaid`. One that is alone has the machine to itself."""
    try:
        settings = configuration(root, stack)
        # The SDK costs half a second: first see whether there is such a stack.
        from .judged import judged_plan, judged_side_by_side

        plan = (judged_side_by_side if alone else judged_plan)(settings, root / "__main__.py")
    except PreviewError as error:
        return Shown("", str(error))
    if form == "json":
        return Shown(render.as_json(plan), "")
    if form == "mermaid":
        return Shown(render.mermaid(plan), "")
    names = ("system", "cloud", "tier", "region")
    values = [settings.values.get(f"{settings.project}:{name}") for name in names]
    if second := settings.values.get(f"{settings.project}:recoveryRegion"):
        values.append(f"copies in {second}")
    return Shown(render.text(plan, ", ".join(value for value in values if value), full), "")
