"""Executions started as `ARN#TestCase`: mocks of a MockConfigFile.json, as Step Functions Local.

Which case an execution was started as is kept with it, and which of a state's responses is due
follows from its journal: after a restart the case goes on where it was. An answer that the service
would not give is logged, and given: a server has other users than who wrote the case.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from doorstep.engine.messages import Invoke
from doorstep.errors import InputError
from doorstep.model.aws_errors import invalid_request
from doorstep.runtime import Execution
from doorstep.runtime.answers import Answer
from doorstep.testing.mock_config import read_config, read_test_case
from doorstep.testing.mocks import Mock, doubt, fitting, invalid

from .programs import Definition

log = logging.getLogger("doorstep")
_NO_FILE = "this server has no mocks; start it with `doorstep serve --mocks MockConfigFile.json`"


class TestCases:
    """The test cases of a file; a call is answered as its execution's case says."""

    def __init__(self, file: Path | None) -> None:
        """Raises InputError when the file can't be read."""
        self._file = file
        self._mocks: dict[tuple[str, str], Sequence[Mock]] = {}
        if file is not None:
            read_config(file)

    def prepare(self, machine: str, name: str) -> None:
        """Read a test case as it is in the file now; raises ApiError ValidationException."""
        try:
            self._read(machine, name)
        except InputError as problem:
            raise invalid_request(f"Test case '{name}' can't be run: {problem}") from None

    def __call__(self, execution: Execution, invoke: Invoke) -> Answer | None:
        """The answer of the execution's test case to a call; None leaves it to the handlers.

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
        found = fitting(mocks, execution, invoke, invoke.number)
        if found is None:
            return None
        answer = found.respond(execution, invoke)
        if told := doubt(found, invoke, answer):
            log.warning("the mock of the state '%s': %s", invoke.state, told)
        return answer

    def _read(self, machine: str, name: str) -> Sequence[Mock]:
        if self._file is None:
            raise InputError(_NO_FILE)
        mocks = self._mocks[machine, name] = read_test_case(self._file, name, machine)
        return mocks
