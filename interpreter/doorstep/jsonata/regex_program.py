"""Regular expressions compiled to programs: lists of instructions for `regex_machine`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from .regex_nodes import (
    Back,
    Chain,
    Characters,
    Choice,
    Edge,
    Group,
    Look,
    Ranges,
    Regex,
    RegexError,
    Repeat,
)
from .regex_python import class_of

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
    look: Program | None = None
    text: str = ""
    flag: bool = False


class Program:
    """A compiled pattern; ``whole``: it has to match up to the end of the text."""

    def __init__(
        self,
        tree: Regex,
        groups: int,
        *,
        ignore_case: bool,
        multiline: bool,
        backward: bool = False,
        whole: bool = False,
    ) -> None:
        self.groups = groups
        self.ignore_case = ignore_case
        self.multiline = multiline
        self.backward = backward
        self.whole = whole
        self._marks = 0
        self.refers_back = False
        self.instructions: list[Instruction] = []
        self._emit(tree)
        self._add("match")
        first = None if ignore_case or backward else self._first_ranges()
        self.first = re.compile(class_of(first)) if first is not None else None
        """One of the characters that a match can start with; None: any, or none at all."""

    def _first_ranges(self) -> Ranges | None:
        """The characters that can come first; None if a match can go on without one."""
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
            case Chain(items=items):
                for item in reversed(items) if self.backward else items:
                    self._emit(item)
            case Choice(options=options):
                self._emit_choice(options)
            case Group(number=number, body=body):
                self._add("save", 2 * number + self.backward)
                self._emit(body)
                self._add("save", 2 * number + (not self.backward))
            case Repeat():
                self._emit_repeat(tree)
            case Look(body=body, ahead=ahead, negated=negated):
                instruction = self._add("look")
                instruction.flag = negated
                instruction.look = look = Program(
                    body,
                    self.groups,
                    ignore_case=self.ignore_case,
                    multiline=self.multiline,
                    backward=not ahead,
                )
                self.refers_back |= look.refers_back
            case Edge(kind=kind):
                self._add("edge").text = kind
            case Back(number=number):
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

    def _emit_repeat(self, tree: Repeat) -> None:
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
        """One round that is refused if it matches nothing."""
        if not _may_be_empty(body):
            self._emit_round(body)
            return
        mark = 1 << self._marks
        self._marks += 1
        self._add("mark", mark)
        self._emit_round(body)
        self._add("progress", mark)

    def _emit_round(self, body: Regex) -> None:
        """One round; groups in it forget what they caught in the round before."""
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
        case Chain(items=items):
            return all(map(_may_be_empty, items))
        case Choice(options=options):
            return any(map(_may_be_empty, options))
        case Group(body=body):
            return _may_be_empty(body)
        case Repeat(body=body, least=least):
            return least == 0 or _may_be_empty(body)
    return True


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
