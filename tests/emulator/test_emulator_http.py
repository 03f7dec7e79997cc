"""HTTP: the protocol, what is malformed, and the limits of the service model."""

from __future__ import annotations

import base64
import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
from doorstep.model.aws_model import REQUESTS, Flag, Items, Number, Text
from doorstep_emulator import Options, running

ROLE = "arn:aws:iam::123456789012:role/doorstep"
WAIT = json.dumps({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": True}}})


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running(Options(port=0)) as url:
        yield urlsplit(url).netloc


Call = Callable[..., tuple[int, Any]]


@pytest.fixture
def call(address: str, ask: Call) -> Call:
    """(operation, body, **headers) → status and JSON."""
    return partial(ask, address)


def test_the_server_says_that_it_is_well(address: str) -> None:
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.request("GET", "/health")
    told = json.loads(connection.getresponse().read())
    connection.close()
    assert told["status"] == "ok"
    assert told["lost"] == []


def test_a_browser_is_told_what_this_is(address: str) -> None:
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.request("GET", "/")
    told = connection.getresponse().read().decode()
    connection.close()
    assert f"AWS_ENDPOINT_URL_SFN=http://{address}\n" in told


@pytest.mark.parametrize("target", ["Nothing", "", "CreateActivity.More"])
def test_an_unknown_operation_is_refused(call: Call, target: str) -> None:
    status, told = call(target)
    assert (status, told["__type"]) == (400, "UnknownOperationException")


def test_an_operation_of_no_service_is_refused(address: str) -> None:
    """AWS's JSON protocol: X-Amz-Target is the service's name, a dot and the operation."""
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.request("POST", "/", b"{}", {"X-Amz-Target": "ListActivities"})
    response = connection.getresponse()
    told = json.loads(response.read())
    connection.close()
    assert (response.status, told["__type"]) == (400, "UnknownOperationException")


@pytest.mark.parametrize(
    "body",
    [b"{", b"not json", b"\xff\xfe", b"[1]", b'{"name": 1}', b'{"name": NaN}', b"[" * 100_000],
    ids=["cut", "words", "bytes", "list", "number", "NaN", "deep"],
)
def test_a_malformed_request_is_refused(call: Call, body: bytes) -> None:
    status, told = call("CreateActivity", body)
    assert (status, told["__type"]) == (400, "SerializationException")


def test_a_missing_member_is_named(call: Call) -> None:
    assert call("DescribeActivity") == (
        400,
        {
            "__type": "ValidationException",
            "message": (
                "1 validation error detected: Value null at 'activityArn' failed to satisfy "
                "constraint: Member must not be null"
            ),
        },
    )


def test_several_problems_are_told_together(call: Call) -> None:
    _, told = call("ListExecutions", {"maxResults": 1001, "statusFilter": "no"})
    assert told["message"].startswith("2 validation errors detected: ")


def test_a_definition_of_1_mib_is_taken(call: Call) -> None:
    state = {"Type": "Pass", "Comment": "x" * 1_048_400, "End": True}
    definition = json.dumps({"StartAt": "A", "States": {"A": state}})
    given = {"name": "large", "definition": definition, "roleArn": ROLE}
    assert call("CreateStateMachine", given)[0] == 200
    status, told = call("CreateStateMachine", {**given, "definition": definition + " " * 200})
    assert (status, told["__type"]) == (400, "ValidationException")


def test_a_request_that_has_no_end_is_cut_off(call: Call) -> None:
    status, told = call("CreateActivity", b" " * (9 * 1024 * 1024))
    assert (status, told["__type"]) == (400, "RequestEntityTooLarge")


@pytest.mark.parametrize(
    ("key", "account"), [("123456789012", "123456789012"), ("AKIA", "123456789012"),
                         ("000000000001", "000000000001")]
)  # fmt: skip
def test_region_and_account_are_those_of_the_signature(call: Call, key: str, account: str) -> None:
    signed = (
        f"AWS4-HMAC-SHA256 Credential={key}/20261123/eu-west-1/states/aws4_request, Signature=x"
    )
    _, told = call("CreateActivity", {"name": "here"}, Authorization=signed)
    assert told["activityArn"] == f"arn:aws:states:eu-west-1:{account}:activity:here"
    _, listed = call("ListActivities", Authorization=signed)
    assert told["activityArn"] in [one["activityArn"] for one in listed["activities"]]
    _, elsewhere = call("ListActivities", Authorization=signed.replace("eu-west", "us-west"))
    assert told["activityArn"] not in [one["activityArn"] for one in elsewhere["activities"]]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://93.184.216.34"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Host": "evil.example:8083"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "[:8083"},
        # As a page has it that was read from a name which then leads here.
        {"Origin": "http://evil.example:8083", "Host": "evil.example:8083"},
    ],
)
def test_a_page_of_another_site_is_refused(call: Call, headers: dict[str, str]) -> None:
    status, told = call("ListActivities", **headers)
    assert (status, told["__type"]) == (403, "AccessDeniedException")


