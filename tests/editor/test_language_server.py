"""`doorstep lsp`, driven by pygls' client as an editor drives it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pygls", reason="the language server needs the extra `editor`")

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient

from doorstep.definitions import yaml_text
from doorstep_cli.editor.server import _in_quotes

DEFINITION = """{
  "StartAt": "Prüfen ✅",
  "States": {
    "Prüfen ✅": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage",
      "Parameters": {"QueueUrl": "q", "MessageBody": "b"}, "Next": "Done",
      "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Done"}]},
    "Done": {"Type": "Succeed"}
  }
}
"""
URI = Path("/project/order.asl.json").as_uri()
DOCUMENT = types.TextDocumentIdentifier(URI)
LINES = DEFINITION.split("\n")


def position(line: int, word: str) -> types.Position:
    """Where a word stands, counted in UTF-16 as clients do."""
    before = LINES[line][: LINES[line].index(word) + 1]
    return types.Position(line, len(before.encode("utf-16-le")) // 2)


def with_editor(work: Callable[[LanguageClient, list[Any]], Awaitable[None]]) -> None:
    async def run() -> None:
        client = LanguageClient("test", "1")
        published: list[types.PublishDiagnosticsParams] = []

        @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def publish(params: types.PublishDiagnosticsParams) -> None:
            published.append(params)

        program = "from doorstep_cli.main import cli; cli(['lsp'])"
        await client.start_io(sys.executable, "-c", program)
        try:
            await client.initialize_async(types.InitializeParams(types.ClientCapabilities()))
            client.initialized(types.InitializedParams())
            client.text_document_did_open(
                types.DidOpenTextDocumentParams(types.TextDocumentItem(URI, "json", 1, DEFINITION))
            )
            await work(client, published)
        finally:
            await client.shutdown_async(None)
            client.exit(None)
            await client.stop()

    asyncio.run(run())


def change(client: LanguageClient, text: str, version: int) -> None:
    client.text_document_did_change(
        types.DidChangeTextDocumentParams(
            types.VersionedTextDocumentIdentifier(version, URI),
            [types.TextDocumentContentChangeWholeDocument(text)],
        )
    )


def test_an_editor_is_told_what_is_wrong_and_when_it_is_mended() -> None:
    async def work(client: LanguageClient, published: list[Any]) -> None:
        change(client, DEFINITION.replace('"Succeed"', '"Succed"'), 2)
        change(client, DEFINITION, 3)
        await client.text_document_document_symbol_async(types.DocumentSymbolParams(DOCUMENT))
        assert [
            [one.message.split("\n")[-1] for one in each.diagnostics] for each in published
        ] == [
            [],
            ["did you mean 'Succeed'?"],
            [],
        ]
        place = published[1].diagnostics[0].range
        assert (place.start.line, place.end.line) == (6, 6)

    with_editor(work)


def test_names_are_followed_found_and_changed_everywhere() -> None:
    async def work(client: LanguageClient, published: list[Any]) -> None:
        there = position(4, "Done")
        (where,) = await client.text_document_definition_async(
            types.DefinitionParams(DOCUMENT, there)
        )
        assert where.range.start.line == 6
        found = await client.text_document_references_async(
            types.ReferenceParams(types.ReferenceContext(True), DOCUMENT, there)
        )
        assert [one.range.start.line for one in found] == [6, 4, 5]
        edit = await client.text_document_rename_async(
            types.RenameParams(DOCUMENT, position(3, "Prüfen"), "Ask")
        )
        assert edit
        assert edit.changes
        assert {one.range.start.line: one.new_text for one in edit.changes[URI]} == {
            1: '"Ask"',
            3: '"Ask"',
        }
        ends = {one.range.end.character for one in edit.changes[URI] if one.range.start.line == 1}
        assert ends == {len('  "StartAt": "Prüfen ✅"')}

    with_editor(work)


def test_a_name_that_another_state_has_is_refused() -> None:
    async def work(client: LanguageClient, published: list[Any]) -> None:
        with pytest.raises(Exception, match="a name occurs once"):
            await client.text_document_rename_async(
                types.RenameParams(DOCUMENT, position(3, "Prüfen"), "Done")
            )

    with_editor(work)


def test_explanations_completions_outline_and_layout_arrive() -> None:
    async def work(client: LanguageClient, published: list[Any]) -> None:
        hover = await client.text_document_hover_async(
            types.HoverParams(DOCUMENT, position(3, "arn:aws"))
        )
        assert hover
        assert "MessageBody" in hover.contents.value
        state = await client.text_document_hover_async(
            types.HoverParams(DOCUMENT, position(6, "Done"))
        )
        assert state
        assert "reached from Prüfen ✅" in state.contents.value
        items = await client.text_document_completion_async(
            types.CompletionParams(DOCUMENT, position(5, "States.ALL"))
        )
        assert "States.Timeout" in [one.label for one in items]
        symbols = await client.text_document_document_symbol_async(
            types.DocumentSymbolParams(DOCUMENT)
        )
        assert [one.name for one in symbols] == ["Prüfen ✅", "Done"]
        (edit,) = await client.text_document_formatting_async(
            types.DocumentFormattingParams(DOCUMENT, types.FormattingOptions(4, True))
        )
        assert edit.new_text.startswith('{\n    "StartAt": "Prüfen ✅",\n')

    with_editor(work)


def test_broken_text_is_answered_from_what_was_known_before() -> None:
    async def work(client: LanguageClient, published: list[Any]) -> None:
        broken = DEFINITION.replace('"Type": "Succeed"', '"Type": "Pass", "InputPath": "$$.Ex')
        change(client, broken, 2)
        line = broken.split("\n")[6]
        items = await client.text_document_completion_async(
            types.CompletionParams(DOCUMENT, types.Position(6, len(line) - 1))
        )
        assert "Execution" in [one.label for one in items]
        change(client, "", 3)
        assert not await client.text_document_completion_async(
            types.CompletionParams(DOCUMENT, types.Position(0, 0))
        )

    with_editor(work)


def test_a_fix_is_offered_where_something_is_wrong() -> None:
    async def work(client: LanguageClient, published: list[Any]) -> None:
        change(client, DEFINITION.replace('"Next": "Done",', '"Next": "Dome",'), 2)
        there = position(4, "Done")
        actions = await client.text_document_code_action_async(
            types.CodeActionParams(DOCUMENT, types.Range(there, there), types.CodeActionContext([]))
        )
        titles = [one.title for one in actions]
        assert titles == ["Change to 'Done'", "Add the state 'Dome'"]

    with_editor(work)


@pytest.mark.parametrize("line", [-1, 2**31, "one"])
def test_a_position_that_no_document_can_have_is_answered_with_an_error(line: Any) -> None:
    async def work(client: LanguageClient, published: list[Any]) -> None:
        there = types.Position(0, 0)
        object.__setattr__(there, "line", line)  # past the client's own check
        with pytest.raises(JsonRpcException, match="Invalid Params"):
            await client.text_document_hover_async(types.HoverParams(DOCUMENT, there))
        far = types.HoverParams(DOCUMENT, types.Position(2**31 - 1, 2**31 - 1))
        assert await client.text_document_hover_async(far) is None

    with_editor(work)


@pytest.mark.parametrize(
    "uri", ["file:///c%3A/work/a.asl.json", "file:///my%20work/%C3%BC.asl.json", "untitled:a"]
)
def test_names_with_escaped_characters_and_unsaved_documents_are_known(uri: str) -> None:
    """Visual Studio Code escapes the colon of each drive of Windows."""

    async def work(client: LanguageClient, published: list[Any]) -> None:
        document = types.TextDocumentItem(uri, "json", 1, DEFINITION.replace("Succeed", "Succed"))
        client.text_document_did_open(types.DidOpenTextDocumentParams(document))
        outline = types.DocumentSymbolParams(types.TextDocumentIdentifier(uri))
        symbols = await client.text_document_document_symbol_async(outline)
        assert [one.name for one in symbols] == ["Prüfen ✅", "Done"]
        assert published[-1].uri == uri
        assert len(published[-1].diagnostics) == 1

    with_editor(work)


def test_of_a_document_that_is_not_open_nothing_is_read_or_known(tmp_path: Path) -> None:
    file = tmp_path / "closed.asl.json"
    file.write_text(DEFINITION)

    async def work(client: LanguageClient, published: list[Any]) -> None:
        for uri in (file.as_uri(), (tmp_path / "gone.asl.json").as_uri()):
            document = types.TextDocumentIdentifier(uri)
            outline = types.DocumentSymbolParams(document)
            assert await client.text_document_document_symbol_async(outline) == []
            hover = types.HoverParams(document, types.Position(1, 14))
            assert await client.text_document_hover_async(hover) is None

    with_editor(work)


@pytest.mark.parametrize("name", ["true", "null", "12", "1.5", "- a", "a: b", "x # y", "~"])
def test_a_new_name_is_a_text_in_yaml_too(name: str) -> None:
    assert yaml_text.loads(_in_quotes("Done", name)) == name
    assert _in_quotes("Done", "Is it done") == "Is it done"
    assert yaml_text.loads(_in_quotes("'Done'", name)) == name
