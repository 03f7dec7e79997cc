"""The language server: from the protocol's messages to the modules beside this one, and back.

https://microsoft.github.io/language-server-protocol/ (3.17); pygls does the talking.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, lsp_method

from doorstep.definitions.yaml_text import YAMLProblem, loads

from ..definitions import hint_of
from . import formatting, meaning
from .completion import Completer, Kind
from .edits import Edit
from .machines import State, machines, place_at
from .open_text import OpenText
from .problems import Fix, Problem, extraction, fixes, is_advice

_KINDS: dict[Kind, types.CompletionItemKind] = {
    "field": types.CompletionItemKind.Field,
    "value": types.CompletionItemKind.EnumMember,
    "state": types.CompletionItemKind.Reference,
    "resource": types.CompletionItemKind.Module,
    "function": types.CompletionItemKind.Function,
    "variable": types.CompletionItemKind.Variable,
    "member": types.CompletionItemKind.Property,
    "error": types.CompletionItemKind.Constant,
}
_SYMBOLS = {
    "Task": types.SymbolKind.Function,
    "Choice": types.SymbolKind.Enum,
    "Map": types.SymbolKind.Array,
    "Parallel": types.SymbolKind.Interface,
    "Fail": types.SymbolKind.Event,
}
_SEVERITIES = {"ERROR": types.DiagnosticSeverity.Error, "WARNING": types.DiagnosticSeverity.Warning}


class _Protocol(LanguageServerProtocol):
    """The protocol, with an answer to each request, and without pygls' own documents.

    pygls leaves requests unanswered whose parameters it can't read, such as a position below zero.
    Its documents have other lines than those of their clients: Python ends lines at more
    characters than the protocol does.
    """

    def structure_message(self, data: dict[str, Any]) -> Any:
        try:
            return super().structure_message(data)
        except JsonRpcException as problem:
            if {"id", "method"} <= data.keys():
                self._send_response(data["id"], error=problem.to_response_error())
            raise

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: Any) -> Iterator[Any]:
        yield self.fm.features[types.TEXT_DOCUMENT_DID_OPEN], (params,), None

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: Any) -> Iterator[Any]:
        yield self.fm.features[types.TEXT_DOCUMENT_DID_CHANGE], (params,), None

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: Any) -> Iterator[Any]:
        yield self.fm.features[types.TEXT_DOCUMENT_DID_CLOSE], (params,), None


class DefinitionServer(LanguageServer):
    """A language server with the texts that are open."""

    def __init__(self) -> None:
        super().__init__("doorstep", version("doorstep"), protocol_cls=_Protocol)
        self.texts: dict[str, OpenText] = {}

    def open_text(self, uri: str) -> OpenText:
        """Return what is known of the present version of a document; of one not open, nothing."""
        return self.texts.get(uri) or OpenText(uri)

    def publish(self, opened: OpenText) -> None:
        """Keep the present version of a document, and send what is wrong with it."""
        self.texts[opened.uri] = opened
        shown = [_diagnostic(opened, one) for one in opened.problems]
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(opened.uri, shown, opened.version)
        )


def _diagnostic(opened: OpenText, problem: Problem) -> types.Diagnostic:
    diagnostic = problem.diagnostic
    hint = f"\n{hint}" if (hint := hint_of(diagnostic)) else ""
    return types.Diagnostic(
        range=opened.range(problem.start, problem.end),
        message=diagnostic.message + hint,
        severity=types.DiagnosticSeverity.Information
        if is_advice(diagnostic)
        else _SEVERITIES[diagnostic.severity],
        code=diagnostic.code,
        source="doorstep",
    )


server = DefinitionServer()


@server.feature(types.TEXT_DOCUMENT_DID_OPEN)
def opened(ls: DefinitionServer, params: types.DidOpenTextDocumentParams) -> None:
    """Check a document that was opened."""
    document, encoding = params.text_document, ls.workspace.position_encoding
    ls.publish(
        OpenText(
            document.uri,
            document.language_id,
            document.version,
            document.text,
            str(encoding.value if isinstance(encoding, types.PositionEncodingKind) else encoding),
        )
    )


@server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
def changed(ls: DefinitionServer, params: types.DidChangeTextDocumentParams) -> None:
    """Check a document that was changed."""
    document = params.text_document
    now = ls.open_text(document.uri).changed(params.content_changes, document.version)
    ls.publish(now)


@server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
def closed(ls: DefinitionServer, params: types.DidCloseTextDocumentParams) -> None:
    """Forget a document, and what was wrong with it."""
    uri = params.text_document.uri
    ls.texts.pop(uri, None)
    ls.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))


@server.feature(
    types.TEXT_DOCUMENT_COMPLETION,
    types.CompletionOptions(trigger_characters=['"', ".", "$", ":"]),
)
def complete(ls: DefinitionServer, params: types.CompletionParams) -> list[types.CompletionItem]:
    """Return what may stand at a position."""
    opened = ls.open_text(params.text_document.uri)
    offset = opened.offset(params.position)
    found = machines(opened.text, yaml=opened.yaml, cursor=offset)
    place = place_at(opened.text, found, offset)
    if place is None:
        return []
    items = Completer(opened.text, place, offset, opened.shapes).completions()
    return [
        types.CompletionItem(
            label=one.label,
            kind=_KINDS[one.kind],
            detail=one.detail or None,
            documentation=one.page or None,
            sort_text=f"{one.order}{number:04}",
            filter_text=opened.text[one.start : offset][:1].strip('"$.') + one.text,
            text_edit=types.TextEdit(opened.range(one.start, one.end), one.text),
        )
        for number, one in enumerate(items)
    ]


@server.feature(types.TEXT_DOCUMENT_HOVER)
def hover(ls: DefinitionServer, params: types.HoverParams) -> types.Hover | None:
    """Explain what stands at a position."""
    opened = ls.open_text(params.text_document.uri)
    place = opened.place(params.position)
    said = meaning.explain(opened.text, place, opened.offset(params.position)) if place else None
    if said is None:
        return None
    content = types.MarkupContent(types.MarkupKind.Markdown, said.text)
    return types.Hover(content, opened.range(said.start, said.end))


@server.feature(types.TEXT_DOCUMENT_DEFINITION)
def definition(ls: DefinitionServer, params: types.DefinitionParams) -> list[types.Location]:
    """Return where a state stands, or where a variable is assigned."""
    uri = params.text_document.uri
    opened = ls.open_text(uri)
    place = opened.place(params.position)
    if place is None:
        return []
    if state := meaning.state_at(place):
        return [types.Location(uri, opened.range(state.member.start, state.member.end))]
    name = meaning.variable_at(opened.text, place, opened.offset(params.position))
    assigned = place.machine.variables().get(name or "", [])
    return [types.Location(uri, opened.range(one.start, one.end)) for _, one in assigned]


@server.feature(types.TEXT_DOCUMENT_REFERENCES)
def find_references(ls: DefinitionServer, params: types.ReferenceParams) -> list[types.Location]:
    """Return the places that name a state."""
    uri = params.text_document.uri
    opened = ls.open_text(uri)
    place = opened.place(params.position)
    state = meaning.state_at(place) if place else None
    if place is None or state is None:
        return []
    spans = [(one.node.start, one.node.end) for one in meaning.references(place.machine, state)]
    if params.context.include_declaration:
        spans.insert(0, (state.member.start, state.member.end))
    return [types.Location(uri, opened.range(*span)) for span in spans]


@server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
def prepare_rename(ls: DefinitionServer, params: types.PrepareRenameParams) -> types.Range | None:
    """Return the state's name at a position; None where there is none."""
    opened = ls.open_text(params.text_document.uri)
    place = opened.place(params.position)
    if place is None or meaning.state_at(place) is None:
        return None
    token = place.member if place.on_name else place.scalar
    return opened.range(*_inside(opened.text, token.start, token.end)) if token else None


