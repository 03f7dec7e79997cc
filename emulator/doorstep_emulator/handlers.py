"""What answers tasks: handlers, read again when their file has changed, and mocks of test cases.

Executions started as `ARN#TestCase` have the mocks of a MockConfigFile.json, as in Step Functions
Local. The case is stored with the execution, and which of a state's responses is due follows from
its journal: after a restart the case continues where it was. An answer that the service would not
give is logged, and given: a server has other users than the author of the case.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

from doorstep.engine.messages import Invoke
from doorstep.errors import InputError
from doorstep.model.aws_errors import invalid_request
from doorstep.runtime import Running
from doorstep.runtime.answers import Answer
from doorstep.runtime.handlers import Handler, Handlers, Source, several
from doorstep.testing.mock_files import read_config, read_test_case
from doorstep.testing.mocks import Mock, doubt, fitting, invalid

from .programs import Definition


class LiveHandlers(Handlers):
    """The handlers of a file or of a folder's files, as they are now."""

    def __init__(self, source: Source | None) -> None:
        """Load the files; raise HandlerLoadError when one does not load."""
        super().__init__(source)
        self.source = source
        self._lock = threading.Lock()
        self._stamp = self._changed_at()

    def find(self, invoke: Invoke) -> Handler | None:
        """Return the handler of a task; raise HandlerLoadError when its file can't be loaded."""
        with self._lock:
            stamp = self._changed_at()
            if stamp != self._stamp:
                super().__init__(self.source)
                self._stamp = stamp
            return super().find(invoke)

    @property
    def named(self) -> str | None:
        """The files, folders and modules that were given; None without any."""
        names = [str(one) for one in several(self.source) if isinstance(one, str | Path)]
        return ", ".join(names) or None

    def _changed_at(self) -> float:
        paths = [Path(one) for one in several(self.source) if isinstance(one, str | Path)]
        files = [
            file for path in paths for file in (path.glob("*.py") if path.is_dir() else [path])
        ]
        return max((file.stat().st_mtime for file in files if file.exists()), default=0.0)


log = logging.getLogger("doorstep")
_NO_FILE = "this server has no mocks; start it with `doorstep serve --mocks MockConfigFile.json`"


class TestCases:
    """The test cases of a file; a call is answered as its execution's case says."""

    def __init__(self, file: Path | None) -> None:
        """Read the file; raise InputError when it can't be read."""
        self._file = file
        self._mocks: dict[tuple[str, str], Sequence[Mock]] = {}
        if file is not None:
            read_config(file)

    def prepare(self, machine: str, name: str) -> None:
        """Read a test case as it is in the file now; raise ApiError ValidationException."""
        try:
            self._read(machine, name)
        except InputError as problem:
            raise invalid_request(f"Test case '{name}' can't be run: {problem}") from None

    def __call__(self, execution: Running, invoke: Invoke) -> Answer | None:
        """Return the answer of the execution's test case to a call; None leaves it to the handlers.

        The children of a distributed Map have their parent's case, and count their calls for
        themselves.
        """
        definition = execution.journal.header.definition
        assert isinstance(definition, Definition)
        name, machine = definition.origin.test_case, execution.identity.machine
        if name is None:
            return None
        try:
            mocks = self._mocks.get((machine, name)) or self._read(machine, name)
        except InputError as problem:
            return invalid(invoke.state, str(problem))
        mock = fitting(mocks, execution, invoke, invoke.number)
        if mock is None:
            return None
        answer = mock.respond(execution, invoke)
        if reason := doubt(mock, invoke, answer):
            log.warning("the mock of the state '%s': %s", invoke.state, reason)
        return answer

    def _read(self, machine: str, name: str) -> Sequence[Mock]:
        if self._file is None:
            raise InputError(_NO_FILE)
        mocks = self._mocks[machine, name] = read_test_case(self._file, name, machine)
        return mocks