@pytest.mark.parametrize("path", ["/callback/token", "/health", "/metrics", "/"])
def test_a_page_of_another_site_is_refused_everywhere(address: str, path: str) -> None:
    connection = http.client.HTTPConnection(address, timeout=10)
    method = "POST" if "callback" in path else "GET"
    headers = {"Origin": "http://evil.example", "Content-Type": "text/plain"}
    connection.request(method, path, "{}" if method == "POST" else None, headers)
    assert connection.getresponse().status == 403
    connection.close()


@pytest.mark.parametrize("path", ["/", "/skip"])
def test_of_two_names_of_the_server_the_first_counts(address: str, path: str) -> None:
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.putrequest("POST", path, skip_host=True)
    names = {"X-Amz-Target": "AWSStepFunctions.ListActivities", "Content-Length": "0"}
    for name, value in (("Host", "evil.example"), ("Host", "127.0.0.1"), *names.items()):
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == 403
    connection.close()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://127.0.0.1:3000"},
        {"Origin": "http://[::1]:3000"},
        {"Host": "localhost"},
        {"Host": "LOCALHOST:8083"},
        {"Host": "[::1]:8083"},
        {"Host": "192.168.0.7:8083"},
        {"Host": "host.docker.internal:8083"},
        {"Host": "doorstep:8083"},
        {"Host": "sync-127.0.0.1:8083"},
    ],
)
def test_whoever_is_on_this_machine_is_let_in(call: Call, headers: dict[str, str]) -> None:
    status, _ = call("ListActivities", **headers)
    assert status == 200


def test_behaviour_113_the_sync_host_is_this_host(call: Call) -> None:
    _, told = call(
        "TestState", {"definition": '{"Type": "Succeed"}'}, Host="sync-states.us-east-1.localhost"
    )
    assert told["status"] == "SUCCEEDED"


def test_a_client_that_says_nothing_holds_up_nobody(address: str, call: Call) -> None:
    host, _, port = address.partition(":")
    slow = [socket.create_connection((host, int(port))) for _ in range(20)]
    for connection in slow:
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\n{")
    assert call("ListActivities")[0] == 200
    for connection in slow:
        connection.close()
    assert call("ListActivities")[0] == 200


def test_requests_that_are_sent_at_once_are_answered_in_their_order(address: str) -> None:
    host, _, port = address.partition(":")
    text = (
        b"POST / HTTP/1.%d\r\nHost: x\r\nX-Amz-Target: AWSStepFunctions.%b\r\n"
        b"Content-Length: 2\r\n%b\r\n{}"
    )
    with socket.create_connection((host, int(port)), timeout=10) as client:
        client.sendall(text % (1, b"ListActivities", b"Expect: 100-continue\r\n"))
        client.sendall(text % (1, b"ListActivities", b"") + text % (0, b"DescribeActivity", b""))
        # A client of HTTP/1.0 takes the end of the connection for the end of the answer.
        answers = b"".join(iter(partial(client.recv, 65_536), b""))
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"100", b"200", b"200", b"400"]


def test_a_server_ends_without_a_word_of_requests_that_never_came_in_whole(
    caplog: pytest.LogCaptureFixture,
) -> None:
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n"
    target = b"X-Amz-Target: AWSStepFunctions.ListActivities\r\n\r\n"
    with running(Options(port=0, grace=0)) as url:
        place = urlsplit(url)
        client = socket.create_connection((place.hostname, place.port))
        client.sendall(head + target + b"{")
        connection = http.client.HTTPConnection(place.netloc, timeout=10)
        connection.request("GET", "/health")  # answered after what came before
        connection.getresponse().read()
        connection.close()
    client.close()
    assert [one for one in caplog.records if one.name == "uvicorn.error" and one.exc_info] == []


def test_a_worker_that_went_away_gets_no_task(address: str, call: Call) -> None:
    arn = call("CreateActivity", {"name": "left"})[1]["activityArn"]
    host, _, port = address.partition(":")
    gone = socket.create_connection((host, int(port)))
    body = json.dumps({"activityArn": arn})
    gone.sendall(
        b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AWSStepFunctions.GetActivityTask\r\n"
        + f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
    )
    gone.shutdown(socket.SHUT_WR)
    gone.settimeout(10)
    gone.close()
    states = {"A": {"Type": "Task", "Resource": arn, "End": True}}
    definition = json.dumps({"StartAt": "A", "States": states})
    machine = {"name": "left", "definition": definition, "roleArn": ROLE}
    machine_arn = call("CreateStateMachine", machine)[1]["stateMachineArn"]
    time.sleep(0.1)
    call("StartExecution", {"stateMachineArn": machine_arn})
    assert "taskToken" in call("GetActivityTask", {"activityArn": arn})[1]


