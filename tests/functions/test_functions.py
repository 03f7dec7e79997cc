"""Lambda code as it lies in a project: Python in process and apart, Node.js, any bootstrap.

Sources: Lambda's developer guide ("Using the Lambda runtime API for custom runtimes", "Define
Lambda function handler in Node.js", "... in Python"); the texts of awslambdaric and of the Node.js
runtime client, which are public.
"""

from __future__ import annotations

import io
import itertools
import json
import logging
import os
import shutil
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import doorstep
from doorstep.errors import HandlerLoadError
from doorstep.functions import Function, close, handler_of, processes
from doorstep.functions.printing import _Stdout
from doorstep.runtime.answers import TaskFailed
from doorstep.runtime.payloads import returned
from doorstep.values.json_values import dumps

needs_node = pytest.mark.skipif(not shutil.which("node"), reason="Node.js is not installed")


@dataclass
class Context:
    aws_request_id: str = "8a7b1c34-0000-4000-8000-000000000001"
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:f"
    state_name: str = "Charge"


Run = Callable[..., Any]


@pytest.fixture
def printed() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def function(tmp_path: Path, printed: list[tuple[str, str]]) -> Iterator[Run]:
    """Return handlers of functions whose files are given as text."""
    handlers = []

    def make(
        runtime: str, handler: str, files: dict[str, str], name: str = "f", **more: Any
    ) -> Any:
        folder = tmp_path / name
        for file, text in files.items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        described = Function(name, runtime, handler, folder, **more)
        one = handler_of(described, lambda name, line: printed.append((name, line)))
        handlers.append(one)
        return lambda event=None: one(event, Context())

    yield make
    close(handlers)


def failure(call: Callable[[], Any]) -> tuple[str | None, Any]:
    """The error and the cause, read as JSON, of a call that fails."""
    with pytest.raises(TaskFailed) as caught:
        call()
    return caught.value.answer.error, json.loads(caught.value.answer.cause or "")


PYTHONS = [pytest.param(False, id="in process"), pytest.param(True, id="isolated")]


# -- Python


@pytest.mark.parametrize("isolated", PYTHONS)
def test_two_functions_have_their_own_modules_of_one_name(function: Run, isolated: bool) -> None:
    app = (
        "from util import who\n"
        "def handler(event, context):\n    import late\n    return who, late.who"
    )
    first, second = (
        function(
            "python3.12",
            "app.handler",
            {"app.py": app, "util.py": f"who = {name!r}", "late.py": f"who = 'late {name}'"},
            name=name,
            isolated=isolated,
        )
        for name in ("a", "b")
    )
    assert [*first(), *second(), *first()] == ["a", "late a", "b", "late b", "a", "late a"]


def test_a_function_leaves_no_module_behind(function: Run) -> None:
    files = {
        "shop/__init__.py": "",
        "shop/app.py": "from . import prices\nfrom .prices import of\nimport json\n"
        "def handler(event, context):\n    from shop import late\n    return of(2) + late.more",
        "shop/prices.py": "def of(n):\n    return n * 10",
        "shop/late.py": "more = 1",
    }
    before = set(sys.modules), list(sys.path), list(sys.meta_path)
    assert function("python3.12", "shop/app.handler", files)() == 21
    assert (set(sys.modules), list(sys.path), list(sys.meta_path)) == before


def test_a_module_of_the_tests_is_not_taken_for_the_functions_own(
    function: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "util", type(sys)("util"))
    files = {"app.py": "import util\nhandler = lambda event, context: util.who", "util.py": "who=1"}
    assert function("python3.12", "app.handler", files)() == 1
    assert not hasattr(sys.modules["util"], "who")


@pytest.mark.parametrize("isolated", PYTHONS)
def test_each_function_has_its_own_environment(function: Run, isolated: bool) -> None:
    app = (
        "import os\nat_load = os.environ['TABLE']\n"
        "def handler(event, context):\n"
        "    seen = os.getenv('SEEN')\n    os.environ['SEEN'] = 'yes'\n"
        "    own = os.environ['TABLE'], os.environ.get('OTHER')\n"
        "    return [at_load, *own, seen, 'PATH' in os.environ]"
    )
    first, second = (
        function(
            "python3.12",
            "app.handler",
            {"app.py": app},
            name,
            environment=environment,
            isolated=isolated,
        )
        for name, environment in [("a", {"TABLE": "t1", "OTHER": "x"}), ("b", {"TABLE": "t2"})]
    )
    assert first() == ["t1", "t1", "x", None, True]
    assert second() == ["t2", "t2", None, None, True]
    assert first()[3] == "yes"
    assert "TABLE" not in os.environ
    assert "SEEN" not in os.environ


