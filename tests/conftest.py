"""An in-memory world for engine tests: the test is the driver."""

from __future__ import annotations

import http.client
import json
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from doorstep.api import compile_definition
from doorstep.engine.engine import EXECUTION, Engine
from doorstep.engine.identity import Identity
from doorstep.engine.messages import (
    Cancel,
    Command,
    Event,
    Fact,
    FactKind,
    FindActivity,
    Invoke,
    SetTimer,
)
from doorstep.engine.quotas import STANDARD
from doorstep.runtime.driver import FAULT
from doorstep.values.json_values import dumps

# CI looks at the same examples every time; elsewhere each run looks at new ones.
settings.register_profile("doorstep", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("doorstep")

IDENTITY = Identity(name="test", seed="test")


class World:
    """One execution whose facts come from the test.

    Rebuilt after every fact when asked to: the engine is thrown away, and a new one is given all
    facts so far. Whatever a test then sees, it sees of an engine that has been through a crash.
    """

    def __init__(self, definition: dict[str, Any], *, rebuilt: bool, **quotas: Any) -> None:
        self.program = compile_definition(definition)
        self.quotas = STANDARD.but(quotas)
        self.rebuilt = rebuilt
        self.facts: list[Fact] = []
        self.deleted: set[str] = set()
        """The ARNs of activities that are not there."""
        self.now = 1000.0
        self.commands: list[Command] = []
        self.engine = self._new_engine()

    def _new_engine(self) -> Engine:
        return Engine(self.program, IDENTITY, self.quotas)

    def deliver(self, kind: FactKind, key: str = "", data: Any = None) -> World:
        """Let a fact reach the execution."""
        self.facts.append(Fact(kind, self.now, key, data))
        self.commands = self.engine.receive(self.facts[-1])
        if self.rebuilt:
            self._rebuild()
        for command in self.commands:
            if isinstance(command, FindActivity):
                self.deliver("looked up", command.key, command.invoke.resource not in self.deleted)
        return self

    def _rebuild(self) -> None:
        again = self._new_engine()
        for fact in self.facts:
            commands = again.receive(fact)
        assert again.history == self.engine.history
        assert [plain(c) for c in commands] == [plain(c) for c in self.commands]
        assert [plain(c) for c in again.pending()] == [plain(c) for c in self.engine.pending()]
        self.engine, self.commands = again, commands

    def start(self, input: Any = None) -> World:
        """Start the execution."""
        return self.deliver("started", data=dumps({} if input is None else input))

    def calls(self, state: str | None = None) -> list[Invoke]:
        """The calls that wait for an answer."""
        waiting = (command for command in self.engine.pending() if isinstance(command, Invoke))
        return [call for call in waiting if state in (None, call.state)]

    def succeed(self, state: str, output: Any = None, nth: int = 0) -> World:
        """Answer a waiting call."""
        return self.deliver("succeeded", self.calls(state)[nth].key, output)

    def fail(self, state: str, error: str = "Boom", cause: str = "why", nth: int = 0) -> World:
        """Let a waiting call fail."""
        key = self.calls(state)[nth].key
        return self.deliver("failed", key, {"error": error, "cause": cause})

    def timers(self) -> list[SetTimer]:
        """The timers that are set, the execution's own left out, soonest first."""
        timers = (command for command in self.engine.pending() if isinstance(command, SetTimer))
        return sorted((t for t in timers if t.key != EXECUTION), key=lambda timer: timer.at)

    def pass_time(self, seconds: float) -> World:
        """Let time pass: what becomes due, in order."""
        until = self.now + seconds
        while self.status == "RUNNING" and (due := [t for t in self.timers() if t.at <= until]):
            self.now = due[0].at
            self.deliver("due", due[0].key, due[0].name)
        self.now = until
        return self

    @property
    def status(self) -> str:
        return self.engine.status

    @property
    def output(self) -> Any:
        return self.engine.output

    def shown(self, first: int = 1) -> list[str]:
        """The history in short, from an id on: "id<-previous Type"."""
        return [f"{e.id}<-{e.previous} {e.type}" for e in self.engine.history[first - 1 :]]

    def types(self) -> list[str]:
        return [event.type for event in self.engine.history]

    def events(self, event_type: str) -> list[Event]:
        return [event for event in self.engine.history if event.type == event_type]

    def cancelled(self) -> list[str]:
        return [command.key for command in self.commands if isinstance(command, Cancel)]


def plain(command: Command) -> tuple[Any, ...]:
    """A command without its closures, which no two engines share."""
    return tuple(
        member for member in command if not callable(member) and not hasattr(member, "run")
    )


@pytest.fixture(params=["fresh", "rebuilt"])
def world(request: pytest.FixtureRequest) -> Callable[..., World]:
    """Makes worlds; each test runs on engines that live on and on engines rebuilt all the time."""
    return lambda definition, **quotas: World(
        definition, rebuilt=request.param == "rebuilt", **quotas
    )


def chained(states: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A scope of the states in their order: each goes on to the next one unless it says more."""
    names = list(states)
    linked = {}
    for name, following in zip(names, [*names[1:], None], strict=True):
        state = states[name]
        open_end = state["Type"] not in ("Choice", "Succeed", "Fail") and "End" not in state
        if open_end and "Next" not in state:
            state = {**state, "Next": following} if following else {**state, "End": True}
        linked[name] = state
    return {"StartAt": names[0], "States": linked, **fields}


def mapped(states: dict[str, Any], *, distributed: bool = False, **fields: Any) -> dict[str, Any]:
    """A Map state whose processor is a chain of these states."""
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    processor = chained(states, **(config if distributed else {}))
    return {"Type": "Map", "ItemProcessor": processor, **fields}


@pytest.fixture
def chain() -> Callable[..., dict[str, Any]]:
    """Makes a definition (or a branch) of states, see `chained`."""
    return chained


@pytest.fixture
def each() -> Callable[..., dict[str, Any]]:
    """Makes Map states, see `mapped`."""
    return mapped


def unlike_model(shape: Any, value: Any, at: str = "") -> Iterator[str]:
    """Where a JSON value differs from a shape of botocore's model of the service."""
    kinds = SHAPE_TYPES[shape.type_name]
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        yield f"{at or '/'} is no {shape.type_name}: {value!r}"
        return
    limits = shape.metadata
    if isinstance(value, str | list) and len(value) < limits.get("min", 0):
        yield f"{at} is too short: {value!r}"
    match shape.type_name:
        case "string" if shape.enum and value not in shape.enum:
            yield f"{at} is none of {shape.enum}: {value!r}"
        case "string" if len(value) > limits.get("max", len(value)):
            yield f"{at} is too long: {value!r}"
        case "structure":
            yield from (f"{at} has no {one}" for one in set(shape.required_members) - value.keys())
            for name, inner in value.items():
                if name in shape.members:
                    yield from unlike_model(shape.members[name], inner, f"{at}/{name}")
                else:
                    yield f"{at} has a {name}, which the service has not"
        case "list":
            for index, inner in enumerate(value):
                yield from unlike_model(shape.member, inner, f"{at}/{index}")
        case "map":
            for name, inner in value.items():
                yield from unlike_model(shape.key, name, f"{at}/{name}")
                yield from unlike_model(shape.value, inner, f"{at}/{name}")


SHAPE_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "timestamp": (int, float),
}


def check_answer(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    """For botocore's `before-parse`: every answer is one that the service's model allows."""
    answer = json.loads(response_dict["body"])
    shape = operation_model.output_shape
    if response_dict["status_code"] != 200:
        code = answer.pop("__type")
        # ValidationException is common to all operations, whether or not they name it.
        shapes = {one.name: one for one in operation_model.service_model.error_shapes}
        named = {one.name for one in operation_model.error_shapes} | {"ValidationException"}
        assert code in named, f"{operation_model.name} has no {code}"
        shape = shapes[code]
    found = list(unlike_model(shape, answer))
    assert not found, f"{operation_model.name}: {found}"


@pytest.fixture(scope="session")
def checked_against_model() -> Callable[..., None]:
    """`check_answer`, for clients that are not made here."""
    return check_answer


class Faults(logging.Handler):
    """Collects what nobody foresaw, which ends an execution and would else go unnoticed."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.met: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.msg == FAULT:
            self.met.append(self.format(record))


FAULTS = Faults()
logging.getLogger("doorstep").addHandler(FAULTS)


@pytest.fixture(autouse=True)
def no_faults(request: pytest.FixtureRequest) -> Iterator[None]:
    """Doorstep meets no fault of its own, but where a test makes one: @pytest.mark.faults."""
    yield
    met = FAULTS.met[:]
    FAULTS.met.clear()
    if not request.node.get_closest_marker("faults"):
        assert met == []


@pytest.fixture(scope="module")
def store() -> str:
    """What servers of this process store in; `tests/emulator` has two."""
    return "sqlite"


@pytest.fixture(scope="module")
def aws(store: str) -> Iterator[Callable[..., Any]]:
    """Makes boto3 clients of an emulator in this process, one for each set of options.

    `url` given: of that one. Skips when boto3 or the emulator's own requirements are missing.
    """
    boto3 = pytest.importorskip("boto3", reason="boto3 is not installed")
    pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
    from botocore.config import Config

    from doorstep_emulator import Options, running

    config = Config(retries={"max_attempts": 1}, inject_host_prefix=False, read_timeout=20)
    with ExitStack() as servers:

        def client(url: str | None = None, **options: Any) -> Any:
            made = boto3.client(
                "stepfunctions",
                endpoint_url=url or servers.enter_context(running(Options(port=0, **options))),
                region_name="us-east-1",
                aws_access_key_id="anyone",
                aws_secret_access_key="anything",
                config=config,
            )
            made.meta.events.register("before-parse.sfn", check_answer)
            return made

        yield client


@pytest.fixture(scope="module")
def client(aws: Callable[..., Any]) -> Any:
    """A client of a server for the module's tests alone."""
    return aws()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name for what the test creates: its own, without the store, which has its own server."""
    bare = re.sub(r"(?<=\[)(sqlite|postgresql)-?|-(sqlite|postgresql)(?=\])", "", request.node.name)
    return bare[:80].removesuffix("[]").replace("[", "-").replace("]", "")


@pytest.fixture
def create(client: Any, name: str) -> Callable[..., Any]:
    """Creates a machine named after the test, of one Pass unless it is told otherwise."""
    one_pass = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}'
    role = "arn:aws:iam::123456789012:role/doorstep"

    def call(**more: Any) -> Any:
        given = {"name": name, "definition": one_pass, "roleArn": role, **more}
        return client.create_state_machine(**given)

    return call


@pytest.fixture
def launch() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `doorstep serve` with options in a process of its own, which ends with the test."""
    program = "from doorstep_cli.main import entry; entry()"
    with ExitStack() as processes:

        def start(*options: str) -> subprocess.Popen[str]:
            server = subprocess.Popen(
                [sys.executable, "-c", program, "serve", "--port", "0", *options],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            processes.enter_context(server)
            processes.callback(server.kill)
            return server

        yield start


@pytest.fixture
def without_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave boto3 without an account, whatever the machine's user has."""
    for name in ("PROFILE", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "REGION", "DEFAULT_REGION"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))


@pytest.fixture(scope="session")
def eventually() -> Callable[[Callable[[], Any]], Any]:
    """(act) → what it gives, once it gives something; it is called again and again until then."""

    def wait(act: Callable[[], Any]) -> Any:
        end = time.monotonic() + 10.0
        while time.monotonic() < end:
            if result := act():
                return result
            time.sleep(0.005)
        raise AssertionError("it did not happen in time")

    return wait


@pytest.fixture(scope="session")
def end_of(eventually: Callable[..., Any]) -> Callable[[Any, str], Any]:
    """(client, ARN) → the description of an execution, once it has ended."""

    def look(client: Any, arn: str) -> Any:
        described = client.describe_execution(executionArn=arn)
        return described if described["status"] != "RUNNING" else None

    return lambda client, arn: eventually(lambda: look(client, arn))


@pytest.fixture
def ended(client: Any, end_of: Callable[..., Any]) -> Callable[[str], Any]:
    """(ARN) → the same, of the module's client."""
    return partial(end_of, client)


@pytest.fixture(scope="session")
def ask() -> Callable[..., tuple[int, Any]]:
    """(host:port, operation, body, **headers) → status and JSON, without a client in between."""

    def send(address: str, operation: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(address, timeout=10)
        text = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        target = {"X-Amz-Target": f"AWSStepFunctions.{operation}"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("POST", "/", text, target | named)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        connection.close()
        return answer.status, told

    return send


@pytest.fixture(scope="session")
def refusal() -> Callable[..., tuple[str, str]]:
    """(client, operation, **request) → code and message of the error that it is answered with."""

    def code_and_message(client: Any, operation: str, /, **request: Any) -> tuple[str, str]:
        with pytest.raises(client.exceptions.ClientError) as raised:
            getattr(client, operation)(**request)
        error = raised.value.response["Error"]
        return error["Code"], error["Message"]

    return code_and_message
