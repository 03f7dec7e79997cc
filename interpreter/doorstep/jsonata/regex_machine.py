"""A backtracking machine for regular expressions that can be stopped: it counts its steps.

A pattern becomes a list of instructions. A thread is a place in the program and in the text, with
what the groups have caught; of two ways on, one is followed and the other kept for later.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from .regex_nodes import (
    LINE_ENDS,
    WORD,
    Back,
    Chain,
    Characters,
    Choice,
    Edge,
    Group,
    Look,
    Regex,
    RegexError,
    Repeat,
)

Spans = tuple[int, ...]
"""Where each group starts and ends, two by two; -1 where it took no part."""

Operation = Literal[
    "character", "split", "jump", "save", "clear", "edge", "look", "back", "progress", "match"
]

_MOST_INSTRUCTIONS: Final = 20_000
_STEPS_BETWEEN_TICKS: Final = 256


@dataclass(slots=True)
class Instruction:
    """``first``/``second``: targets, group numbers or marks, as the operation needs them."""

    operation: Operation
    first: int = 0
    second: int = 0
    characters: frozenset[int] | None = None
    ranges: tuple[tuple[int, int], ...] = ()
    look: Machine | None = None
    text: str = ""
    flag: bool = False


class Machine:
    """A compiled pattern."""

    def __init__(
        self,
        tree: Regex,
        groups: int,
        *,
        ignore_case: bool,
        multiline: bool,
        backward: bool = False,
    ) -> None:
        self._groups = groups
        self._ignore_case = ignore_case
        self._multiline = multiline
        self._backward = backward
        self._marks = 0
        self._program: list[Instruction] = []
        self._emit(tree)
        self._add("match")

    def search(self, text: str, start: int, tick: Callable[[], None]) -> Spans | None:
        """The first match from an offset on; ``tick`` may raise to end it."""
        for at in range(start, len(text) + 1):
            tick()
            spans = self.match(text, at, (-1,) * (2 * self._groups + 2), tick)
            if spans is not None:
                return spans
        return None

    # -- compiling

    def _add(self, operation: Operation, first: int = 0, second: int = 0) -> Instruction:
        if len(self._program) >= _MOST_INSTRUCTIONS:
            raise RegexError("the pattern is too large")
        instruction = Instruction(operation, first, second)
        self._program.append(instruction)
        return instruction

    def _emit(self, tree: Regex) -> None:
        match tree:
            case Characters(ranges=ranges):
                self._add("character").ranges = ranges
            case Chain(items=items):
                for item in reversed(items) if self._backward else items:
                    self._emit(item)
            case Choice(options=options):
                self._emit_choice(options)
            case Group(number=number, body=body):
                self._add("save", 2 * number + self._backward)
                self._emit(body)
                self._add("save", 2 * number + (not self._backward))
            case Repeat():
                self._emit_repeat(tree)
            case Look(body=body, ahead=ahead, negated=negated):
                instruction = self._add("look")
                instruction.flag = negated
                instruction.look = Machine(
                    body,
                    self._groups,
                    ignore_case=self._ignore_case,
                    multiline=self._multiline,
                    backward=not ahead,
                )
            case Edge(kind=kind):
                self._add("edge").text = kind
            case Back(number=number):
                self._add("back", number)

    def _emit_choice(self, options: tuple[Regex, ...]) -> None:
        jumps = []
        for option in options[:-1]:
            split = self._add("split")
            split.first = len(self._program)
            self._emit(option)
            jumps.append(self._add("jump"))
            split.second = len(self._program)
        self._emit(options[-1])
        for jump in jumps:
            jump.first = len(self._program)

    def _emit_repeat(self, tree: Repeat) -> None:
        for _ in range(tree.least):
            self._emit_round(tree.body)
        if tree.most is None:
            self._emit_loop(tree)
            return
        splits = []
        for _ in range(tree.most - tree.least):
            splits.append(self._add("split"))
            self._emit_round(tree.body, mark=self._add_mark())
        for split in splits:
            self._aim(split, self._program.index(split) + 1, len(self._program), tree.greedy)

    def _emit_loop(self, tree: Repeat) -> None:
        split = self._add("split")
        start = len(self._program) - 1
        self._emit_round(tree.body, mark=self._add_mark())
        self._add("jump", start)
        self._aim(split, start + 1, len(self._program), tree.greedy)

    def _emit_round(self, body: Regex, mark: int | None = None) -> None:
        """One round; groups in it forget what they caught in the round before."""
        low, high = _group_range(body)
        if high:
            self._add("clear", 2 * low, 2 * high + 2)
        self._emit(body)
        if mark is not None:
            self._add("progress", mark)

    def _add_mark(self) -> int:
        """Remembers the place, so that a round that matches nothing can be refused."""
        self._marks += 1
        self._add("save", 2 * self._groups + 1 + self._marks)
        return 2 * self._groups + 1 + self._marks

    @staticmethod
    def _aim(split: Instruction, into: int, past: int, greedy: bool) -> None:
        split.first, split.second = (into, past) if greedy else (past, into)

    # -- running

    def match(self, text: str, start: int, caught: Spans, tick: Callable[[], None]) -> Spans | None:
        """The match at exactly this place."""
        size = 2 * self._groups + 2
        program = self._program
        spans: Spans = caught + (-1,) * self._marks
        waiting: list[tuple[int, int, Spans]] = []
        pc, at, steps = 0, start, 0
        while True:
            steps += 1
            if steps % _STEPS_BETWEEN_TICKS == 0:
                tick()
            instruction = program[pc]
            match instruction.operation:
                case "character":
                    place = at - 1 if self._backward else at
                    if 0 <= place < len(text) and self._accepts(instruction, text[place]):
                        at += -1 if self._backward else 1
                        pc += 1
                        continue
                case "split":
                    waiting.append((instruction.second, at, spans))
                    pc = instruction.first
                    continue
                case "jump":
                    pc = instruction.first
                    continue
                case "save":
                    index = instruction.first
                    spans = (*spans[:index], at, *spans[index + 1 :])
                    pc += 1
                    continue
                case "clear":
                    low, high = instruction.first, instruction.second
                    spans = (*spans[:low], *(-1,) * (high - low), *spans[high:])
                    pc += 1
                    continue
                case "progress":
                    if spans[instruction.first] != at:
                        pc += 1
                        continue
                case "edge":
                    if self._is_edge(instruction.text, text, at):
                        pc += 1
                        continue
                case "look":
                    looked = self._look(instruction, text, at, spans[:size], tick)
                    if looked is not None:
                        spans = looked + spans[size:]
                        pc += 1
                        continue
                case "back":
                    end = self._back(instruction.first, text, at, spans)
                    if end is not None:
                        at = end
                        pc += 1
                        continue
                case "match":
                    return (start, at, *spans[2:size])
            if not waiting:
                return None
            pc, at, spans = waiting.pop()

    def _accepts(self, instruction: Instruction, character: str) -> bool:
        code = ord(character)
        if any(low <= code <= high for low, high in instruction.ranges):
            return True
        if not self._ignore_case:
            return False
        others = {character.lower(), character.upper(), character.swapcase()} - {character}
        return any(
            low <= ord(other) <= high
            for other in others
            if len(other) == 1
            for low, high in instruction.ranges
        )

    def _is_edge(self, kind: str, text: str, at: int) -> bool:
        if kind == "^":
            return at == 0 or (self._multiline and _is_in(LINE_ENDS, text[at - 1]))
        if kind == "$":
            return at == len(text) or (self._multiline and _is_in(LINE_ENDS, text[at]))
        before = at > 0 and _is_in(WORD, text[at - 1])
        after = at < len(text) and _is_in(WORD, text[at])
        return (before != after) == (kind == "b")

    def _look(
        self, instruction: Instruction, text: str, at: int, spans: Spans, tick: Callable[[], None]
    ) -> Spans | None:
        assert instruction.look is not None
        found = instruction.look.match(text, at, spans, tick)
        if instruction.flag:
            return spans if found is None else None
        return None if found is None else (*spans[:2], *found[2:])

    def _back(self, number: int, text: str, at: int, spans: Spans) -> int | None:
        low, high = spans[2 * number], spans[2 * number + 1]
        caught = text[low:high] if low >= 0 and high >= 0 else ""
        start = at - len(caught) if self._backward else at
        here = text[start : start + len(caught)] if start >= 0 else None
        same = here == caught or (
            self._ignore_case and here is not None and here.lower() == caught.lower()
        )
        if not same:
            return None
        return start if self._backward else at + len(caught)


def _is_in(characters: Characters, character: str) -> bool:
    return any(low <= ord(character) <= high for low, high in characters.ranges)


def _group_range(tree: Regex) -> tuple[int, int]:
    """The first and the last group inside; (0, 0) if there is none."""
    match tree:
        case Group(number=number, body=body):
            return number, max(number, _group_range(body)[1])
        case Chain(items=parts) | Choice(options=parts):
            ranges = [span for span in map(_group_range, parts) if span[1]]
            return (ranges[0][0], ranges[-1][1]) if ranges else (0, 0)
        case Repeat(body=body) | Look(body=body):
            return _group_range(body)
    return 0, 0