@server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
def rename(ls: DefinitionServer, params: types.RenameParams) -> types.WorkspaceEdit | None:
    """Give a state another name wherever it is named."""
    uri = params.text_document.uri
    opened = ls.open_text(uri)
    place = opened.place(params.position)
    state = meaning.state_at(place) if place else None
    if place is None or state is None:
        return None
    if problem := meaning.name_problem(place.machine, state, params.new_name):
        raise JsonRpcInvalidParams(problem)
    spans = [(one.node.start, one.node.end) for one in meaning.references(place.machine, state)]
    spans.append((state.member.start, state.member.end))
    edits = [
        Edit(start, end, _in_quotes(opened.text[start:end], params.new_name))
        for start, end in spans
    ]
    return types.WorkspaceEdit({uri: opened.edits(edits)})


def _inside(text: str, start: int, end: int) -> tuple[int, int]:
    quoted = text[start : start + 1] in ('"', "'") and end - start > 1
    return (start + 1, end - 1) if quoted else (start, end)


def _in_quotes(before: str, name: str) -> str:
    """Return a name written as the one that it stands in for."""
    import json

    if before[:1] == '"':
        return json.dumps(name, ensure_ascii=False)
    if before[:1] == "'":
        return "'" + name.replace("'", "''") + "'"
    plain = name.replace(" ", "").replace("-", "").replace("_", "").isalnum()
    # `true`, `null` and `12` are no texts without quotation marks, and neither is `- a`.
    with contextlib.suppress(YAMLProblem):
        if plain and loads(name) == name:
            return name
    return json.dumps(name, ensure_ascii=False)