LOADS = [
    (
        "app.handler",
        {"app.py": "import nowhere_to_be_found"},
        "Runtime.ImportModuleError",
        "Unable to import module 'app': No module named 'nowhere_to_be_found'",
    ),
    (
        "other.handler",
        {"app.py": ""},
        "Runtime.ImportModuleError",
        "Unable to import module 'other': No module named 'other'",
    ),
    (
        "app.main",
        {"app.py": ""},
        "Runtime.HandlerNotFound",
        "Handler 'main' missing on module 'app'",
    ),
    ("app", {"app.py": ""}, "Runtime.MalformedHandlerName", "Bad handler 'app'"),
]


@pytest.mark.parametrize("isolated", PYTHONS)
@pytest.mark.parametrize(("handler", "files", "error", "message"), LOADS)
def test_python_that_does_not_load_fails_as_on_lambda(
    function: Run, handler: str, files: dict[str, str], error: str, message: str, isolated: bool
) -> None:
    call = function("python3.12", handler, files, isolated=isolated)
    kind, cause = failure(call)
    assert kind == error
    assert (cause["errorType"], cause["errorMessage"]) == (error, message)


@pytest.mark.parametrize("isolated", PYTHONS)
def test_a_syntax_error_says_where(function: Run, isolated: bool) -> None:
    call = function("python3.12", "app.handler", {"app.py": "x = (\n"}, isolated=isolated)
    kind, cause = failure(call)
    assert kind == "Runtime.UserCodeSyntaxError"
    assert cause["errorMessage"].startswith("Syntax error in module 'app': '(' was never closed")
    assert "Line 1" in cause["stackTrace"][0]


@pytest.mark.parametrize("isolated", PYTHONS)
def test_a_decimal_is_written_as_lambdas_runtime_does(function: Run, isolated: bool) -> None:
    code = "from decimal import Decimal\ndef h(e, c): return {'n': [Decimal(8), Decimal('0.5')]}\n"
    answer = function("python3.12", "app.h", {"app.py": code}, isolated=isolated)()
    assert dumps(returned(answer)) == '{"n":[8,0.5]}'


@pytest.mark.parametrize("isolated", PYTHONS)
def test_bytes_are_the_text_that_is_returned(function: Run, isolated: bool) -> None:
    code = "def h(e, c): return b' {\"n\": 1.0}' if e else {'n': b'x'}\n"
    call = function("python3.12", "app.h", {"app.py": code}, isolated=isolated)
    assert dumps(returned(call(1))) == '{"n":1.0}'
    assert dumps(returned(call(0))) == '{"n":"x"}'


@pytest.mark.parametrize("isolated", PYTHONS)
def test_lambda_does_not_wait_for_a_coroutine(function: Run, isolated: bool) -> None:
    code = {"app.py": "async def h(e, c): return 1\n"}
    error, cause = failure(function("python3.12", "app.h", code, isolated=isolated))
    assert error == "Runtime.MarshalError"
    text = "Unable to marshal response: Object of type coroutine is not JSON serializable"
    assert cause["errorMessage"] == text


@pytest.mark.parametrize("isolated", PYTHONS)
@pytest.mark.parametrize(
    ("end", "how"), [("3", "exit status 3"), ("'why'", "exit status 1"), ("", None)]
)
def test_a_function_that_ends_its_process_is_an_exit_error(
    function: Run, end: str, how: str | None, isolated: bool
) -> None:
    code = {"app.py": f"import sys\ndef h(e, c): sys.exit({end})\n"}
    error, cause = failure(function("python3.12", "app.h", code, isolated=isolated))
    assert error == "Runtime.ExitError"
    message = f"exited with error: {how}" if how else "exited without providing a reason"
    assert cause["errorMessage"].endswith(f"Error: Runtime {message}")


