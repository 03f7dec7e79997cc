"""What may stand at a place of a definition: names, values, and what expressions can read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from doorstep.model import JSONATA as JSONATA_LANGUAGE
from doorstep.model import JSONPATH, STATES, actions, integration

from . import gists
from .functions import INTRINSICS, JSONATA, described
from .machines import Machine, Place
from .shapes import CONTEXT, ERROR_OUTPUT, Shape, Shapes, at

Kind = Literal["field", "value", "state", "resource", "function", "variable", "member", "error"]
_KEYS = r"((?:\.[\w-]+|\[\d+\]|\['[^'\]]*'\])*?)(?:\.([\w-]*))?$"
_PATH = re.compile(r"(\$\$|\$[\w]*)" + _KEYS)
_CALL = re.compile(r"States\.\w*$")
_KEY = re.compile(r"\.([\w-]+)|\['([^'\]]*)'\]")
_PLAIN = re.compile(r"[A-Za-z][\w .()/-]*\Z")
_SDK = ("s3:getObject", "s3:putObject", "dynamodb:query", "sfn:describeExecution")
"""Some of the actions that `aws-sdk:` offers, to show how they are written."""
_PATTERNS = {"s": ".sync", "2": ".sync:2", "t": ".waitForTaskToken"}
_SNIPPETS = {"object": "{}", "states": "{}", "list": "[]", "rules": "[]", "rule": "{}"}


@dataclass(frozen=True, slots=True)
class Completion:
    """A text that may stand between two offsets, in place of what stands there."""

    label: str
    kind: Kind
    start: int
    end: int
    text: str
    detail: str = ""
    page: str = ""
    order: int = 0


@dataclass(frozen=True, slots=True)
class Completer:
    """Completes at one place of a text."""

    text: str
    place: Place
    offset: int
    shapes: Callable[[Machine], Shapes]
    """What is known of a machine's data; asked only where a path goes on."""

    def completions(self) -> list[Completion]:
        """Return what may stand there, what is needed first."""
        place = self.place
        if place.on_name or place.member is None:
            return sorted(self._names(), key=lambda one: one.order)
        if place.scalar is not None and (inside := list(self._inside())):
            return inside
        return list(self._values())

    # Names of members ----------------------------------------------------------------------------

    def _names(self) -> Iterator[Completion]:
        place = self.place
        there = {one.name for one in place.container.members if one is not place.member}
        if place.table is not None:
            language = JSONPATH if place.jsonata else JSONATA_LANGUAGE
            for name, field in place.table.fields.items():
                if name not in there and field.language != language:
                    needed = name in place.table.required
                    detail = gists.FIELDS.get(name, "")
                    page = gists.page_of(name, place.table.name)
                    yield self._name(name, field.kind, detail, page, 0 if needed else 1)
            return
        if place.names[-1:] and (called := self._called()):
            required, parameters = called
            for name in parameters:
                if not {name, f"{name}.$"} & there:
                    detail = "required" if name in required else ""
                    yield self._name(name, "any", detail, "", 0 if name in required else 1)

    def _called(self) -> tuple[tuple[str, ...], list[str]] | None:
        """Return what the called action takes, when the place is its Parameters or Arguments."""
        state, names = self.place.state, self.place.names
        argument = names[-1:] if self.place.member is None else names[-2:-1]
        if state is None or not {*argument} & {"Parameters", "Arguments"}:
            return None
        resource = state.node.text("Resource")
        action = actions().get(integration(resource).action) if resource else None
        return (action.required, sorted(action.parameters)) if action else None

    def _name(self, name: str, kind: str, detail: str, page: str, order: int) -> Completion:
        member, offset = self.place.member, self.offset
        start, end = (member.start, member.end) if member and member.name else (offset, offset)
        written = name if self.place.machine.yaml else json.dumps(name)
        bare = member is None or not re.match(r'["\']?\s*:', self.text[end : end + 3])
        colon = ": " if bare and kind not in _SNIPPETS else ":" if bare else ""
        if bare and not self.place.machine.yaml:
            colon = f": {_SNIPPETS.get(kind, '')}"
        return Completion(name, "field", start, end, written + colon, detail, page, order)

    # Values --------------------------------------------------------------------------------------

    def _values(self) -> Iterator[Completion]:
        place = self.place
        name = place.names[-1] if place.names else ""
        field = place.field
        if name in ("Next", "Default", "StartAt"):
            states = (one for one in place.machine.states if one.scope is place.scope)
            for state in states:
                if place.state is None or state.node is not place.state.node or name == "StartAt":
                    yield self._value(state.name, "state", state.type)
        elif name == "Type" and place.table is not None and "Type" in place.table.fields:
            for kind in STATES:
                yield self._value(kind, "value", gists.STATE_TYPES[kind], gists.page_of(kind))
        elif name == "Resource":
            yield from self._resources()
        elif name == "ErrorEquals":
            for error, gist in gists.ERRORS.items():
                yield self._value(error, "error", gist, gists.page_of(error))
        elif field is not None and field.kind == "enum":
            for option in field.options:
                yield self._value(option, "value")
        elif field is not None and field.kind == "boolean" and not field.expression:
            yield self._value("true", "value", raw=True)
            if name != "End":
                yield self._value("false", "value", raw=True)
        elif field is not None and field.kind in ("path", "reference", "result path"):
            yield self._value("$", "value", "the whole of the state's input")

    def _resources(self) -> Iterator[Completion]:
        for action, known in actions().items():
            for pattern in ("", *(_PATTERNS[one] for one in known.patterns)):
                if action == "http:invoke" and pattern:
                    continue
                detail = f"takes {', '.join(known.required)}" if known.required else ""
                yield self._value(f"arn:aws:states:::{action}{pattern}", "resource", detail)
        for action in _SDK:
            yield self._value(f"arn:aws:states:::aws-sdk:{action}", "resource", "any AWS API")

    def _value(
        self, value: str, kind: Kind, detail: str = "", page: str = "", *, raw: bool = False
    ) -> Completion:
        scalar = self.place.scalar
        start, end = (scalar.start, scalar.end) if scalar else (self.offset, self.offset)
        if self.place.machine.yaml:
            written = value if raw or _PLAIN.match(value) or ":::" in value else json.dumps(value)
        else:
            written = value if raw else json.dumps(value, ensure_ascii=False)
        if scalar is None and self.text[start - 1 : start] == ":":
            written = f" {written}"
        return Completion(value, kind, start, end, written, detail, page)

    # Inside of expressions -----------------------------------------------------------------------

    def _inside(self) -> Iterator[Completion]:
        """Yield what may follow in a path, an intrinsic call or a JSONata expression."""
        scalar = self.place.scalar
        assert scalar is not None
        before = self.text[scalar.start : self.offset]
        if self.place.jsonata:
            if "{%" in before and "%}" not in before:
                yield from self._in_jsonata(before)
            return
        if call := _CALL.search(before):
            for name in INTRINSICS:
                yield self._word(name, "function", len(call[0]), described(name) or "")
            return
        path = _PATH.search(before)
        if path is None:
            return
        root, keys, word = path.groups()
        if word is None:
            if not keys and root not in ("$", "$$"):
                yield from self._variables(len(root))
        elif root == "$$":
            yield from self._members(at(CONTEXT, _names(keys)), word)
        elif root == "$":
            yield from self._members(at(self._input(), _names(keys)), word)
        else:
            yield from self._members(self._variable(root, keys), word)

    def _in_jsonata(self, before: str) -> Iterator[Completion]:
        path = _PATH.search(before)
        if path is None:
            return
        root, keys, word = path.groups()
        names = _names(keys)
        if word is None and keys:
            return
        if word is None:
            yield self._word("$states", "variable", len(root), "input, result, context")
            yield from self._variables(len(root))
            for name in JSONATA:
                detail = described(f"${name}") or ""
                yield self._word(f"${name}", "function", len(root), detail)
        elif root == "$states" and not names:
            for name, gist in gists.STATES_VARIABLE.items():
                yield self._word(name, "member", len(word), gist)
        elif root == "$states":
            state = self.place.state
            roots = {
                "input": self._input(),
                "context": CONTEXT,
                "errorOutput": ERROR_OUTPUT,
                "result": self._known.results.get(state.pointer, {}) if state else {},
            }
            yield from self._members(at(roots.get(names[0], {}), names[1:]), word)
        else:
            yield from self._members(self._variable(root, keys), word)

    @property
    def _known(self) -> Shapes:
        return self.shapes(self.place.machine)

    def _members(self, shape: Shape, word: str) -> Iterator[Completion]:
        for name in sorted(shape):
            yield self._word(name, "member", len(word), "as the workflow's data flow says")

    def _variables(self, length: int) -> Iterator[Completion]:
        for name, places in sorted(self.place.machine.variables().items()):
            detail = f"assigned by {places[0][0].name}"
            yield self._word(f"${name}", "variable", length, detail)

    def _word(self, word: str, kind: Kind, length: int, detail: str) -> Completion:
        return Completion(word, kind, self.offset - length, self.offset, word, detail)

    def _input(self) -> Shape:
        state = self.place.state
        return self._known.inputs.get(state.pointer, {}) if state else {}

    def _variable(self, root: str, keys: str) -> Shape:
        return at(self._known.variables.get(root.removeprefix("$"), {}), _names(keys))


def _names(keys: str) -> list[str]:
    """Return the names in `.a['b'].c`; indexes are passed over."""
    return [plain or quoted for plain, quoted in _KEY.findall(keys)]
