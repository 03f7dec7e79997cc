"""A machine for regular expressions that counts its steps, and takes no way twice.

A pattern becomes a list of instructions. A thread is a place in the program and in the text, with
what the groups have caught; of two ways on, one is followed, the other waits. Where a
thread has been, no other need go, since it would fail there as well: the steps are at most as many
as the text is long times the program. Only what a back reference means depends on the way there;
such patterns may take exponential time, until ``tick`` ends them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .regex_nodes import LINE_END_CHARACTERS, WORD_CHARACTERS, Ranges
from .regex_program import Instruction, Program

Spans = tuple[int, ...]
"""Where each group starts and ends, two by two; -1 where it took no part."""
Tick = Callable[[int], None]
"""Takes the number of steps since the last call; may raise to end the search."""
Thread = tuple[int, int, int]
"""A place in the program, a place in the text, and the marks since which nothing was matched."""

_STEPS_BETWEEN_TICKS: Final = 256


def search(program: Program, text: str, start: int, tick: Tick) -> Spans | None:
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
    program: Program, text: str, start: int, tick: Tick, spans: Spans, been: set[Thread]
) -> Spans | None:
    """Return the match at exactly this place; ``been``: where threads were that led to none."""
    instructions, backward = program.instructions, program.backward
    waiting: list[tuple[int, int, int, Spans]] = []
    weight = 1 + len(spans) // 32
    each = 3 if program.ignore_case else 1
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


def _accepts(program: Program, instruction: Instruction, character: str) -> bool:
    if _is_in(instruction.ranges, character):
        return True
    if not program.ignore_case:
        return False
    others = {character.lower(), character.upper(), character.swapcase()} - {character}
    return any(len(other) == 1 and _is_in(instruction.ranges, other) for other in others)


def _is_edge(program: Program, kind: str, text: str, at: int) -> bool:
    if kind == "^":
        return at == 0 or (program.multiline and _is_in(LINE_END_CHARACTERS, text[at - 1]))
    if kind == "$":
        return at == len(text) or (program.multiline and _is_in(LINE_END_CHARACTERS, text[at]))
    before = at > 0 and _is_in(WORD_CHARACTERS, text[at - 1])
    after = at < len(text) and _is_in(WORD_CHARACTERS, text[at])
    return (before != after) == (kind == "b")


def _look(instruction: Instruction, text: str, at: int, spans: Spans, tick: Tick) -> Spans | None:
    assert instruction.look is not None
    looked = match(instruction.look, text, at, tick, spans, set())
    if instruction.flag:
        return spans if looked is None else None
    return None if looked is None else (*spans[:2], *looked[2:])


def _back(program: Program, number: int, text: str, at: int, spans: Spans) -> int | None:
    low, high = spans[2 * number], spans[2 * number + 1]
    caught = text[low:high] if low >= 0 and high >= 0 else ""
    start = at - len(caught) if program.backward else at
    here = text[start : start + len(caught)] if start >= 0 else None
    same = here == caught or (
        program.ignore_case and here is not None and here.lower() == caught.lower()
    )
    if not same:
        return None
    return start if program.backward else at + len(caught)


def _is_in(ranges: Ranges, character: str) -> bool:
    code = ord(character)
    return any(low <= code <= high for low, high in ranges)
