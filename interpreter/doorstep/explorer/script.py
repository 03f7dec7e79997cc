"""A script: an input and the answers of all tasks; and the smallest one that shows a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
