"""A machine for regular expressions that counts its steps, and takes no way twice.

A pattern becomes a list of instructions. A thread is a place in the program and in the text, with
what the groups have caught; of two ways on, one is followed, the other waits. Where a
thread has been, no other need go, since it would fail there as well: the steps are at most as many
as the text is long times the program. Only what a back reference means depends on the way there;
such patterns may take exponential time, until ``tick`` ends them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from .syntax import (
    LINE_END_CHARACTERS,
    WORD_CHARACTERS,
    Alternation,
    Assertion,
    BackReference,
    CapturingGroup,
    Characters,
    Concatenation,
    Lookaround,
    Ranges,
    Regex,
    RegexError,
    Repetition,
    class_of,
)

Operation = Literal[
    "character",
    "split",
    "jump",
    "save",
    "clear",
    "edge",
    "look",
    "back",
    "mark",
    "progress",
    "match",
]

_MOST_INSTRUCTIONS: Final = 20_000


@dataclass(slots=True)
class Instruction:
    """``first``/``second``: targets, group numbers or marks, as the operation needs them."""

    operation: Operation
    first: int = 0
    second: int = 0
    ranges: tuple[tuple[int, int], ...] = ()
    look: RegexProgram | None = None
    text: str = ""
    flag: bool = False


class RegexProgram:
    """A compiled pattern; ``whole``: it has to match up to the end of the text."""

    def __init__(
        self,
        tree: Regex,
        groups: int,
        flags: str,
        *,
        backward: bool = False,
        whole: bool = False,
    ) -> None:
        self.groups = groups
        self.flags = flags
        self.backward = backward
        self.whole = whole
        self._marks = 0
        self.refers_back = False
        self.instructions: list[Instruction] = []
        self._emit(tree)
        self._add("match")
        first = None if "i" in flags or backward else self._first_ranges()
        self.first = re.compile(class_of(first)) if first is not None else None
        """One of the characters that a match can start with; None: any, or none at all."""

    def _first_ranges(self) -> Ranges | None:
        """Return the characters that can come first; None if a match can go on without one."""
        ranges: set[tuple[int, int]] = set()
        been: set[int] = set()
        waiting = [0]
        while waiting:
            pc = waiting.pop()
            if pc in been:
                continue
            been.add(pc)
            instruction = self.instructions[pc]
            match instruction.operation:
                case "character":
                    ranges.update(instruction.ranges)
                case "split":
                    waiting += [instruction.first, instruction.second]
                case "jump":
                    waiting.append(instruction.first)
                case "match" | "back" | "progress":
                    return None
                case _:
                    waiting.append(pc + 1)
        return tuple(sorted(ranges))

    def _add(self, operation: Operation, first: int = 0, second: int = 0) -> Instruction:
        if len(self.instructions) >= _MOST_INSTRUCTIONS:
            raise RegexError("the pattern is too large")
        instruction = Instruction(operation, first, second)
        self.instructions.append(instruction)
        return instruction

    def _emit(self, tree: Regex) -> None:
        match tree:
            case Characters(ranges=ranges):
                self._add("character").ranges = ranges
            case Concatenation(items=items):
                for item in reversed(items) if self.backward else items:
                    self._emit(item)
            case Alternation(options=options):
                self._emit_choice(options)
            case CapturingGroup(number=number, body=body):
                self._add("save", 2 * number + self.backward)
                self._emit(body)
                self._add("save", 2 * number + (not self.backward))
            case Repetition():
                self._emit_repeat(tree)
            case Lookaround(body=body, ahead=ahead, negated=negated):
                instruction = self._add("look")
                instruction.flag = negated
                instruction.look = look = RegexProgram(
                    body, self.groups, self.flags, backward=not ahead
                )
                self.refers_back |= look.refers_back
            case Assertion(kind=kind):
                self._add("edge").text = kind
            case BackReference(number=number):
                self.refers_back = True
                self._add("back", number)

    def _emit_choice(self, options: tuple[Regex, ...]) -> None:
        jumps = []
        for option in options[:-1]:
            split = self._add("split")
            split.first = len(self.instructions)
            self._emit(option)
            jumps.append(self._add("jump"))
            split.second = len(self.instructions)
        self._emit(options[-1])
        for jump in jumps:
            jump.first = len(self.instructions)

    def _emit_repeat(self, tree: Repetition) -> None:
        for _ in range(tree.least):
            self._emit_round(tree.body)
        if tree.most is None:
            start = len(self.instructions)
            split = self._add("split")
            self._emit_checked(tree.body)
            self._add("jump", start)
            self._aim(split, start + 1, len(self.instructions), tree.greedy)
            return
        splits = []
        for _ in range(tree.most - tree.least):
            splits.append((len(self.instructions), self._add("split")))
            self._emit_checked(tree.body)
        for start, split in splits:
            self._aim(split, start + 1, len(self.instructions), tree.greedy)

    def _emit_checked(self, body: Regex) -> None:
        """Emit one round that is refused if it matches nothing."""
        if not _may_be_empty(body):
            self._emit_round(body)
            return
        mark = 1 << self._marks
        self._marks += 1
        self._add("mark", mark)
        self._emit_round(body)
        self._add("progress", mark)

    def _emit_round(self, body: Regex) -> None:
        """Emit one round; groups in it forget what they caught in the round before."""
        low, high = _group_range(body)
        if high:
            self._add("clear", 2 * low, 2 * high + 2)
        self._emit(body)

    @staticmethod
    def _aim(split: Instruction, into: int, past: int, greedy: bool) -> None:
        split.first, split.second = (into, past) if greedy else (past, into)


def _may_be_empty(tree: Regex) -> bool:
    match tree:
        case Characters():
            return False
        case Concatenation(items=items):
            return all(map(_may_be_empty, items))
        case Alternation(options=options):
            return any(map(_may_be_empty, options))
        case CapturingGroup(body=body):
            return _may_be_empty(body)
        case Repetition(body=body, least=least):
            return least == 0 or _may_be_empty(body)
    return True


def _group_range(tree: Regex) -> tuple[int, int]:
    """Return the first and the last group inside; (0, 0) if there is none."""
    match tree:
        case CapturingGroup(number=number, body=body):
            return number, max(number, _group_range(body)[1])
        case Concatenation(items=parts) | Alternation(options=parts):
            ranges = [span for span in map(_group_range, parts) if span[1]]
            return (ranges[0][0], ranges[-1][1]) if ranges else (0, 0)
        case Repetition(body=body) | Lookaround(body=body):
            return _group_range(body)
    return 0, 0


# -- running a program

Spans = tuple[int, ...]
"""Where each group starts and ends, two by two; -1 where it took no part."""
Tick = Callable[[int], None]
"""Takes the number of steps since the last call; may raise to end the search."""
Thread = tuple[int, int, int]
"""A place in the program, a place in the text, and the marks since which nothing was matched."""

_STEPS_BETWEEN_TICKS: Final = 256


def search(program: RegexProgram, text: str, start: int, tick: Tick) -> Spans | None:
    """Return the first match from an offset on."""
    been: set[Thread] = set()
    nothing = (-1,) * (2 * program.groups + 2)
    at = start
    while at <= len(text):
        if program.first is not None:
            first = program.first.search(text, at)
            if first is None:
                return None
            tick((first.start() - at) >> 7)
            at = first.start()
        spans = match(program, text, at, tick, nothing, been)
        if spans is not None:
            return spans
        at += 1
    return None


def match(
    program: RegexProgram, text: str, start: int, tick: Tick, spans: Spans, been: set[Thread]
) -> Spans | None:
    """Return the match at exactly this place; ``been``: where threads were that led to none."""
    instructions, backward = program.instructions, program.backward
    waiting: list[tuple[int, int, int, Spans]] = []
    weight = 1 + len(spans) // 32
    each = 3 if "i" in program.flags else 1
    pc, at, idle, steps = 0, start, 0, 0
    while True:
        steps += each
        if steps >= _STEPS_BETWEEN_TICKS:
            tick(steps)
            steps = 0
        instruction = instructions[pc]
        match instruction.operation:
            case "character":
                place = at - 1 if backward else at
                if 0 <= place < len(text) and _accepts(program, instruction, text[place]):
                    at += -1 if backward else 1
                    pc += 1
                    idle = 0
                    continue
            case "split":
                thread = pc, at, idle
                if thread not in been:
                    if not program.refers_back:
                        been.add(thread)
                    waiting.append((instruction.second, at, idle, spans))
                    pc = instruction.first
                    continue
            case "jump":
                pc = instruction.first
                continue
            case "save":
                index = instruction.first
                spans = (*spans[:index], at, *spans[index + 1 :])
                steps += weight
                pc += 1
                continue
            case "clear":
                low, high = instruction.first, instruction.second
                spans = (*spans[:low], *(-1,) * (high - low), *spans[high:])
                steps += weight
                pc += 1
                continue
            case "mark":
                idle |= instruction.first
                pc += 1
                continue
            case "progress":
                if not idle & instruction.first:
                    pc += 1
                    continue
            case "edge":
                if _is_edge(program, instruction.text, text, at):
                    pc += 1
                    continue
            case "look":
                looked = _look(instruction, text, at, spans, tick)
                if looked is not None:
                    spans = looked
                    pc += 1
                    continue
            case "back":
                end = _back(program, instruction.first, text, at, spans)
                if end is not None:
                    idle = idle if end == at else 0
                    at = end
                    pc += 1
                    continue
            case "match":
                if at == len(text) or not program.whole:
                    tick(steps)
                    return (start, at, *spans[2:])
        if not waiting:
            tick(steps)
            return None
        pc, at, idle, spans = waiting.pop()


def _accepts(program: RegexProgram, instruction: Instruction, character: str) -> bool:
    if _is_in(instruction.ranges, character):
        return True
    if "i" not in program.flags:
        return False
    others = {character.lower(), character.upper(), character.swapcase()} - {character}
    return any(len(other) == 1 and _is_in(instruction.ranges, other) for other in others)


def _is_edge(program: RegexProgram, kind: str, text: str, at: int) -> bool:
    if kind == "^":
        return at == 0 or ("m" in program.flags and _is_in(LINE_END_CHARACTERS, text[at - 1]))
    if kind == "$":
        return at == len(text) or ("m" in program.flags and _is_in(LINE_END_CHARACTERS, text[at]))
    before = at > 0 and _is_in(WORD_CHARACTERS, text[at - 1])
    after = at < len(text) and _is_in(WORD_CHARACTERS, text[at])
    return (before != after) == (kind == "b")


def _look(instruction: Instruction, text: str, at: int, spans: Spans, tick: Tick) -> Spans | None:
    assert instruction.look is not None
    looked = match(instruction.look, text, at, tick, spans, set())
    if instruction.flag:
        return spans if looked is None else None
    return None if looked is None else (*spans[:2], *looked[2:])


def _back(program: RegexProgram, number: int, text: str, at: int, spans: Spans) -> int | None:
    low, high = spans[2 * number], spans[2 * number + 1]
    caught = text[low:high] if low >= 0 and high >= 0 else ""
    start = at - len(caught) if program.backward else at
    here = text[start : start + len(caught)] if start >= 0 else None
    same = here == caught or (
        "i" in program.flags and here is not None and here.lower() == caught.lower()
    )
    if not same:
        return None
    return start if program.backward else at + len(caught)


def _is_in(ranges: Ranges, character: str) -> bool:
    code = ord(character)
    return any(low <= code <= high for low, high in ranges)
