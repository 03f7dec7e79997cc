"""Scripts (an input and the answers of all tasks), and the findings that they show.

| kind | severity | is |
|---|---|---|
| missing | error, warning | a state reads data that is missing on some path to it |
| broken | error, note | a state fails with all data; a note when it comes from outside |
| endless | error, warning | a loop changes nothing; a warning when other answers end it |
| no-rule | warning | a Choice without Default whose rules may all fail to match |
| uncaught | warning, note | errors end the execution; a note when there is no Catch at all |
| twice | warning, note | tasks that may run twice, and can't recognize the repetition |
| unreachable | warning | rules, retriers and catchers that nothing can reach |
| unreached | note | parts that no run reached, with the reason as far as it is known |
| needs | note | data that states read without checking for it |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ..runtime import Answer
from ..values.json_values import ABSENT, dumps
from .flow import Keys, get, path_text, put

SourceKind = Literal["input", "answer", "cause", "items"]
_PLAIN = Answer(output={})
TRIES = 200
"""Smaller scripts that are run for one finding. Scripts have some tens of parts, and each is tried
alone: more are needed only for large inputs, of which the rest then stays.
"""


@dataclass(frozen=True, slots=True)
class DataSource:
    """Data from outside of the definition: the input, a call's answer or failure, items read."""

    kind: SourceKind
    state: str = ""
    call: int = 0

    def __str__(self) -> str:
        match self.kind:
            case "input":
                return "the input"
            case "answer":
                return f"{self.state}'s answer"
            case "cause":
                return f"the cause of {self.state}'s failure"
        return f"the items that {self.state} reads"


INPUT = DataSource("input")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value stands in the data from outside."""

    source: DataSource
    keys: Keys = ()

    def __str__(self) -> str:
        return path_text("$", self.keys)


@dataclass(frozen=True, slots=True)
class Script:
    """All data that an execution gets from outside."""

    input: Any = field(default_factory=dict)
    answers: Mapping[str, tuple[Answer, ...]] = field(default_factory=dict)
    """By state; the last one answers all further calls, and a state without any answers {}."""
    items: Mapping[str, Any] = field(default_factory=dict)
    """By Map, what its ItemReader reads, by default one {}; None: nothing can be read."""

    def reply(self, state: str, call: int) -> Answer:
        """Return the answer to a call of a state; calls are counted from 0."""
        known = self.answers.get(state, (_PLAIN,))
        return known[min(call, len(known) - 1)]

    def items_of(self, state: str) -> Any:
        """Return what the ItemReader of a Map reads."""
        return self.items.get(state, [{}])

    def answering(self, state: str, call: int, *answers: Answer) -> Script:
        """Return the script in which a call, and those after it, have these answers."""
        before = tuple(self.reply(state, number) for number in range(call))
        return replace(self, answers={**self.answers, state: before + answers})

    def get(self, origin: Origin) -> Any:
        """Return the value at an origin; ABSENT where there is none."""
        return get(self._content(origin.source), origin.keys)

    def put(self, origin: Origin, value: Any) -> Script:
        """Return the script with a value there; ABSENT removes it."""
        source = origin.source
        content = put(self._content(source), origin.keys, value)
        if content is ABSENT:
            content = {}
        match source.kind:
            case "input":
                return replace(self, input=content)
            case "items":
                return replace(self, items={**self.items, source.state: content})
            case "answer":
                return self._replaced(source, Answer(output=content))
        old = self.reply(source.state, source.call)
        return self._replaced(source, replace(old, cause=str(content)))

    def _content(self, source: DataSource) -> Any:
        match source.kind:
            case "input":
                return self.input
            case "items":
                return self.items_of(source.state)
        reply = self.reply(source.state, source.call)
        if source.kind == "cause":
            return reply.cause or ""
        return {} if reply.output is ABSENT else reply.output

    def _replaced(self, source: DataSource, answer: Answer) -> Script:
        later = self.answers.get(source.state, ())[source.call + 1 :]
        return self.answering(source.state, source.call, answer, *later)

    @property
    def key(self) -> str:
        """A text that equal scripts share."""
        return dumps(self.as_json())

    def as_json(self) -> dict[str, Any]:
        """Return {"input", "answers": {STATE: [{"Return"} | {"Throw"}]}, "items": {MAP: …}}."""
        answers = {
            state: [as_mock(answer) for answer in answers]
            for state, answers in self.answers.items()
        }
        items = {"items": dict(self.items)} if self.items else {}
        return {"input": self.input, "answers": answers, **items}


def as_mock(answer: Answer) -> dict[str, Any]:
    """Return an answer as MockConfigFile.json has it; no answer is the timeout that follows."""
    if answer.failed:
        return {"Throw": {"Error": answer.error, "Cause": answer.cause}}
    if answer.output is ABSENT:
        return {"Throw": {"Error": "States.Timeout"}}
    return {"Return": answer.output}


def shrink(script: Script, shows: Callable[[Script], bool]) -> Script:
    """Return the script without all parts that `shows` does not need, one tried after the other.

    After each part that can go, all others are tried again: so the result is a minimum.
    """
    tries = 0
    smaller = _smaller(script)
    while (candidate := next(smaller, None)) is not None and tries < TRIES:
        tries += 1
        if shows(candidate):
            script, smaller = candidate, _smaller(candidate)
    return script


def _smaller(script: Script) -> Iterator[Script]:
    answers = script.answers
    for state, own in answers.items():
        others = {name: one for name, one in answers.items() if name != state}
        yield replace(script, answers=others)
        for index in range(len(own) - 1, -1, -1):
            for fewer in _fewer(own, index):
                yield replace(script, answers={**others, state: fewer})
    for name, items in script.items.items():
        rest = {key: one for key, one in script.items.items() if key != name}
        yield replace(script, items=rest)
        yield from (replace(script, items={**rest, name: less}) for less in _less(items))
    yield from (replace(script, input=less) for less in _less(script.input))


def _fewer(answers: tuple[Answer, ...], index: int) -> Iterator[tuple[Answer, ...]]:
    """Yield answers without one of them, or with less in it."""
    before, after = answers[:index], answers[index + 1 :]
    if before or after:
        yield before + after
    one = answers[index]
    if one.output is not ABSENT and not one.failed:
        yield from ((*before, replace(one, output=less), *after) for less in _less(one.output))
    if one.cause:
        yield (*before, replace(one, cause=""), *after)


def _less(value: Any) -> Iterator[Any]:
    """Yield a value with one part left out."""
    match value:
        case dict():
            for name in value:
                yield {key: inner for key, inner in value.items() if key != name}
            for name, member in value.items():
                yield from ({**value, name: less} for less in _less(member))
        case list():
            for index in range(len(value)):
                yield value[:index] + value[index + 1 :]
            for index, item in enumerate(value):
                yield from ([*value[:index], less, *value[index + 1 :]] for less in _less(item))


# The report ---------------------------------------------------------------------------------------

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
_LAST = 999_999
"""A MockConfigFile.json answers ranges of calls: the last answer's ends here, beyond any run."""


