#!/usr/bin/env python3
"""Write docs/api.md from the docstrings of everything public: `python3 dev.py api`.

Public is what the `__all__` of the packages in PACKAGES names, the options and fixtures of the
pytest plugin, and of a class the members whose names do not begin with an underscore.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Unpack, get_args, get_origin, get_type_hints, is_typeddict

PAGE = Path(__file__).with_name("api.md")
PACKAGES = {
    "doorstep": "Run, test, replay and explore state machines.",
    "doorstep.testing": "Mocks, and what the fixtures of the pytest plugin hand out.",
    "doorstep.services": "AWS services around executions of a program of your own.",
    "doorstep.jsonata": "JSONata by itself.",
    "doorstep_emulator": "The server in a program of your own.",
    "doorstep_conformance": "Cases recorded on AWS, run and judged.",
}
PLUGIN = "doorstep.pytest_plugin"
HEAD = (
    "# API\n\n"
    "Everything that is public, from its docstrings; `python3 dev.py api` writes this page. What is"
    " not here, and every name\nthat begins with an underscore, is internal and may change in any"
    " release ([RELEASING.md](../RELEASING.md))."
)
WIDTH = 100
FACTS = re.compile(r"\b[Ff]acts? \d+(?:(?:, | and | to )\d+)*")


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the whole page."""
    parts = [HEAD, contents()]
    for name, purpose in PACKAGES.items():
        module = import_module(name)
        parts.append(f"## {name}\n\n{purpose}")
        parts += [entry(name, public, getattr(module, public)) for public in exported(module)]
    parts.append(plugin())
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def contents() -> str:
    """Return the list of the packages and their names, each a link to its entry."""
    rows = []
    for package in PACKAGES:
        names = exported(import_module(package))
        links = ", ".join(f"[{name}](#{anchor(package, name)})" for name in names)
        rows.append(f"| [{package}](#{heading_anchor(package)}) | {links} |")
    rows.append(f"| [pytest](#{heading_anchor(PLUGIN)}) | options and fixtures |")
    return "| package | names |\n|---|---|\n" + "\n".join(rows)


def exported(module: ModuleType) -> list[str]:
    """Return the public names of a package: functions first, then classes, then values."""

    def order(name: str) -> tuple[int, str]:
        value = getattr(module, name)
        return (0 if inspect.isfunction(value) else 1 if inspect.isclass(value) else 2, name)

    names = [name for name in module.__all__ if not inspect.ismodule(getattr(module, name))]
    return sorted(names, key=order)


def anchor(package: str, name: str) -> str:
    """Return a name's anchor; `answer` and `Answer` differ where case does not count."""
    kind = "class-" if name[0].isupper() and not name.isupper() else ""
    return f"{package}.{kind}{name.lower()}".replace(".", "-")


def heading_anchor(text: str) -> str:
    """Return the anchor that a heading gets where Markdown is shown as HTML."""
    return "".join(c for c in text.lower() if c.isalnum() or c in "_-")


def entry(package: str, name: str, value: Any) -> str:
    """Return what the page says about one public name."""
    head = f'### <a id="{anchor(package, name)}"></a>{name}'
    if inspect.isclass(value):
        return f"{head}\n\n{class_text(name, value)}"
    if inspect.isfunction(value):
        return f"{head}\n\n{code(signature(name, value))}\n\n{doc(value)}{options_of(value)}"
    if isinstance(value, Path):
        return f"{head}\n\nA `Path`."
    return f"{head}\n\nThe one value of type `{type(value).__name__}`.\n\n{doc(type(value))}"


def class_text(name: str, value: type) -> str:
    """Return a class's signature or bases, its docstring and its public members."""
    bases = [base.__name__ for base in value.__bases__ if base is not object]
    shown = f"class {name}" + (f"({', '.join(bases)})" if bases else "")
    if constructs(value):
        shown = signature(f"class {name}", value)
    rows = [f"| {label} | {first_line(text)} |" for label, text in members(value)]
    table = "\n\n| member | |\n|---|---|\n" + "\n".join(rows) if rows else ""
    return f"{code(shown)}\n\n{doc(value)}{table}{options_of_methods(value)}"


def options_of_methods(value: type) -> str:
    """Return the options of a class's methods, once for all methods that have the same."""
    methods = [member for member in vars(value).values() if inspect.isfunction(member)]
    public = [method for method in methods if not method.__name__.startswith("_")]
    return "".join(dict.fromkeys(options_of(method) for method in public))


