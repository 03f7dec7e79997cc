"""A script: an input and what the world answers; and the least of one that shows a thing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ..runtime import Answer
from ..values.json_values import ABSENT as NOTHING
from ..values.json_values import dumps
from .flow import ABSENT, Keys, get, path_text, put

Kind = Literal["input", "answer", "cause", "items"]
_PLAIN = Answer(output={})
TRIES = 200
"""Smaller scripts that are tried before a finding is shown."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is not in the definition: the input, a call's answer or its failure's cause, items."""

    kind: Kind
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


INPUT = Source("input")


@dataclass(frozen=True, slots=True)
class Origin:
    """A place in a source."""

    source: Source
    keys: Keys = ()

    def __str__(self) -> str:
        return path_text("$", self.keys)


@dataclass(frozen=True, slots=True)
class Script:
    """Everything that an execution meets."""

    input: Any = field(default_factory=dict)
    answers: Mapping[str, tuple[Answer, ...]] = field(default_factory=dict)
    """By state; the last one answers all further calls, and a state without any answers {}."""
    items: Mapping[str, Any] = field(default_factory=dict)
    """By Map, what its ItemReader finds, one {} if nothing is said; None: nothing can be read."""

    def reply(self, state: str, call: int) -> Answer:
        """The answer to a call of a state, counted from 0."""
        known = self.answers.get(state, (_PLAIN,))
        return known[min(call, len(known) - 1)]

    def found(self, state: str) -> Any:
        """What the ItemReader of a Map finds."""
        return self.items.get(state, [{}])

    def answering(self, state: str, call: int, *answers: Answer) -> Script:
        """The script in which a call, and those after it, are answered so."""
        before = tuple(self.reply(state, number) for number in range(call))
        return replace(self, answers={**self.answers, state: before + answers})

    def get(self, origin: Origin) -> Any:
        """What stands at a place; ABSENT when nothing does."""
        return get(self._content(origin.source), origin.keys)

    def put(self, origin: Origin, value: Any) -> Script:
        """The script with a value there; ABSENT takes away what is."""
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

    def _content(self, source: Source) -> Any:
        match source.kind:
            case "input":
                return self.input
            case "items":
                return self.found(source.state)
        reply = self.reply(source.state, source.call)
        if source.kind == "cause":
            return reply.cause or ""
        return {} if reply.output is NOTHING else reply.output

    def _replaced(self, source: Source, answer: Answer) -> Script:
        later = self.answers.get(source.state, ())[source.call + 1 :]
        return self.answering(source.state, source.call, answer, *later)

    @property
    def key(self) -> str:
        """The same for scripts that say the same."""
        return dumps(self.as_json())

    def as_json(self) -> dict[str, Any]:
        """{"input": …, "answers": {STATE: [{"Return": …} | {"Throw": …}]}, "items": {MAP: …}}."""
        answers = {
            state: [shown(answer) for answer in answers] for state, answers in self.answers.items()
        }
        items = {"items": dict(self.items)} if self.items else {}
        return {"input": self.input, "answers": answers, **items}


def shown(answer: Answer) -> dict[str, Any]:
    """An answer as MockConfigFile.json has it; nobody's answer is the timeout that follows."""
    if answer.failed:
        return {"Throw": {"Error": answer.error, "Cause": answer.cause}}
    if answer.output is NOTHING:
        return {"Throw": {"Error": "States.Timeout"}}
    return {"Return": answer.output}


def shrink(script: Script, shows: Callable[[Script], bool]) -> Script:
    """A script none of whose parts can be left out; `shows` says whether one still shows it."""
    tries = 0
    smaller = _smaller(script)
    while (candidate := next(smaller, None)) is not None and tries < TRIES:
        tries += 1
        if shows(candidate):
            script, smaller = candidate, _smaller(candidate)
    return script


def _smaller(script: Script) -> Iterator[Script]:
    answers = script.answers
    for state, given in answers.items():
        others = {name: one for name, one in answers.items() if name != state}
        yield replace(script, answers=others)
        for index in range(len(given) - 1, -1, -1):
            for fewer in _fewer(given, index):
                yield replace(script, answers={**others, state: fewer})
    for name, items in script.items.items():
        rest = {key: one for key, one in script.items.items() if key != name}
        yield replace(script, items=rest)
        yield from (replace(script, items={**rest, name: less}) for less in _less(items))
    yield from (replace(script, input=less) for less in _less(script.input))


def _fewer(given: tuple[Answer, ...], index: int) -> Iterator[tuple[Answer, ...]]:
    """Answers without one of them, or with less in it."""
    before, after = given[:index], given[index + 1 :]
    if before or after:
        yield before + after
    one = given[index]
    if one.output is not NOTHING and not one.failed:
        yield from ((*before, replace(one, output=less), *after) for less in _less(one.output))
    if one.cause:
        yield (*before, replace(one, cause=""), *after)


def _less(value: Any) -> Iterator[Any]:
    """A value with something left out."""
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
