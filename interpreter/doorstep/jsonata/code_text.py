"""Text of a Python function in the making: lines, names and constants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from .compiler import Compiler
from .nodes import Node
from .values import Value

STOP: Final = "raise JSONataError('U1001')"
"""Leaves the function: the closures then say what comes out."""
BOOLEAN, MAYBE, WHOLE, NUMBER, TEXT, ANY = "bBinsx"
"""What is known of a value: a boolean; one or missing; an integer of at most 53 bits; a number or
missing; a text; nothing."""

Write = Callable[[str, str], None]


class Unfit(Exception):  # noqa: N818  a message to what is around, not an error
    """A node that stays a closure together with what is around it."""


class Text:
    """The statements so far, and what is known of the names in them."""

    def __init__(self, tree: Node, compiler: Compiler) -> None:
        self.constants: list[Value] = []
        self.deepest = 0
        self._tree = tree
        self._compiler = compiler
        self._lines: list[str] = []
        self._indent = 2
        self._depth = 0
        self._context = "context"
        self._scope: dict[str, str] = {}
        self._free: dict[str, str] = {}
        self._kinds: dict[str, str] = {}
        self._names = 0

    def _value(self, node: Node, level: int, context: str | None = None) -> str:
        """Write what evaluates a node, in a context of its own if there is one; name its value."""
        raise NotImplementedError

    def _write(self, *lines: str) -> None:
        self._lines += [" " * self._indent + line for line in lines]

    @contextmanager
    def _under(self, head: str) -> Iterator[None]:
        """Write what stands in the block of a statement."""
        self._write(head)
        self._indent += 1
        yield
        self._indent -= 1

    def _name(self) -> str:
        self._names += 1
        return f"t{self._names}"

    def _assign(self, text: str, kind: str = ANY) -> str:
        name = self._name()
        self._write(f"{name} = {text}")
        self._kinds[name] = kind
        return name

    def _constant(self, value: Value, kind: str = ANY) -> str:
        self.constants.append(value)
        name = f"k{len(self.constants) - 1}"
        self._kinds[name] = kind
        return name

    def _kind(self, name: str) -> str:
        return self._kinds.get(name, ANY)

    def _truth(self, name: str) -> str:
        kind = self._kind(name)
        if kind == BOOLEAN:
            return name
        return f"({name} is True)" if kind == MAYBE else f"truthy({name}, run)"

    def _as_list(self, name: str) -> str:
        return self._assign(f"{name} if isinstance({name}, list) else [{name}]")

    def _charge(self, steps: str) -> None:
        """Count steps before what takes them is begun."""
        self._write(f"run.left -= {steps}", f"if run.left < 0: {STOP}")

    def _each(self, items: str, write: Write, steps: int) -> None:
        """Write a loop over items, so many steps each; ``write`` gets the item and its place."""
        item, place = self._name(), self._name() + "_"
        self._charge(f"len({items}) * {steps}")
        head = len(self._lines)
        with self._under(""):
            write(item, place)
        counted = any(place in line for line in self._lines[head:])
        of = f"{place}, {item} in enumerate({items})" if counted else f"{item} in {items}"
        self._lines[head] = f"{' ' * self._indent}for {of}:"