@pytest.mark.parametrize("isolated", PYTHONS)
def test_what_is_printed_stands_with_its_state(
    function: Run, printed: list[tuple[str, str]], isolated: bool
) -> None:
    code = {
        "app.py": "def h(e, c):\n    print('one', flush=True)\n    print('two\\nthree', end='')\n"
    }
    function("python3.12", "app.h", code, isolated=isolated, timeout=9)()
    if isolated:  # a process shows the rest of a line when it ends
        assert printed[:1] == [("Charge: f", "one")]
    else:
        assert printed == [("Charge: f", line) for line in ("one", "two", "three")]


def test_each_function_has_its_own_level_of_logging(
    function: Run, printed: list[tuple[str, str]]
) -> None:
    quiet = "import logging\ndef h(e, c):\n    logging.info('no')\n    logging.warning('yes')\n"
    loud = quiet.replace("\ndef", "\nlogging.getLogger().setLevel('INFO')\ndef")
    one = function("python3.12", "app.h", {"app.py": loud}, name="loud")
    other = function("python3.12", "app.h", {"app.py": quiet}, name="quiet")
    before = logging.getLogger().level
    for call in (one, other, one):
        call()
    assert [line for name, line in printed if name == "Charge: quiet"] == ["[WARNING] yes"]
    assert [line for name, line in printed if name == "Charge: loud"] == [
        "[INFO] no",
        "[WARNING] yes",
    ] * 2
    assert logging.getLogger().level == before


def test_functions_at_the_same_time_have_their_own_lines(
    function: Run, printed: list[tuple[str, str]]
) -> None:
    stdout = sys.stdout
    meet = threading.Barrier(2)
    calls = []
    for name in ("a", "b"):
        code = f"def h(e, c):\n    print({name!r}, end=' ')\n    e.wait()\n    print({name!r})\n"
        call = function("python3.12", "app.h", {"app.py": code}, name=name)
        calls.append(threading.Thread(target=call, args=(meet,)))
    for thread in calls:
        thread.start()
    for thread in calls:
        thread.join()
    assert sorted(printed) == [("Charge: a", "a a"), ("Charge: b", "b b")]
    assert sys.stdout is stdout


def test_an_isolated_function_raises_its_own_error(function: Run) -> None:
    app = (
        "class CardDeclined(Exception): pass\n"
        "def handler(event, context):\n    raise CardDeclined('no')"
    )
    kind, cause = failure(function("python3.12", "app.handler", {"app.py": app}, isolated=True))
    assert (kind, cause["errorMessage"]) == ("CardDeclined", "no")
    assert len(cause["stackTrace"]) == 1


@pytest.mark.parametrize("runtime", ["ruby3.3", "java21", "dotnet8", ""])
def test_a_runtime_that_is_not_run_is_named_with_its_cure(function: Run, runtime: str) -> None:
    with pytest.raises(HandlerLoadError, match=r"runtime .*@doorstep\.handler\('f'\).*mock"):
        function(runtime, "app.handler", {"app.x": ""})


# -- Node.js


SEEN = "[e.n, c.functionName]"
FORMS = [
    ("index.h", {"index.js": f"exports.h = async (e, c) => {SEEN}"}),
    ("index.h", {"index.mjs": f"export const h = async (e, c) => {SEEN}"}),
    ("src/x.h", {"src/x.cjs": f"exports.h = (e, c, done) => done(null, {SEEN})"}),
    (
        "i.h",
        {
            "package.json": '{"type": "module"}',
            "i.js": f"export function h(e, c) {{ return {SEEN} }}",
        },
    ),
    ("i.deep.h", {"i.js": f"exports.deep = {{h: (e, c) => Promise.resolve({SEEN})}}"}),
    ("i.h", {"i.js": f"exports.h = (e, c) => c.succeed({SEEN})"}),
    (
        "i.h",
        {
            "i.js": "exports.h = (e, c) => require('dep')(e, c)",
            "node_modules/dep/index.js": f"module.exports = async (e, c) => {SEEN}",
        },
    ),
]


@needs_node
@pytest.mark.parametrize(("handler", "files"), FORMS)
def test_a_node_function_in_each_form(function: Run, handler: str, files: dict[str, str]) -> None:
    assert function("nodejs20.x", handler, files)({"n": 7}) == [7, "f"]


