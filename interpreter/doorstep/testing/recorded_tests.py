"""A recorded execution as a test, which runs it again with the answers that its tasks had.

It is written as a suite (`*.doorstep.yaml`) or for pytest, to be changed by hand: what was wrong
becomes what is expected. A redriven execution is one that never failed: of each visit only what
came after its last redrive counts. The items of a distributed Map have histories of their own, so
handlers, or mocks added by hand, answer their tasks.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pprint import pformat
from typing import Any

from yaml import SafeDumper, dump

from ..engine import TERMINAL
from ..errors import InputError
from ..history import Entry, Visit, Visits
from ..model import workflow
from ..values.json_values import ABSENT, dumps, value_of
from ..values.timestamps import isoformat

_COMPUTED = "{%"
"""A text that begins so is an expression in a suite: data that has one can't be written there."""
_OF_THE_RUN = re.compile(r"\$\$|\$states\.context|\$now\(|\$millis\(")
"""What a definition reads of when, and under which name, it runs."""
_SOON = 1.0
"""Seconds: an answer that took less has no `after`."""
_WIDE = 92


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call of a task, and how it was answered."""

    visit: Visit
    attempt: int
    """0 for the first call of its visit, then the number of the retry."""
    answer: Any = ABSENT
    error: str | None = None
    cause: str | None = None
    failed: bool = False
    after: float = 0.0

    @property
    def members(self) -> dict[str, Any]:
        """The answer in the members of a mock."""
        after = {"after": f"{round(self.after, 3):g}s"} if self.after >= _SOON else {}
        if self.failed:
            names = {"error": self.error, "cause": self.cause}
            return {"fail": {k: v for k, v in names.items() if v is not None}, **after}
        if self.answer is ABSENT:
            return {"no_answer": True}
        return {"answer": self.answer, **after}


class RecordedTest:
    """One execution as a test."""

    def __init__(self, definition: Mapping[str, Any], visits: Visits, name: str) -> None:
        """Raise InputError for an execution that has not ended by itself."""
        first, *_, last = visits.entries.values()
        self.status = TERMINAL.get(last.type, "RUNNING")
        if self.status in ("RUNNING", "ABORTED"):
            what = "still runs" if self.status == "RUNNING" else "was stopped"
            raise InputError(f"the execution {what}: only one that ended by itself can be a test")
        self.name = name
        self.input = value_of(first.details.get("input"))
        self.output = value_of(last.details.get("output"))
        self.error = last.details.get("error")
        self.path = [visit.name for visit in visits.all if visit.parent is None]
        self.begun = isoformat(first.at) if _OF_THE_RUN.search(dumps(definition)) else None
        """When it started, if it can tell."""
        self.items = any(entry.type == "MapRunStarted" for entry in visits.entries.values())
        self.mocks = list(_mocks(definition, visits))

    def as_suite(self, definition: str) -> str:
        """Return the text of a `*.doorstep.yaml`; `definition`: the file that it names.

        Raises InputError for data that would be an expression there.
        """
        ending = {"output": self.output} if self.status == "SUCCEEDED" else {"error": self.error}
        expected = {"status": self.status, **ending, "path": self.path}
        run = {"execution": self.name, "start_time": self.begun} if self.begun else {}
        test = {"name": self._sentence, **run, "input": self.input, "mocks": self.mocks}
        expect = {name: value for name, value in expected.items() if value is not None}
        content = {"definition": definition, "mock_validation": "off"}
        if _COMPUTED in dumps([self.input, self.mocks, expected]):
            raise InputError(
                "the data contains `{%`, which begins an expression in a suite: write it for pytest"
            )
        return suite_text(self._remarks("#"), content | {"tests": [test | {"expect": expect}]})

    def as_pytest(self, definition: str) -> str:
        """Return the text of a module with a test; `definition`: the file that it names."""
        clock = f"    virtual_clock.set({self.begun!r})\n" if self.begun else ""
        run = f", name={self.name!r}" if self.begun else ""
        lines = [f"    {line}," for mock in self.mocks for line in [_call(mock)]]
        expected = {"status": self.status, "path": self.path}
        ending = {"output": self.output} if self.status == "SUCCEEDED" else {"error": self.error}
        checks = [
            f"    assert execution.{name} == {_literal(value, 4)}"
            for name, value in (expected | ending).items()
        ]
        slug = re.sub(r"\W+", "_", self._sentence.lower(), flags=re.ASCII).strip("_")
        options = f"{definition!r}, mock_validation='off'"
        return "\n".join(
            [
                f'"""{"; ".join(self._remarks(""))}."""\n',
                "import doorstep" if any("doorstep." in line for line in lines) else "",
                "from doorstep.testing import mock\n" if lines else "",
                f"INPUT = {_literal(self.input)}",
                "MOCKS = [" if lines else "MOCKS = []",
                *lines,
                *(["]"] if lines else []),
                f"\n\ndef test_{slug}(state_machine{', virtual_clock' if clock else ''}):",
                f"{clock}    machine = state_machine({options})",
                f"    execution = machine.run(INPUT, mocks=MOCKS{run})",
                *checks,
                "",
            ]
        ).lstrip("\n")

    @property
    def _sentence(self) -> str:
        return f"{self.name} {self.status.lower()}" + (f" with {self.error}" if self.error else "")

    def _remarks(self, sign: str) -> list[str]:
        remarks = ["The answers of a recorded execution; what is expected is what happened then"]
        if self.items:
            remarks.append("tasks of a distributed Map's items have no mocks: add them or handlers")
        return [f"{sign} {remark}".strip() for remark in remarks]


def suite_text(remarks: Iterable[str], content: Mapping[str, Any]) -> str:
    """Return the text of a suite, with comments at its head."""
    dumper = type("Plain", (SafeDumper,), {"ignore_aliases": lambda *_: True})
    text = dump(dict(content), Dumper=dumper, sort_keys=False, allow_unicode=True, width=100)
    return "\n".join([*remarks, text])


# What the tasks were answered --------------------------------------------------------------------


def _mocks(definition: Mapping[str, Any], visits: Visits) -> Iterator[dict[str, Any]]:
    """Yield the mocks of all tasks, in the order of the states' first calls."""
    resources = {
        state.name: str(state.fields.get("Resource", ""))
        for state in workflow(definition).scope.walk()
    }
    calls: defaultdict[str, list[tuple[int, RecordedCall]]] = defaultdict(list)
    for visit in visits.all:
        if visit.entered.type == "TaskStateEntered":
            calls[visit.name] += _calls(visit, resources.get(visit.name, ""))
    for state, made in calls.items():
        in_order = [call for _, call in sorted(made, key=lambda one: one[0])]
        yield from ({"state": state, **mock} for mock in _numbered(in_order))