def test_a_name_that_many_ask_for_at_once_is_given_once(call: Call) -> None:
    given = {"name": "race", "definition": WAIT, "roleArn": ROLE}
    machine = call("CreateStateMachine", given)[1]["stateMachineArn"]
    answers: list[tuple[int, Any]] = []

    def start(number: int) -> None:
        request = {"stateMachineArn": machine, "name": "one", "input": f"[{number}]"}
        answers.append(call("StartExecution", request))

    threads = [threading.Thread(target=start, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(status for status, _ in answers) == [200] + [400] * 7


def test_every_operation_of_the_service_model_is_there() -> None:
    from doorstep_emulator.api import OPERATIONS

    assert set(OPERATIONS) == set(REQUESTS)


# What is checked where it comes in ---------------------------------------------------------------

OWNER = "arn:aws:states:us-east-1:123456789012:"
PASS = json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})
BY_WORKER = {
    "StartAt": "T",
    "States": {"T": {"Type": "Task", "Resource": f"{OWNER}activity:typist", "End": True}},
}
NO_NUMBER = {
    "1e400": "Numeric value (1e400) out of range of double",
    "-1e400": "Numeric value (-1e400) out of range of double",
    "1" * 5_000: "Number value length (5000) exceeds the maximum allowed (4300)",
    "[" * 250 + "]" * 250: "",
}


@pytest.mark.parametrize("strange", ["\ud800", "a\0b", "a\x1b[2J", "a b", "\x9b"])
@pytest.mark.parametrize(
    ("operation", "member", "arn"),
    [
        (operation, name, f"{OWNER}execution:m:")
        for operation, table in REQUESTS.items()
        for name, limit in table.members.items()
        if isinstance(limit, Text) and limit.of == "arn"
    ],
)
def test_an_arn_with_characters_that_none_has_is_refused(
    call: Call, operation: str, member: str, arn: str, strange: str
) -> None:
    given = {
        name: {Number: 1, Flag: True, Items: [{}]}.get(type(limit), "x")
        for name, limit in REQUESTS[operation].members.items()
        if name in REQUESTS[operation].required
    }
    status, told = call(operation, json.dumps({**given, member: arn + strange}).encode())
    assert (status, told["__type"]) == (400, "InvalidArn")


@pytest.mark.parametrize("operation", ["SendTaskSuccess", "SendTaskFailure", "SendTaskHeartbeat"])
@pytest.mark.parametrize("token", ["\ud800", "a\0b"])
def test_a_token_with_characters_that_none_has_is_refused(
    call: Call, operation: str, token: str
) -> None:
    output = {"output": "{}"} if operation == "SendTaskSuccess" else {}
    status, told = call(operation, json.dumps({"taskToken": token, **output}).encode())
    assert (status, told["__type"]) == (400, "InvalidToken")


@pytest.mark.parametrize("place", ["[" * 1_500, "1" * 5_000])
def test_a_page_token_that_nobody_made_is_refused(call: Call, place: str) -> None:
    token = base64.urlsafe_b64encode(place.encode()).decode()[:3_000]
    status, told = call(
        "ListExecutions", json.dumps({"stateMachineArn": f"{OWNER}m", "nextToken": token}).encode()
    )
    assert (status, told["__type"]) in ((400, "InvalidToken"), (400, "InvalidArn"))


def test_a_description_with_half_a_surrogate_pair_is_refused(call: Call) -> None:
    request = {"stateMachineArn": f"{OWNER}stateMachine:m", "description": "\udfff"}
    status, told = call("PublishStateMachineVersion", json.dumps(request).encode())
    assert (status, told["__type"]) == (400, "ValidationException")


@pytest.mark.parametrize("number", [10**400, 2**63])
def test_a_number_that_no_long_holds_is_refused(call: Call, number: int) -> None:
    request = {"mapRunArn": f"{OWNER}mapRun:m/l:x", "maxConcurrency": number}
    status, told = call("UpdateMapRun", json.dumps(request).encode())
    assert (status, told["__type"]) == (400, "SerializationException")


def test_a_refusal_repeats_only_the_beginning_of_a_large_value(call: Call) -> None:
    status, told = call("CreateActivity", json.dumps({"name": "x" * 300_000}).encode())
    assert status == 400
    assert "(300,000 characters)" in told["message"]
    assert len(told["message"]) < 5_000