NODE = """
class OutOfStock extends Error { constructor(m) { super(m); this.name = 'OutOfStock'; } }
exports.h = async (event) => {
  console.log('doing', event.do);
  if (event.do === 'throw') throw new OutOfStock('none left');
  if (event.do === 'throw text') throw 'just text';
  if (event.do === 'exit') process.exit(3);
  if (event.do === 'kill') process.kill(process.pid, 'SIGKILL');
  if (event.do === 'loop') for (;;);
  if (event.do === 'reject') { Promise.reject(new TypeError('late')); await new Promise(() => {}); }
  return event.do === 'nothing' ? undefined : process.env.TABLE;
};
"""


@needs_node
def test_a_node_function_fails_as_on_lambda_and_answers_the_next_call(
    function: Run, printed: list[tuple[str, str]]
) -> None:
    call = function("nodejs20.x", "i.h", {"i.js": NODE}, environment={"TABLE": "t"}, timeout=1.0)
    request = f"RequestId: {Context.aws_request_id} Error: "
    assert call({"do": "it"}) == "t"
    assert printed == [("Charge: f", "doing it")]
    assert call({"do": "nothing"}) is None
    kind, cause = failure(lambda: call({"do": "throw"}))
    assert (kind, cause["errorType"], cause["errorMessage"]) == ("OutOfStock", kind, "none left")
    assert cause["trace"][0] == "OutOfStock: none left"
    assert not any("bootstrap" in line for line in cause["trace"])
    assert failure(lambda: call({"do": "throw text"})) == (
        "string",
        {"errorType": "string", "errorMessage": "just text", "trace": []},
    )
    for do, error, message in [
        ("exit", "Runtime.ExitError", "Runtime exited with error: exit status 3"),
        ("kill", "Runtime.ExitError", "Runtime exited with error: signal: killed"),
        ("loop", "Sandbox.Timedout", "Task timed out after 1.00 seconds"),
    ]:
        expected = {"errorType": error, "errorMessage": request + message}
        assert failure(lambda do=do: call({"do": do})) == (error, expected)
        assert call({"do": "it"}) == "t"
    kind, cause = failure(lambda: call({"do": "reject"}))
    assert (kind, cause["errorMessage"]) == ("Runtime.UnhandledPromiseRejection", "late")


def test_a_stream_that_was_closed_meanwhile_is_no_error_when_ours_is_collected() -> None:
    stream = io.TextIOWrapper(io.BytesIO())
    ours = _Stdout(stream)
    ours.write("a line")
    stream.close()
    ours.close()  # what collecting it calls; Python 3.13 reports an exception there
    assert ours.closed


@needs_node
def test_an_endless_print_ends_with_the_time_limit(tmp_path: Path) -> None:
    counted = itertools.count()
    code = "exports.h = async (e) => { while (e.loop) console.log('x'); return 'well'; };"
    (tmp_path / "i.js").write_text(code)
    described = Function("f", "nodejs20.x", "i.h", tmp_path, timeout=1.0)
    one = handler_of(described, lambda _name, _line: next(counted))
    try:
        error, cause = failure(lambda: one({"loop": True}, Context()))
        assert error == "Sandbox.Timedout"
        assert cause["errorMessage"].endswith("Task timed out after 1.00 seconds")
        assert next(counted) > 1
        assert one({"loop": False}, Context()) == "well"
    finally:
        close([one])


NODE_LOADS = [
    ("i.h", "const x = ;", "UserCodeSyntaxError", "SyntaxError: Unexpected token ';'"),
    ("i.h", "require('nowhere')", "ImportModuleError", "Error: Cannot find module 'nowhere'"),
    ("j.h", "", "ImportModuleError", "Error: Cannot find module 'j'"),
    ("i.h", "exports.other = 1", "HandlerNotFound", "i.h is undefined or not exported"),
    ("i.h", "exports.h = 1", "HandlerNotFound", "i.h is not a function"),
]


@needs_node
@pytest.mark.parametrize(("handler", "text", "error", "message"), NODE_LOADS)
def test_node_that_does_not_load_fails_as_on_lambda(
    function: Run, handler: str, text: str, error: str, message: str
) -> None:
    kind, cause = failure(function("nodejs20.x", handler, {"i.js": text}))
    assert kind == f"Runtime.{error}"
    assert cause["errorMessage"].split("\n")[0] == message


@needs_node
def test_what_a_module_throws_when_it_is_loaded_is_the_error(function: Run) -> None:
    call = function("nodejs20.x", "i.h", {"i.js": "throw new RangeError('at load')"})
    kind, cause = failure(call)
    assert (kind, cause["errorMessage"]) == ("RangeError", "at load")


