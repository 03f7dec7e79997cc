"""Resource → callable: the user's own functions, found by name, resource or state.

| given as | answers |
|---|---|
| function `name` of a `.py` file, module or dict | the Lambda function `name` (`-` counts as `_`) |
| `folder/name.py` with `handler(event, context)` | the same; loaded when first called |
| `@doorstep.handler("…")`, a dict's key | that state, ARN or `service:action` |
| the key `*` of a dict | whatever nothing else answers |
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from ..engine import Invoke
from ..errors import HandlerLoadError, is_interrupt, message_of
from ..model import Integration, function_name, integration

Handler = Callable[..., Any]
OneSource = Mapping[str, Handler] | ModuleType | str | Path
Source = OneSource | Sequence[OneSource]
"""Handlers as they are given: one source, or several of which later ones come first."""
F = TypeVar("F", bound=Handler)
_MARK = "__doorstep_handles__"
_ENTRY_POINTS = ("handler", "lambda_handler")


def handler(*names: str) -> Callable[[F], F]:
    """Mark a function as the handler of states or resources (an ARN or `service:action`)."""

    def mark(function: F) -> F:
        setattr(function, _MARK, (*getattr(function, _MARK, ()), *names))
        return function

    return mark


class Handlers:
    """A set of handlers, looked up by what a task says of itself."""

    def __init__(self, source: Source | None = None) -> None:
        """Open the sources; raise HandlerLoadError when one does not load."""
        self._sources = [_opened(one) for one in reversed(several(source))]

    def find(self, invoke: Invoke) -> Handler | None:
        """Return the handler of a task; raise HandlerLoadError when its file can't be loaded."""
        called = _called(invoke.integration, invoke.arguments)
        names = _spelled_names(invoke.state, invoke.resource, called)
        for source in self._sources:
            if function := source.find(names):
                return function
        return self.by_name("*")

    def by_name(self, name: str) -> Handler | None:
        """Return what answers to a name, such as a function's."""
        names = _spelled((name,))
        return next((one for each in self._sources if (one := each.find(names))), None)

    @property
    def described(self) -> str:
        """What was given, for the message that something is missing."""
        return "; ".join(one.described for one in self._sources) or "no handlers were given"


def several(source: Source | None) -> Sequence[OneSource]:
    """Return the sources one by one."""
    if isinstance(source, Sequence) and not isinstance(source, str):
        return source
    return [] if source is None else [source]


class _Functions:
    """Functions by their names, of a dict or a module."""

    def __init__(self, functions: Mapping[str, Handler], described: str) -> None:
        self._functions = functions
        self.described = described

    def find(self, names: Iterable[str]) -> Handler | None:
        known = self._functions
        for name in names:
            if function := known.get(name):
                return function
        return None


class _Folder:
    """A folder: a file for each function, and functions that are marked in any of its files."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._loaded: dict[str, Handler] = {}
        self._marked: dict[str, Handler] | None = None

    @property
    def described(self) -> str:
        others = sorted(one.name for one in self._path.glob("*.js"))
        hint = f"; of {', '.join(others[:3])} only a project runs the code" if others else ""
        return f"the handlers are the Python files of {self._path}{hint}"

    def find(self, names: Iterable[str]) -> Handler | None:
        names = tuple(names)
        for name in names:
            if function := self._loaded.get(name) or self._file(name):
                self._loaded[name] = function
                return function
        if self._marked is None:
            self._marked = self._marks()
        return next((self._marked[name] for name in names if name in self._marked), None)

    def _file(self, name: str) -> Handler | None:
        if not name.replace("-", "_").isidentifier():
            return None
        for stem in (name, name.replace("-", "_")):
            path = self._path / f"{stem}.py"
            if path.is_file():
                return _entry_point(load_file(path), path)
        return None

    def _marks(self) -> dict[str, Handler]:
        """Return what the files mark with `@doorstep.handler`; others are not loaded."""
        marked: dict[str, Handler] = {}
        for path in sorted(self._path.glob("*.py")):
            if b"doorstep" in path.read_bytes():
                marked |= _marks_of(load_file(path))
        return marked


def _opened(source: OneSource) -> _Functions | _Folder:
    match source:
        case ModuleType():
            return _of_module(source)
        case Mapping():
            return _Functions(source, f"the handlers given are {', '.join(source) or 'none'}")
    path = Path(source)
    return _Folder(path) if path.is_dir() else _of_module(load(str(source)))


def _of_module(module: ModuleType) -> _Functions:
    functions = {
        name: function
        for name, function in vars(module).items()
        if name[0] != "_" and _is_function(function) and _is_own(function, module)
    }
    functions |= _marks_of(module)
    names = ", ".join(functions) or "no functions"
    return _Functions(functions, f"{getattr(module, '__file__', module.__name__)} has {names}")


def _marks_of(module: ModuleType) -> dict[str, Handler]:
    """Return the marked functions of a module by their marks: those that begin with `_`, too."""
    return {
        key: function
        for function in vars(module).values()
        if _is_function(function)
        for key in getattr(function, _MARK, ())
    }


def _is_function(value: Any) -> bool:
    return callable(value) and not isinstance(value, type)


def _is_own(function: Any, module: ModuleType) -> bool:
    return getattr(function, "__module__", None) == module.__name__


def names_of(invoke: Invoke) -> tuple[str, ...]:
    """Return the names that a task's handler is looked for by, the most particular first."""
    called = _called(invoke.integration, invoke.arguments)
    return _names(invoke.state, invoke.resource, called)


