"""Handlers: given as a dict, a file, a folder or a module, and found by what a task says."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

import doorstep
from doorstep.runtime.handlers import load

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
INVOKE = "arn:aws:states:::lambda:invoke"
GET = "arn:aws:states:::aws-sdk:s3:getObject"
SEND = "arn:aws:states:::sqs:sendMessage"


def calls(resource: str, **fields: Any) -> dict[str, Any]:
    state = {"Type": "Task", "Resource": resource, "End": True, **fields}
    return {"StartAt": "Charge", "States": {"Charge": state}}


def says(answer: str) -> Any:
    return lambda event: answer


def run(resource: str, handlers: Any, **fields: Any) -> doorstep.Execution:
    return doorstep.run(calls(resource, **fields), handlers=handlers)


@pytest.mark.parametrize(
    ("resource", "fields", "key"),
    [
        (FUNCTION + "charge", {}, "charge"),
        (FUNCTION + "charge:prod", {}, "charge"),
        (FUNCTION + "charge", {}, FUNCTION + "charge"),
        (FUNCTION + "charge", {}, "Charge"),
        (FUNCTION + "charge-card", {}, "charge_card"),
        (FUNCTION + "charge-card", {}, "charge-card"),
        (INVOKE, {"Parameters": {"FunctionName": "charge"}}, "charge"),
        (INVOKE, {"Parameters": {"FunctionName": FUNCTION + "charge:2"}}, "charge"),
        (INVOKE, {"Parameters": {"FunctionName": "charge"}}, "lambda:invoke"),
        (SEND, {"Parameters": {"QueueUrl": "q", "MessageBody": "m"}}, "sqs:sendMessage"),
        (GET, {"Parameters": {"Bucket": "b", "Key": "k"}}, "aws-sdk:s3:getObject"),
        (FUNCTION + "charge", {}, "*"),
    ],
)
def test_a_key_answers_a_resource(resource: str, fields: dict[str, Any], key: str) -> None:
    assert run(resource, {key: lambda event: {"by": key}}, **fields).status == "SUCCEEDED"


def test_the_most_particular_key_wins() -> None:
    keys = ["Charge", FUNCTION + "charge", "charge", "*"]
    while keys:
        handlers = {key: says(key) for key in reversed(keys)}
        assert run(FUNCTION + "charge", handlers).output == keys.pop(0)


def test_functions_of_a_file_answer_by_their_names(tmp_path: Path) -> None:
    file = tmp_path / "handlers.py"
    file.write_text("def charge(event):\n    return 'from the file'\n")
    assert run(FUNCTION + "charge", file).output == "from the file"
    assert run(FUNCTION + "charge", str(file)).output == "from the file"


def test_a_file_imports_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "doorstep_test_neighbour.py").write_text("RATE = 7\n")
    file = tmp_path / "handlers.py"
    file.write_text(
        "from doorstep_test_neighbour import RATE\ndef charge(event):\n    return RATE\n"
    )
    assert run(FUNCTION + "charge", file).output == 7


def test_what_a_file_imports_or_hides_is_no_handler(tmp_path: Path) -> None:
    file = tmp_path / "handlers.py"
    file.write_text("from os.path import join\ndef _hidden(event):\n    return 1\n")
    for name in ("join", "_hidden"):
        assert run(FUNCTION + name, file).error == "Doorstep.HandlerNotFound"


def test_a_decorated_function_answers_its_other_keys(tmp_path: Path) -> None:
    file = tmp_path / "handlers.py"
    file.write_text(
        "import doorstep\n"
        "@doorstep.handler('sqs:sendMessage', 'Pay')\n"
        "def anything(event):\n"
        "    return 'decorated'\n"
    )
    sent = run(SEND, file, Parameters={"QueueUrl": "q", "MessageBody": "m"})
    assert sent.output == "decorated"
    assert run(FUNCTION + "anything", file).output == "decorated"


def test_the_functions_of_a_module_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "doorstep_test_module.py").write_text("def charge(event):\n    return 'module'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert run(FUNCTION + "charge", "doorstep_test_module").output == "module"
    module = importlib.import_module("doorstep_test_module")
    assert run(FUNCTION + "charge", module).output == "module"


@pytest.mark.parametrize("entry", ["handler", "lambda_handler"])
@pytest.mark.parametrize("file", ["charge-card.py", "charge_card.py"])
def test_a_file_of_a_folder_answers_the_function_of_its_name(
    tmp_path: Path, file: str, entry: str
) -> None:
    (tmp_path / file).write_text(f"def {entry}(event, context):\n    return 'folder'\n")
    assert run(FUNCTION + "charge-card", tmp_path).output == "folder"


def test_a_file_of_a_folder_is_loaded_when_it_is_first_called(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("this is no Python")
    charge = tmp_path / "charge.py"
    charge.write_text("LOADED = []\ndef handler(event, context):\n    return 'first'\n")
    assert run(FUNCTION + "charge", tmp_path).output == "first"
    broken = run(FUNCTION + "broken", tmp_path)
    assert broken.error == "Doorstep.HandlerNotLoaded"
    assert f"{tmp_path / 'broken.py'}, line 1:" in (broken.cause or "")


def test_a_file_of_a_folder_without_a_handler_function_is_named(tmp_path: Path) -> None:
    (tmp_path / "charge.py").write_text("def main(event):\n    return 1\n")
    execution = run(FUNCTION + "charge", tmp_path)
    assert execution.error == "Doorstep.HandlerNotLoaded"
    assert execution.cause == f"{tmp_path / 'charge.py'} has no function handler(event, context)"


def test_a_folders_files_are_not_found_outside_of_it(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "outside.py").write_text("def handler(event, context):\n    return 1\n")
    outside = {"Parameters": {"FunctionName": "../outside"}}
    execution = run(INVOKE, tmp_path / "inside", **outside)
    assert execution.error == "Doorstep.HandlerNotFound"


def test_a_syntax_error_shows_file_line_and_caret(tmp_path: Path) -> None:
    file = tmp_path / "handlers.py"
    file.write_text("def charge(event):\n    return )\n")
    with pytest.raises(doorstep.HandlerLoadError) as caught:
        run(FUNCTION + "charge", file)
    first, source, caret = str(caught.value).splitlines()
    assert first.startswith(f"{file.resolve()}, line 2: ")
    assert source == "    return )"
    assert caret == "           ^"


def test_an_error_while_loading_shows_the_line_that_raised_it(tmp_path: Path) -> None:
    file = tmp_path / "handlers.py"
    file.write_text("import json\n\njson.loads\nTOTAL = 1 / 0\n")
    with pytest.raises(doorstep.HandlerLoadError) as caught:
        run(FUNCTION + "charge", file)
    assert str(caught.value) == f"{file.resolve()}, line 4: ZeroDivisionError: division by zero"


@pytest.mark.parametrize("source", ["missing.py", "no_such_module", "./nowhere", "../nowhere"])
def test_handlers_that_are_not_there_are_named(source: str) -> None:
    with pytest.raises(doorstep.HandlerLoadError, match="there is no handler file") as caught:
        run(FUNCTION + "charge", source)
    assert source in str(caught.value)


def test_a_module_that_imports_what_is_missing_is_not_missing_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "doorstep_test_needy.py").write_text("import no_such_library\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(doorstep.HandlerLoadError, match="no_such_library"):
        run(FUNCTION + "charge", "doorstep_test_needy")


def test_a_missing_handler_names_resource_and_state_and_the_three_ways() -> None:
    execution = run(FUNCTION + "charge", {"refund": says("x")})
    assert execution.error == "Doorstep.HandlerNotFound"
    cause = execution.cause or ""
    assert "The state 'Charge' calls " + FUNCTION + "charge" in cause
    assert "the handlers given are refund" in cause
    assert "(1) a function with @doorstep.handler('charge')" in cause
    assert "(2) a function charge(event, context) there, or a file charge.py" in cause
    assert "(3) in Python, handlers={'charge': function}" in cause


def test_a_missing_handler_of_a_service_is_named_by_its_action() -> None:
    execution = run(SEND, None, Parameters={"QueueUrl": "q", "MessageBody": "m"})
    assert "@doorstep.handler('sqs:sendMessage')" in (execution.cause or "")
    assert "no handlers were given" in (execution.cause or "")


def test_a_missing_handler_of_an_invoked_function_is_named_by_the_function() -> None:
    invoked = {"Parameters": {"FunctionName": FUNCTION + "charge-card"}}
    execution = run(INVOKE, {"refund": says("x")}, **invoked)
    assert "(1) a function with @doorstep.handler('charge-card')" in str(execution.cause)
    assert "(2) a function charge_card(event, context)" in str(execution.cause)


def test_a_missing_handler_is_neither_retried_nor_caught() -> None:
    definition = calls(
        FUNCTION + "charge",
        Retry=[{"ErrorEquals": ["States.ALL"]}],
        Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Saved"}],
    )
    definition["States"]["Saved"] = {"Type": "Succeed"}
    execution = doorstep.run(definition)
    assert execution.error == "Doorstep.HandlerNotFound"
    types = [event["type"] for event in execution.history]
    assert types.count("LambdaFunctionScheduled") == 1


# Several sources ---------------------------------------------------------------------------------


def one_task(name: str) -> dict[str, Any]:
    resource = name if ":" in name else f"arn:aws:lambda:eu-west-1:123456789012:function:{name}"
    return {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": resource, "End": True}}}


def test_of_several_sources_the_later_come_first(tmp_path: Path) -> None:
    (tmp_path / "first.py").write_text(
        "def a(event): return 'first a'\ndef b(event): return 'first b'"
    )
    (tmp_path / "second.py").write_text("def a(event): return 'second a'")
    sources = [tmp_path / "first.py", str(tmp_path / "second.py"), {"c": lambda event: "c"}]
    for name, expected in [("a", "second a"), ("b", "first b"), ("c", "c")]:
        execution = doorstep.run(one_task(name), handlers=sources)
        assert execution.output == expected


def test_what_answers_the_rest_is_asked_last_wherever_it_stands() -> None:
    rest = {"*": lambda event: "rest"}
    for sources in ([rest, {"a": lambda event: "a"}], [{"a": lambda event: "a"}, rest]):
        assert doorstep.run(one_task("a"), handlers=sources).output == "a"
        assert doorstep.run(one_task("b"), handlers=sources).output == "rest"


def test_a_folder_of_functions_also_holds_handlers_of_services(tmp_path: Path) -> None:
    (tmp_path / "pay.py").write_text("def handler(event, context): return 'pay'")
    (tmp_path / "aws.py").write_text(
        "import doorstep\n"
        "@doorstep.handler('sqs:sendMessage')\ndef _send(event): return {'MessageId': 'm'}\n"
        "@doorstep.handler('T2')\ndef by_state(event): return 'by state'\n"
    )
    send = one_task("arn:aws:states:::sqs:sendMessage")
    send["States"]["T"]["Parameters"] = {"QueueUrl": "q", "MessageBody": "b"}
    assert doorstep.run(send, handlers=tmp_path).output == {"MessageId": "m"}
    assert doorstep.run(one_task("pay"), handlers=tmp_path).output == "pay"


def test_a_decorated_function_may_begin_with_an_underscore(tmp_path: Path) -> None:
    path = tmp_path / "h.py"
    path.write_text(
        "import doorstep\n@doorstep.handler('a')\ndef _a(event): return 'a'\ndef _b(event): 1"
    )
    assert doorstep.run(one_task("a"), handlers=path).output == "a"
    assert doorstep.run(one_task("_b"), handlers=path).error == "Doorstep.HandlerNotFound"


def test_javascript_in_a_folder_of_handlers_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "pay.js").write_text("exports.handler = async () => 1")
    execution = doorstep.run(one_task("pay"), handlers=tmp_path)
    assert execution.error == "Doorstep.HandlerNotFound"
    assert "pay.js" in (execution.cause or "")


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("h.js", "JavaScript"),
        ("h.mjs", "JavaScript"),
        ("h.ts", "TypeScript"),
        ("h.go", "a .go file"),
    ],
)
def test_a_file_in_another_language_is_named_as_such(
    tmp_path: Path, name: str, language: str
) -> None:
    (tmp_path / name).write_text("exports.handler = async () => 1\n", "utf-8")
    with pytest.raises(doorstep.HandlerLoadError, match=f"is {language}, and handlers are Python"):
        load(str(tmp_path / name))