def constructs(value: type) -> bool:
    """Whether users make objects of the class: one whose constructor takes public data alone."""
    if issubclass(value, BaseException) and value.__init__ is BaseException.__init__:
        return False
    try:
        parameters = inspect.signature(value).parameters.values()
    except ValueError:
        return False
    public = [name for name in (one.name for one in parameters) if not name.startswith("_")]
    return "__dataclass_fields__" in vars(value) and 0 < len(parameters) == len(public)


def members(value: type) -> Iterator[tuple[str, str]]:
    """Yield the public members of a class, those of its bases in Doorstep too, with docstrings."""
    seen: set[str] = set()
    for owner in value.__mro__:
        if not owner.__module__.startswith("doorstep"):
            continue
        described = attribute_docs(owner)
        for name, member in vars(owner).items():
            function = getattr(member, "__func__", member)
            if name.startswith("_") or name in seen:
                continue
            if isinstance(member, property):
                seen.add(name)
                yield f"`{name}`{returned(member.fget)}", inspect.getdoc(member) or ""
            elif inspect.isfunction(function):
                seen.add(name)
                yield f"`{signature(name, function, method=True)}`", inspect.getdoc(function) or ""
        for name, text in described.items():
            # What the constructor names and nothing more is said of stands above already.
            if not name.startswith("_") and name not in seen and (text or not constructs(value)):
                seen.add(name)
                yield f"`{name}`", text


def returned(function: Any) -> str:
    kind = getattr(function, "__annotations__", {}).get("return")
    return f" → `{cell(type_text(kind))}`" if kind else ""


def attribute_docs(value: type) -> dict[str, str]:
    """Return the annotated attributes of a class body with the text that stands below each."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(value)))
    except (OSError, TypeError):
        return {}
    body = getattr(tree.body[0], "body", [])
    texts: dict[str, str] = {}
    for statement, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            texts[statement.target.id] = literal(following)
    return texts


def literal(statement: ast.stmt | None) -> str:
    """Return the text of a statement that is nothing but a text."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return str(statement.value.value)
    return ""


def signature(name: str, value: Any, method: bool = False) -> str:
    """Return a call as its declaration has it, one parameter a line where it would be long."""
    declared = inspect.signature(value)
    shown = list(declared.parameters.values())
    if method and shown and shown[0].name in ("self", "cls"):
        shown = shown[1:]
    parts = spelled(shown)
    back = declared.return_annotation
    tail = "" if back is inspect.Signature.empty or method else f" -> {type_text(back)}"
    if inspect.isclass(value):
        tail = ""
    line = f"{name}({', '.join(parts)}){tail}"
    if method or len(line) <= WIDTH:
        return cell(line) if method else line
    return f"{name}(\n" + "".join(f"    {part},\n" for part in parts) + f"){tail}"


def spelled(parameters: list[inspect.Parameter]) -> list[str]:
    """Return the parameters as they are written, with the marks of Python between them."""
    parts: list[str] = []
    starred = False
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        starred = starred or parameter.kind is parameter.VAR_POSITIONAL
        parts.append(parameter_text(parameter))
    return parts


def parameter_text(parameter: inspect.Parameter) -> str:
    text = parameter.name
    if parameter.kind is parameter.VAR_POSITIONAL:
        text = "*" + text
    elif parameter.kind is parameter.VAR_KEYWORD:
        text = "**" + text
    annotated = parameter.annotation is not inspect.Parameter.empty
    if annotated:
        text += f": {type_text(parameter.annotation)}"
    if parameter.default is inspect.Parameter.empty:
        return text
    default = value_text(parameter.default)
    return f"{text} = {default}" if annotated else f"{text}={default}"


def value_text(value: Any) -> str:
    """Return a default value without what differs between runs and Python versions."""
    text = repr(value)
    return "…" if " object at 0x" in text or text.startswith("<") else text


def type_text(kind: Any) -> str:
    return kind if isinstance(kind, str) else str(inspect.formatannotation(kind))


def options_of(function: Any) -> str:
    """Return the options behind `**options: Unpack[…]`, with their types."""
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD and "Unpack[" in str(parameter.annotation):
            options = unpacked(function, parameter.name)
            rows = [f"| `{name}` | `{kind}` |" for name, kind in options]
            return "\n\n| option | type |\n|---|---|\n" + "\n".join(rows)
    return ""


