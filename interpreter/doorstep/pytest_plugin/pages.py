"""The pages of executions whose tests failed: `--doorstep-html DIR`."""

from __future__ import annotations

from pathlib import Path

from ..errors import DoorstepError
from ..replayer import moments
from ..testing.state_machines import ObservedExecution
from ..values.file_names import file_name


def write_page(observed: ObservedExecution, folder: Path) -> str:
    """Write the page of an execution; return where it is, or why it can't be written."""
    file = folder / f"{file_name(observed.name)}.html"
    try:
        from ..pages import page_of_file

        history = {"events": observed.history}
        page = page_of_file(
            moments(history, dict(observed.definition)), observed.definition, observed.name
        )
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(page, "utf-8", "replace")
    except ModuleNotFoundError as missing:
        return f"--doorstep-html needs {missing.name}: pip install 'doorstep[test]'"
    except (OSError, DoorstepError) as problem:
        return f"it could not be written: {problem}"
    return str(file)
