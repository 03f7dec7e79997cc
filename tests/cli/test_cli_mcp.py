"""`doorstep mcp`: what a coding assistant can ask, and what it can't."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from doorstep_cli.commands.mcp import Tools

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_an_assistant_finds_the_tools_and_runs_a_workflow() -> None:
    pytest.importorskip("mcp", reason="doorstep[mcp] is not installed")
    from mcp import Client, StdioServerParameters, stdio_client

    async def talk() -> tuple[list[str], Any, Any]:
        program = (
            "from doorstep_cli.main import cli; "
            f"cli(['mcp', '--folder', {str(EXAMPLES / 'approval')!r}])"
        )
        server = StdioServerParameters(
            command=sys.executable, args=["-c", program], env=dict(os.environ)
        )
        async with Client(stdio_client(server)) as client:
            tools = [tool.name for tool in (await client.list_tools()).tools]
            ran = await client.call_tool(
                "run",
                {
                    "path": "approval.asl.json",
                    "input": {"id": "e", "euros": 7},
                    "mocks": [{"state": "PayOut", "answer": {"transfer": 1}}],
                },
            )
            outside = await client.call_tool("validate", {"path": "../order/order.asl.json"})
            return tools, ran.content[0], outside.content[0]

    tools, ran, outside = asyncio.run(talk())
    assert tools == ["validate", "lint", "run", "explore", "failures", "test", "graph"]
    answer, _, code = ran.text.rpartition("\nexit code ")
    assert (json.loads(answer)["status"], code) == ("SUCCEEDED", "0")
    assert outside.text.startswith("not done: ../order/order.asl.json is not below")


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/../../secret", "link"])
def test_no_path_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("{}")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(ValueError, match="is not below"):
        asyncio.run(Tools(folder).validate(name))


def test_a_loop_of_links_a_name_that_is_too_long_and_a_null_are_refused_in_words(
    tmp_path: Path,
) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in ("loop", "x" * 5_000, "a\0b"):
        with pytest.raises(ValueError, match=r"can't be found|there is no"):
            asyncio.run(Tools(tmp_path).validate(name))


def test_a_history_replaces_an_earlier_one_and_no_other_file(tmp_path: Path) -> None:
    text = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
    (tmp_path / "m.asl.json").write_text(text)
    (tmp_path / "folder").mkdir()
    tools = Tools(tmp_path)
    for name in ("m.asl.json", "folder"):
        with pytest.raises(ValueError, match="is not a history"):
            asyncio.run(tools.run("m.asl.json", history=name))
    assert (tmp_path / "m.asl.json").read_text() == text
    for _ in range(2):
        assert asyncio.run(tools.run("m.asl.json", history="history.json")).endswith("exit code 0")


def test_a_long_answer_is_cut_and_says_so(tmp_path: Path) -> None:
    states = {f"S{number}": {"Type": "Nope"} for number in range(500)}
    (tmp_path / "m.asl.json").write_text(json.dumps({"StartAt": "S0", "States": states}))
    answer = asyncio.run(Tools(tmp_path).validate("m.asl.json"))
    assert len(answer) < 20_200
    assert "characters; ask for less)" in answer
    assert answer.endswith("exit code 1")


@pytest.mark.skipif(os.name == "nt", reason="Windows can only end a process at once")
def test_a_call_that_is_cancelled_is_stopped_and_what_it_did_is_written(
    tmp_path: Path, eventually: Callable[..., Any]
) -> None:
    pytest.importorskip("mcp", reason="doorstep[mcp] is not installed")
    from mcp import Client, StdioServerParameters, stdio_client

    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
    task["Parameters"] = {"FunctionName": "stuck"}  # type: ignore[assignment]
    definition = {"StartAt": "A", "States": {"A": task}}
    (tmp_path / "m.asl.json").write_text(json.dumps(definition))
    begun = tmp_path / "begun"
    (tmp_path / "h.py").write_text(
        f"import pathlib, time\n\ndef stuck(event):\n"
        f"    pathlib.Path({str(begun)!r}).touch()\n    time.sleep(600)\n"
    )

    async def talk() -> str:
        program = f"from doorstep_cli.main import cli; cli(['mcp', '--folder', {str(tmp_path)!r}])"
        server = StdioServerParameters(
            command=sys.executable, args=["-c", program], env=dict(os.environ)
        )
        arguments = {"path": "m.asl.json", "handlers": "h.py", "history": "history.json"}
        async with Client(stdio_client(server)) as client:
            call = asyncio.create_task(client.call_tool("run", arguments))
            await asyncio.to_thread(eventually, begun.exists)
            call.cancel()
            await asyncio.to_thread(eventually, (tmp_path / "history.json").exists)
            ran = await client.call_tool("validate", {"path": "m.asl.json"})
            return str(ran.content[0].text)  # type: ignore[union-attr]

    assert asyncio.run(asyncio.wait_for(talk(), 60)).endswith("exit code 0")