def _calls(visit: Visit, resource: str) -> Iterator[tuple[int, RecordedCall]]:
    """Yield the calls of a visit since its last redrive, each with the id of its first event."""
    attempts = visit.attempts
    first = visit.events[0].id
    begun = next((one.id for one in reversed(attempts) if _redriven(one, visit)), first)
    counted = [one for one in attempts if one.id >= begun]
    for number, attempt in enumerate(counted):
        following = counted[number + 1].id if number + 1 < len(counted) else 1 << 62
        ends = (one for one in visit.events if attempt.id < one.id < following and _ends(one))
        yield attempt.id, _answered(visit, number, attempt, next(ends, None), resource)


def _redriven(attempt: Entry, visit: Visit) -> bool:
    """Return whether an attempt follows from outside of its visit: from a redrive."""
    return attempt.previous not in {event.id for event in visit.events}


def _ends(event: Entry) -> bool:
    return event.failed or event.type.endswith("Succeeded")


def _answered(
    visit: Visit, number: int, attempt: Entry, end: Entry | None, resource: str
) -> RecordedCall:
    if end is None or end.type.endswith("TimedOut"):
        return RecordedCall(visit, number)
    after = end.at - attempt.at
    if end.failed:
        error, cause = end.details.get("error"), end.details.get("cause")
        return RecordedCall(visit, number, error=error, cause=cause, failed=True, after=after)
    output = value_of(end.details.get("output"))
    # A mock's answer to lambda:invoke is what the function returns.
    if resource.endswith(":lambda:invoke") and isinstance(output, dict) and "Payload" in output:
        output = output["Payload"]
    return RecordedCall(visit, number, answer=output, after=after)


def _numbered(calls: Sequence[RecordedCall]) -> Iterator[dict[str, Any]]:
    """Yield mocks that tell the calls of a state apart by as little as does it."""
    answers = [call.members for call in calls]
    places = [(call.visit.map_index, call.attempt) for call in calls]
    if all(answer == answers[0] for answer in answers):
        # Without any its data was at fault before it was called.
        yield from answers[:1]
    elif None not in {index for index, _ in places} and len(set(places)) == len(places):
        for (index, attempt), answer in zip(places, answers, strict=True):
            yield {"index": index, "attempt": attempt, **answer}
    else:
        begun = 0
        for number, answer in enumerate(answers):
            if number + 1 == len(answers) or answers[number + 1] != answer:
                yield {"invocation": number if begun == number else f"{begun}-{number}", **answer}
                begun = number + 1


# As Python ---------------------------------------------------------------------------------------


def _literal(value: Any, margin: int = 0) -> str:
    text = pformat(value, width=_WIDE - margin, sort_dicts=False)
    return text.replace("\n", "\n" + " " * margin)


def _call(mock: Mapping[str, Any]) -> str:
    """Return a mock as the call that makes it."""
    members = dict(mock)
    state, after = members.pop("state"), members.pop("after", None)
    later = f", after={after!r}" if after else ""
    if "fail" in members:
        names = members.pop("fail")
        texts = ", ".join(repr(names.get(name)) for name in ("error", "cause") if name in names)
        answer = f"doorstep.fail({texts}{later})"
    elif members.pop("no_answer", False):
        answer = "doorstep.no_answer()"
    else:
        answer = _literal(members.pop("answer"), 8)
        answer = f"doorstep.answer({answer}{later})" if later else answer
    numbers = {name: _numbers(value) for name, value in members.items()}
    return ", ".join([f"mock({state!r}", answer, *(f"{k}={v}" for k, v in numbers.items())]) + ")"


def _numbers(value: int | str) -> str:
    if isinstance(value, int):
        return str(value)
    first, _, last = value.partition("-")
    return f"range({first}, {int(last) + 1})"
