"""Runs a module with the settings that `make run` gives its processes.

python -m demo.within MODULE ARGUMENT...
"""

from __future__ import annotations

import os
import sys

from demo.data_folder import SECRETS_FILE
from demo.run import SetupError, read_run


def main() -> None:
    """Become the module; end with 2 when there has been no `make run` to share settings with."""
    try:
        run = read_run(os.environ)
        if not (run.data_dir / SECRETS_FILE).exists():
            raise SetupError(f"DATA_DIR={run.data_dir} has nothing of `make run` in it: start that first")
        environment = run.environment(os.environ)
    except SetupError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    os.execvpe(sys.executable, [sys.executable, "-m", *sys.argv[1:]], environment)  # noqa: S606


if __name__ == "__main__":
    main()
