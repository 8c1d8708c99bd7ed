"""Records the plans of a checkout: `python -m preview.plans FOLDER STACK ...`, a line of JSON for each stack.

The recorder is this one; components, systems and stack files are the checkout's own. Values that only a cloud can give
are made up, so that policy documents can be compared. With each plan come the files that made it.
"""

import gc
import json
import os
import sys
from pathlib import Path
from typing import Any

from .answers import made_up
from .project import PreviewError, configuration
from .record import record

OWN = ("preview", "policy")
"""The packages that come from here, whatever the checkout holds."""


def main(arguments: list[str]) -> int:
    """Record each stack and print its line. Returns 0; a stack that fails has its error in its line."""
    root, *names = Path(arguments[0]).resolve(), *arguments[1:]
    for name in OWN:
        __import__(name)
    here = str(Path(__file__).resolve().parent.parent)
    sys.path[:] = [str(root), *(path for path in sys.path if path not in ("", here))]
    os.chdir(root)
    for stack in names:
        print(json.dumps(line(root, stack)), flush=True)
    return 0


def line(root: Path, stack: str) -> dict[str, Any]:
    """A stack's plan, or its error, and the files of the checkout that made it."""
    try:
        given = configuration(root, stack)
        plan = record(given, root / "__main__.py", made_up).plan.to_json()
    except PreviewError as error:
        return {"stack": stack, "error": str(error)}
    files = {"__main__.py", "Pulumi.yaml", f"Pulumi.{stack}.yaml", "requirements.txt"}
    for module in list(sys.modules.values()):
        source = getattr(module, "__file__", None)
        if source and Path(source).is_relative_to(root):
            path = Path(source).relative_to(root)
            if path.parts[0] not in (*OWN, ".venv"):
                files.add(str(path))
    return {"stack": stack, "plan": plan, "files": sorted(files)}


if __name__ == "__main__":
    gc.disable()  # as in `preview.__main__`
    code = main(sys.argv[1:])
    gc.freeze()
    sys.exit(code)
