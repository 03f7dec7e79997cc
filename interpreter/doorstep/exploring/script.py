"""A script: an execution's input, and what the world answers to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ..answers import ABSENT as NOTHING
from ..answers import Answer
from ..jsontext import dumps
from .flow import ABSENT, Keys, get, path_text, put

Kind = Literal["input", "answer", "cause", "items"]
_PLAIN = Answer(output={})


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
    """What the ItemReader of a Map finds; None: nothing can be read."""

    def reply(self, state: str, call: int) -> Answer:
        """The answer to a call of a state, counted from 0."""
        known = self.answers.get(state, (_PLAIN,))
        return known[min(call, len(known) - 1)]

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
                return self.items.get(source.state, [{}])
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
