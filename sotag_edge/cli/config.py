"""``sotag-edge config``."""

from __future__ import annotations

import json
import os

from sotag_edge.cli import options, settings
from sotag_edge.terminal import print_rows, printable


def config(to: options.FactsFormat = "table") -> None:
    """Show the settings in force and the origin of each: the environment, the config file, or the default.

    Example: sotag-edge config
    """
    path = settings.config_file()
    in_file = settings.configured()
    rows = []
    for name, setting in settings.SETTINGS.items():
        variable = settings.variable(name)
        if os.environ.get(variable):
            rows.append((name, os.environ[variable], f"${variable}"))
        elif name in in_file:
            rows.append((name, str(in_file[name]), str(path)))
        else:
            rows.append((name, setting.default, "default"))
    if to == "json":
        values = {name: {"value": value, "from": origin} for name, value, origin in rows}
        print(json.dumps({"file": str(path), "settings": values}, indent=2))
        return
    print_rows(("setting", "value", "from"), rows)
    print(f"The config file is {printable(str(path))}{'' if path.is_file() else ' (it does not exist)'}.")