def made(call: Call, name: str, definition: str) -> str:
    request = {"name": name, "definition": definition, "roleArn": ROLE}
    return call("CreateStateMachine", json.dumps(request).encode())[1]["stateMachineArn"]


@pytest.mark.parametrize("number", NO_NUMBER, ids=["1e400", "-1e400", "digits", "deep"])
def test_a_number_that_can_not_be_held_is_refused_wherever_it_comes_in(
    call: Call, address: str, number: str
) -> None:
    why = NO_NUMBER[number]
    arn = made(call, "plain", PASS)
    status, told = call(
        "StartExecution", json.dumps({"stateMachineArn": arn, "input": number}).encode()
    )
    assert (status, told["__type"]) == (400, "InvalidExecutionInput")
    assert why in told["message"]
    definition = PASS.replace('"Pass"', f'"Pass", "Result": {number}')
    request = {"name": "number", "definition": definition, "roleArn": ROLE}
    status, told = call("CreateStateMachine", json.dumps(request).encode())
    assert (status, told["__type"]) == (400, "InvalidDefinition")
    assert why in told["message"]
    token = by_worker(call)
    request = {"taskToken": token, "output": number}
    status, told = call("SendTaskSuccess", json.dumps(request).encode())
    assert (status, told["__type"]) == (400, "InvalidOutput")
    assert why in told["message"]
    assert calling_back(address, token, number.encode()) == (400, "InvalidOutput")
    assert calling_back(address, token, b"\xff\xfe") == (400, "InvalidOutput")
    assert calling_back(address, token, b"1")[0] == 200


def by_worker(call: Call) -> str:
    """The token of a task that a worker has taken."""
    call("CreateActivity", json.dumps({"name": "typist"}).encode())
    arn = made(call, "typing", json.dumps(BY_WORKER))
    call("StartExecution", json.dumps({"stateMachineArn": arn}).encode())
    task = call("GetActivityTask", json.dumps({"activityArn": f"{OWNER}activity:typist"}).encode())
    return task[1]["taskToken"]


def calling_back(address: str, token: str, body: bytes) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.request("POST", f"/callback/{token}", body)
    response = connection.getresponse()
    told = json.loads(response.read())
    connection.close()
    return response.status, told.get("__type")


def test_half_a_surrogate_pair_in_data_goes_through_to_the_output(call: Call) -> None:
    arn = made(call, "plain", PASS)
    for text in (r'"\ud800"', '"\ud800"', r'{"\udfff\u0000": 1}'):
        request = {"stateMachineArn": arn, "input": text}
        started = call("StartExecution", json.dumps(request).encode())[1]["executionArn"]
        for _ in range(1_000):
            told = call("DescribeExecution", json.dumps({"executionArn": started}).encode())[1]
            if told["status"] != "RUNNING":
                break
        assert json.loads(told["output"]) == json.loads(text)
        status, told = call("GetExecutionHistory", json.dumps({"executionArn": started}).encode())
        assert status == 200
        assert json.loads(told["events"][-1]["executionSucceededEventDetails"]["output"]) == (
            json.loads(text)
        )


@pytest.mark.parametrize("clock", ["nan", "1e400", "1e-300", "9" * 5_000])
def test_a_clock_that_can_not_go_is_refused_in_a_sentence(call: Call, clock: str) -> None:
    request = json.dumps({"stateMachineArn": made(call, "plain", PASS)}).encode()
    status, told = call("StartExecution", request, **{"X-Doorstep-Clock": clock})
    assert (status, told["__type"]) == (400, "ValidationException")
    assert len(told["message"]) < 300


def test_a_bucket_may_be_given_as_text(ask: Call, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "items.json").write_text("[1, 2]")
    each = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "I",
        "States": {"I": {"Type": "Pass", "End": True}},
    }
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Parameters": {"Bucket": "in", "Key": "items.json"},
    }
    state = {"Type": "Map", "ItemReader": reader, "ItemProcessor": each, "End": True}
    definition = json.dumps({"StartAt": "M", "States": {"M": state}})
    with running(Options(port=0, s3_root=str(tmp_path), clock="virtual")) as url:
        call = partial(ask, urlsplit(url).netloc)
        arn = made(call, "mapped", definition)
        started = call("StartExecution", json.dumps({"stateMachineArn": arn}).encode())[1]
        described = json.dumps({"executionArn": started["executionArn"]}).encode()
        for _ in range(1_000):
            told = call("DescribeExecution", described)[1]
            if told["status"] != "RUNNING":
                break
    assert told["output"] == "[1,2]"
