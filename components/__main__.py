"""Starts the component host. The engine runs this folder by its path: `python <path>/components <engine address>`."""

import sys
from importlib import import_module
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent
# The folder itself comes first on the path, where its `platform` and `secrets` would hide the standard library's.
sys.path[0] = str(_FOLDER.parent)

import_module(f"{_FOLDER.name}.host").main()