def names_by(state: str, resource: str, arguments: Any) -> tuple[str, ...]:
    """Return the same for what a state calls with some arguments."""
    return _names(state, resource, _called(integration(resource), arguments))


def _called(task: Integration, arguments: Any) -> str:
    """Return the function that `lambda:invoke` calls."""
    if task.action == "lambda:invoke" and isinstance(arguments, dict):
        return str(arguments.get("FunctionName", ""))
    return ""


@lru_cache(maxsize=1024)
def _names(state: str, resource: str, called: str) -> tuple[str, ...]:
    task = integration(resource)
    if task.kind != "service":
        return state, resource, function_name(resource), resource.rpartition(":")[2]
    of_function = (called, function_name(called)) if called else ()
    service = f"{task.resource_type}:{task.resource}", task.action
    return state, resource, *of_function, *service


@lru_cache(maxsize=1024)
def _spelled_names(state: str, resource: str, called: str) -> tuple[str, ...]:
    return _spelled(_names(state, resource, called))


def _spelled(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names, each with `_` for `-` as well, as functions of Python are called."""
    return tuple(dict.fromkeys(one for name in names for one in (name, name.replace("-", "_"))))


def missing(invoke: Invoke, described: str) -> str:
    """Return the message that a task has no handler, with the ways to add one.

    Fact 103: what nobody answers fails, it does not succeed.
    """
    key = (
        function_name(_called(invoke.integration, invoke.arguments))
        or invoke.integration.action
        or function_name(invoke.resource)
    )
    function = key.replace("-", "_")
    is_service = invoke.integration.kind == "service" and key == invoke.integration.action
    marked = f"a function with @doorstep.handler({key!r}) in the file given by --handlers"
    if function.isidentifier():
        second = (
            f"a function {function}(event, context) there, or a file {function}.py with "
            "handler(event, context) in a folder given by --handlers"
        )
    else:
        second = f"a function with @doorstep.handler({invoke.state!r}) there: by the state's name"
    machine = ""
    if invoke.integration.action in ("states:startExecution", "aws-sdk:sfn:startExecution"):
        machine = (
            " Or let it start the state machine: --state-machine NAME=FILE (--machine before), in "
            "Python state_machines={NAME: definition}."
        )
    return (
        f"The state '{invoke.state}' calls {invoke.resource}, and no handler answers it "
        f"({described}). Give it one of these: (1) {marked}; (2) {second}; "
        f"(3) in Python, handlers={{{key!r}: function}}, or by the state's name"
        f"{'; (4) --services moto, a local stand-in of AWS' if is_service else ''}.{machine}"
    )


def load(source: str) -> ModuleType:
    """Import a Python file (`.py`) by its path, or a module by its name.

    Raises HandlerLoadError when there is none or it does not load.
    """
    path = Path(source)
    if path.suffix != ".py" and path.is_file():
        language = _LANGUAGES.get(path.suffix, f"a {path.suffix or 'nameless'} file")
        raise HandlerLoadError(
            f"{path} is {language}, and handlers are Python; functions in other languages run "
            "from the template that describes them (`doorstep run template.yaml`)"
        )
    return load_file(path) if path.suffix == ".py" else _import(source)


_LANGUAGES = {
    **dict.fromkeys((".js", ".mjs", ".cjs"), "JavaScript"),
    **dict.fromkeys((".ts", ".mts", ".cts"), "TypeScript"),
}


def load_file(path: Path) -> ModuleType:
    """Import a Python file by its path; its folder can be imported from.

    Raises HandlerLoadError with file and line when there is no such file or it does not load.
    """
    if not path.is_file():
        raise HandlerLoadError(f"there is no handler file {path}")
    name = f"doorstep_handlers_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None:
        raise HandlerLoadError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as problem:
        del sys.modules[name]
        if is_interrupt(problem):
            raise
        raise HandlerLoadError(_load_problem(path, problem)) from problem
    return module


def _import(name: str) -> ModuleType:
    nothing = f"there is no handler file, folder or module {name!r} (looked in {Path.cwd()})"
    if name.startswith(".") or Path(name).name != name:
        raise HandlerLoadError(nothing)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as problem:
        if problem.name and name.startswith(problem.name):
            raise HandlerLoadError(nothing) from None
        raise HandlerLoadError(f"{name} does not load: {problem}") from problem
    except BaseException as problem:
        if is_interrupt(problem):
            raise
        raise HandlerLoadError(_load_problem(Path(name), problem)) from problem


def _load_problem(path: Path, problem: BaseException) -> str:
    if isinstance(problem, SyntaxError):
        caret = " " * ((problem.offset or 1) - 1) + "^"
        source = (problem.text or "").rstrip("\n")
        return (
            f"{problem.filename or path}, line {problem.lineno}: {problem.msg}\n{source}\n{caret}"
        )
    where = traceback.extract_tb(problem.__traceback__)[-1]
    return f"{where.filename}, line {where.lineno}: {type(problem).__name__}: {message_of(problem)}"


def _entry_point(module: ModuleType, path: Path) -> Handler:
    for name in _ENTRY_POINTS:
        function = getattr(module, name, None)
        if callable(function):
            return function  # type: ignore[no-any-return]
    raise HandlerLoadError(f"{path} has no function handler(event, context)")