def test_without_node_the_message_names_it(function: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(HandlerLoadError, match=r"f needs Node\.js \(nodejs22\.x\).*Install it"):
        function("nodejs22.x", "i.h", {"i.js": ""})


# -- any runtime


BOOTSTRAP = """#!/bin/sh
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
exec {python} - <<'END'
import os, urllib.request as u
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with u.urlopen(api + "next") as event:
        id = event.headers["Lambda-Runtime-Aws-Request-Id"]
        body = b'{"echo":' + event.read() + b"}"
    u.urlopen(api + id + "/response", body).read()
END
"""


@pytest.mark.skipif(os.name == "nt", reason="a shell script is the bootstrap")
def test_any_bootstrap_runs(function: Run, tmp_path: Path) -> None:
    files = {"bootstrap": BOOTSTRAP.replace("{python}", sys.executable)}
    (tmp_path / "f").mkdir()
    call = function("provided.al2023", "x", files)
    (tmp_path / "f" / "bootstrap").chmod(stat.S_IRWXU)
    assert [call(1), call({"a": [2]})] == [{"echo": 1}, {"echo": {"a": [2]}}]


def test_a_missing_bootstrap_is_named(function: Run) -> None:
    with pytest.raises(HandlerLoadError, match=r"has no file .*bootstrap\. Build it first"):
        function("provided.al2023", "x", {"main.rs": ""})


@pytest.mark.skipif(os.name == "nt", reason="the words are Linux's")
def test_a_bootstrap_for_another_machine_fails_as_on_lambda(function: Run, tmp_path: Path) -> None:
    # The error of Lambda's supervisor when Go's exec fails, as in its public emulator's source.
    call = function("provided.al2023", "x", {"bootstrap": "MZ no program of this system"})
    bootstrap = tmp_path / "f" / "bootstrap"
    for mode, why in ((0o700, "exec format error"), (0o600, "permission denied")):
        bootstrap.chmod(mode)
        error, report = failure(call)
        assert error == report["errorType"] == "Runtime.InvalidEntrypoint"
        assert report["errorMessage"].endswith(f" Error: fork/exec {bootstrap}: {why}")
    assert [thread.name for thread in threading.enumerate() if "serve" in thread.name] == []


def test_what_a_function_prints_is_heard_where_pipes_can_not_be_looked_into(
    function: Run, printed: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Windows' select takes sockets alone: WSAENOTSOCK.
    def refuse(*_: Any) -> Any:
        raise OSError(10038, "an operation was attempted on something that is not a socket")

    monkeypatch.setattr(processes, "select", SimpleNamespace(select=refuse))
    code = "def h(event, context):\n    print('hello', end='\\r\\n')\n    return 1\n"
    call = function("python3.12", "i.h", {"i.py": code}, isolated=True)
    assert call() == 1
    assert [line for _, line in printed] == ["hello"]


@needs_node
def test_an_execution_sees_the_functions_error(function: Run) -> None:
    pay = function("nodejs20.x", "i.h", {"i.js": NODE})
    definition = {
        "StartAt": "Pay",
        "States": {
            "Pay": {
                "Type": "Task",
                "Resource": "arn:aws:lambda:eu-west-1:123456789012:function:pay",
                "Catch": [{"ErrorEquals": ["OutOfStock"], "Next": "Sorry"}],
                "End": True,
            },
            "Sorry": {"Type": "Pass", "End": True},
        },
    }
    execution = doorstep.run(
        definition, {"do": "throw"}, handlers={"pay": lambda event: pay(event)}
    )
    assert execution.status == "SUCCEEDED"
    assert execution.output["Error"] == "OutOfStock"


def test_what_is_printed_stands_with_its_call_however_slowly_it_is_read(
    function: Run, printed: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits, wait = threading.Event(), processes.select.select

    def slow(*arguments: Any) -> Any:
        # The thread that follows the output is kept from it; a look without a time is its.
        return waits.wait(20) if len(arguments) == 3 else wait(*arguments)

    monkeypatch.setattr(processes, "select", SimpleNamespace(select=slow))
    code = {"app.py": "def h(e, c):\n    print('one', flush=True)\n"}
    function("python3.12", "app.h", code, isolated=True, timeout=9)()
    assert printed == [("Charge: f", "one")]
    waits.set()