@dataclass(frozen=True, slots=True)
class FindingPlace:
    """A part of the definition (a JSON Pointer) that a finding is about, and its description."""

    pointer: str
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding; `script` and `path` are those of the run that shows it, if one does."""

    kind: str
    severity: Severity
    message: str
    places: Sequence[FindingPlace]
    advice: str = ""
    script: Script | None = None
    path: Sequence[str] = ()
    """The states entered, in order."""
    called: Sequence[str] = ()
    """The tasks called."""

    def as_json(self) -> dict[str, Any]:
        """Return {"kind", "severity", "message", "places", "advice"?, "path"?, "script"?}.

        A place: {"pointer", "text"}; the script: {"input", "answers", "items"?}.
        """
        members: dict[str, Any] = {
            "kind": self.kind,
            "severity": self.severity,
            "message": self.message,
            "places": [{"pointer": one.pointer, "text": one.text} for one in self.places],
        }
        if self.advice:
            members["advice"] = self.advice
        if self.script:
            members |= {"path": list(self.path), "script": self.script.as_json()}
        return members


@dataclass(frozen=True, slots=True)
class Exploration:
    """The report."""

    findings: Sequence[Finding]
    kinds: Mapping[str, tuple[int, int]]
    """By kind of part (state, transition, rule, …; see `coverage`): reached, and how many."""
    runs: int
    cut_short: bool
    """Whether a limit was reached before everything was tried."""
    example: Script | None
    """A script with which the execution succeeds; None when no run did."""
    ends: Mapping[str, Script] = field(default_factory=dict)
    """A script for each end of the workflow, by its last state."""

    @property
    def reached(self) -> int:
        """How many parts were reached."""
        return sum(reached for reached, _ in self.kinds.values())

    @property
    def parts(self) -> int:
        """How many parts the definition has."""
        return sum(parts for _, parts in self.kinds.values())

    @property
    def ok(self) -> bool:
        """Whether there are no errors and no warnings; notes don't count."""
        return all(one.severity == "note" for one in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Return {"ok", "runs", "cutShort", "reached", "parts", "kinds", "findings", "example"}."""
        return {
            "ok": self.ok,
            "runs": self.runs,
            "cutShort": self.cut_short,
            "reached": self.reached,
            "parts": self.parts,
            "kinds": {kind: {"reached": a, "parts": b} for kind, (a, b) in self.kinds.items()},
            "findings": [one.as_json() for one in self.findings],
            "example": self.example.as_json() if self.example else None,
        }


def case_names(findings: Sequence[Finding]) -> list[str]:
    """Return a unique name for each finding: its kind and its first place."""
    names: list[str] = []
    for finding in findings:
        word = re.sub(r"\W+", "-", finding.places[0].text).strip("-")
        name = f"{finding.kind}-{word}"
        names.append(name if name not in names else f"{name}-{len(names)}")
    return names


def mock_config(findings: Sequence[Finding], machine: str) -> dict[str, Any]:
    """Return a MockConfigFile.json's content, a test case for each finding that a run shows."""
    cases: dict[str, dict[str, str]] = {}
    responses: dict[str, Any] = {}
    for name, finding in zip(case_names(findings), findings, strict=True):
        if finding.script:
            cases[name] = {state: f"{name}: {state}" for state in finding.called}
            for state, key in cases[name].items():
                responses[key] = _responses(finding.script, state)
    return {"StateMachines": {machine: {"TestCases": cases}}, "MockedResponses": responses}


def _responses(script: Script, state: str) -> dict[str, Any]:
    last = max(len(script.answers.get(state, ())) - 1, 0)
    numbered = {str(call): as_mock(script.reply(state, call)) for call in range(last)}
    return numbered | {f"{last}-{_LAST}": as_mock(script.reply(state, last))}