def unpacked(function: Any, name: str) -> list[tuple[str, str]]:
    """Return the fields of the TypedDict that a function's keyword options are."""
    hint = get_type_hints(function)[name]
    (options,) = get_args(hint) if get_origin(hint) is Unpack else (hint,)
    if not is_typeddict(options):
        raise TypeError(f"{function.__name__}: {options!r} is not a TypedDict")
    return [
        (field, getattr(kind, "__forward_arg__", type_text(kind)).replace("|", "\\|"))
        for field, kind in options.__annotations__.items()
    ]


def doc(value: Any) -> str:
    """Return a docstring as Markdown: rows of tables whole, facts with links."""
    text = re.sub(r"(?m)^(\|.*[^|\n])\n +(?=\S)", r"\1 ", inspect.getdoc(value) or "")
    return FACTS.sub(lambda match: linked(match[0]), text)


def linked(citation: str) -> str:
    """Return "facts 12 and 13" with each number leading to its entry in docs/facts."""
    return re.sub(r"\d+", lambda number: f"[{number[0]}]({fact_page(number[0])})", citation)


@cache
def fact_page(number: str) -> str:
    for page in sorted((PAGE.parent / "facts").glob("*.md")):
        if f'id="fact-{number}"' in page.read_text("utf-8"):
            return f"facts/{page.name}#fact-{number}"
    raise LookupError(f"there is no fact {number} in docs/facts")


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def first_line(text: str) -> str:
    """Return the first paragraph of a docstring as a table's cell."""
    return cell(" ".join(text.split("\n\n", maxsplit=1)[0].split()))


def code(text: str) -> str:
    return f"```python\n{text}\n```"


def plugin() -> str:
    """Return the options and the fixtures of the pytest plugin, read off its source."""
    folder = Path(import_module(PLUGIN).__file__ or "").parent
    trees = [ast.parse(path.read_text("utf-8")) for path in sorted(folder.glob("*.py"))]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    options = [f"| `{name}` | {text} |" for name, text in map(option, nodes) if name]
    fixtures = [fixture(node) for node in nodes if isinstance(node, ast.FunctionDef)]
    classes = [entry(PLUGIN, name, value) for name, value in sorted(fixture_classes(nodes).items())]
    return (
        f"## {PLUGIN}\n\npytest loads it by itself (docs/testing.md).\n\n"
        "| option | |\n|---|---|\n"
        + "\n".join(options)
        + "\n\n| fixture | |\n|---|---|\n"
        + "\n".join(row for row in fixtures if row)
        + "".join(f"\n\n{text}" for text in classes)
    )


def fixture_classes(nodes: list[ast.AST]) -> dict[str, type]:
    """Return the classes of the objects that tests get from fixtures."""
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    returned_names = {
        name.id
        for node in nodes
        if isinstance(node, ast.FunctionDef) and fixture(node) and node.returns
        for name in ast.walk(node.returns)
        if isinstance(name, ast.Name)
    }
    classes: dict[str, type] = {}
    for node in imports:
        for alias in node.names:
            if alias.name in returned_names and node.level == 2:
                classes[alias.name] = getattr(import_module(f"doorstep.{node.module}"), alias.name)
    return classes


READ = ("default", "help", "metavar")
"""What is read of an option's declaration."""


def option(node: ast.AST) -> tuple[str, str]:
    """Return the name and the help of an option that `addoption` declares."""
    if not (isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "addoption"):
        return "", ""
    name = str(ast.literal_eval(node.args[0]))
    values = {word.arg: word.value for word in node.keywords}
    literals = {word: ast.literal_eval(value) for word, value in values.items() if word in READ}
    metavar = f" {literals['metavar']}" if "metavar" in literals else ""
    text = literals["help"].replace("%(default)s", str(literals.get("default")))
    return (name + metavar).replace("|", "\\|"), first_line(text)


def fixture(node: ast.FunctionDef) -> str:
    """Return the row of a fixture; empty for other functions and for those of other fixtures."""
    if node.name.startswith("_") or not any(
        "fixture" in ast.unparse(decorator) for decorator in node.decorator_list
    ):
        return ""
    kind = ast.unparse(node.returns).replace("|", "\\|") if node.returns else ""
    return f"| `{node.name}` → `{kind}` | {first_line(ast.get_docstring(node) or '')} |"


if __name__ == "__main__":
    main()