@server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
def outline(ls: DefinitionServer, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
    """Return the states, those inside of others below them; in a template by machine."""
    opened = ls.open_text(params.text_document.uri)
    symbols: list[types.DocumentSymbol] = []
    for machine in opened.machines:
        inner = {id(state.node): inside for state, inside in meaning.outline(machine)}
        tops = [state for state in machine.states if state.outer is None]
        states = [_symbol(opened, state, inner) for state in tops]
        if not machine.name:
            return states
        span = opened.range(machine.root.start, machine.root.end)
        kind = types.SymbolKind.Module
        symbols.append(types.DocumentSymbol(machine.name, kind, span, span, children=states))
    return symbols


def _symbol(opened: OpenText, state: State, inner: dict[int, list[State]]) -> types.DocumentSymbol:
    member = state.member
    end = len(opened.text[: state.node.end].rstrip())
    return types.DocumentSymbol(
        name=state.name or '""',
        detail=state.type,
        kind=_SYMBOLS.get(state.type, types.SymbolKind.Object),
        range=opened.range(member.start, max(end, member.end)),
        selection_range=opened.range(member.start, member.end),
        children=[_symbol(opened, one, inner) for one in inner[id(state.node)]],
    )


@server.feature(
    types.TEXT_DOCUMENT_CODE_ACTION,
    types.CodeActionOptions([types.CodeActionKind.QuickFix, types.CodeActionKind.RefactorExtract]),
)
def actions(ls: DefinitionServer, params: types.CodeActionParams) -> list[types.CodeAction]:
    """Return the changes that fix what is wrong in a range, and what can be done with it."""
    uri = params.text_document.uri
    opened = ls.open_text(uri)
    start, end = opened.offset(params.range.start), opened.offset(params.range.end)
    there = [one for one in opened.problems if one.start <= end and start <= one.end]
    found = [
        _action(uri, opened, fix, types.CodeActionKind.QuickFix)
        for fix in fixes(opened.text, opened.machines, there)
    ]
    place = place_at(opened.text, opened.machines, start)
    extracted = extraction(opened.text, place, start, end) if place and start < end else None
    if extracted:
        found.append(_action(uri, opened, extracted, types.CodeActionKind.RefactorExtract))
    return found


def _action(uri: str, opened: OpenText, fix: Fix, kind: types.CodeActionKind) -> types.CodeAction:
    return types.CodeAction(
        title=fix.title,
        kind=kind,
        diagnostics=[_diagnostic(opened, fix.problem)] if fix.problem else None,
        is_preferred=fix.safe or None,
        edit=types.WorkspaceEdit({uri: opened.edits(fix.edits)}),
    )


@server.feature(types.TEXT_DOCUMENT_FORMATTING)
def layout(
    ls: DefinitionServer, params: types.DocumentFormattingParams
) -> list[types.TextEdit] | None:
    """Lay a document out anew; None for text that can't be read."""
    opened = ls.open_text(params.text_document.uri)
    if not opened.machines or any(
        one.diagnostic.code == "INVALID_JSON_DESCRIPTION" for one in opened.problems
    ):
        return None
    options = params.options
    indent = " " * options.tab_size if options.insert_spaces else "\t"
    yaml = opened.yaml
    new = formatting.yaml_layout(opened.text) if yaml else _json(opened.text, indent)
    if new is None or new == opened.text:
        return None
    return opened.edits([Edit(0, len(opened.text), new)])


def _json(text: str, indent: str) -> str | None:
    import json

    with contextlib.suppress(ValueError, RecursionError):
        json.loads(text)
        return formatting.json_layout(text, indent)
    return None


def start(**ends: Any) -> None:
    """Speak on standard input and output until the client says that it is done."""
    server.start_io(**ends)
