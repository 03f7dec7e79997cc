"""The console without a browser: its pages, its forms, what they escape and whom they refuse."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

import pytest
from click.testing import CliRunner

pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")

import doorstep
from doorstep.pages import EVENTS
from doorstep.pages.rendering import tree
from doorstep_cli.main import cli
from doorstep_emulator import Deployment, Options, running

ROOT = Path(__file__).parents[2]
ORDER = ROOT / "examples" / "order"
HOSTILE = "<script>alert(1)</script>\"'&\x1b[31m\u202e"
TOKEN = "arn:aws:states:::sns:publish.waitForTaskToken"


class Elements(HTMLParser):
    """The elements of a page, each with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.all: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.all if name == tag]


class Site:
    """A server, as a browser without scripts uses it."""

    def __init__(self, url: str, client: Any) -> None:
        self.host, self.client = urlsplit(url).netloc, client

    def send(self, method: str, path: str, body: str = "", **headers: str) -> Any:
        connection = http.client.HTTPConnection(self.host, timeout=30)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body or None, given)
        response = connection.getresponse()
        response.text = response.read().decode()  # type: ignore[attr-defined]
        connection.close()
        return response

    def page(self, name: str, **query: Any) -> str:
        response = self.send("GET", f"/console/{name}?{urlencode(query)}")
        assert response.status == 200, response.text
        return str(response.text)

    def form(self, page: str, /, **fields: str) -> Any:
        origin = f"http://{self.host}"
        return self.send("POST", f"/console/{page}", urlencode(fields), Origin=origin)

    def status(self, arn: str) -> str:
        return str(self.client.describe_execution(executionArn=arn)["status"])

    def token(self, arn: str) -> str | None:
        """The task token that an execution's page shows."""
        inputs = Elements(self.page("execution", arn=arn)).of("input")
        return next((one["value"] for one in inputs if one.get("name") == "token"), None)

    def machine(self, name: str, definition: Any) -> str:
        role = "arn:aws:iam::123456789012:role/doorstep"
        created = self.client.create_state_machine(
            name=name, definition=json.dumps(definition), roleArn=role
        )
        return str(created["stateMachineArn"])

    def run(self, machine: str, wait: bool = True, **options: Any) -> str:
        arn = self.client.start_execution(stateMachineArn=machine, **options)["executionArn"]
        while wait and self.status(arn) == "RUNNING":
            threading.Event().wait(0.01)
        return str(arn)


SEND = """
import doorstep

@doorstep.handler("sns:publish")
def send(message):
    return {"MessageId": "1"}
"""


@pytest.fixture(scope="module")
def site(aws: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    order = Deployment("order", (ORDER / "order.asl.json").read_text("utf-8"))
    folder = shutil.copytree(ORDER, tmp_path_factory.mktemp("handlers") / "order")
    handlers = folder / "handlers.py"
    handlers.write_text(f"{handlers.read_text('utf-8')}\n{SEND}", "utf-8")
    options = Options(port=0, clock="virtual", handlers=str(handlers), deployments=[order])
    with running(options) as url:
        yield Site(url, aws(url))


@pytest.fixture(scope="module")
def declined(site: Site) -> str:
    text = (ORDER / "declined.json").read_text("utf-8")
    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:order"
    return site.run(machine, name="declined", input=text)


def machine_of(arn: str) -> str:
    return arn.replace(":execution:", ":stateMachine:").rpartition(":")[0]


def waiting(chain: Callable[..., Any], **fields: Any) -> Any:
    message = {"TopicArn": "t", "Message.$": "$$.Task.Token"}
    ask = {"Type": "Task", "Resource": TOKEN, "Parameters": message, **fields}
    return chain({"Ask": ask})


def test_a_browser_is_sent_to_the_console_and_a_program_is_not(site: Site) -> None:
    browser = site.send("GET", "/", Accept="text/html,*/*")
    assert (browser.status, browser.headers["Location"]) == (303, "/console/")
    assert "AWS_ENDPOINT_URL_SFN" in site.send("GET", "/", Accept="*/*").text


def test_every_page_has_a_strict_policy(site: Site, declined: str) -> None:
    pages = ["", "waiting", f"execution?arn={quote(declined)}", "static/console.js", "nothing-else"]
    for page in pages[:-1]:
        response = site.send("GET", f"/console/{page}")
        policy = response.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("page", ["", "machine", "execution", "waiting"])
def test_pages_have_no_script_or_style_inside(site: Site, declined: str, page: str) -> None:
    arns = {"machine": machine_of(declined), "execution": declined}
    elements = Elements(site.page(page, arn=arns.get(page, "")))
    assert [one["src"] for one in elements.of("script")] == ["/console/static/console.js"]
    assert not elements.of("style")
    for _, attributes in elements.all:
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("href", "src", "action"):
            assert (attributes.get(name) or "/").startswith(("/console/", "#", "?", "/"))


def test_state_machines_are_listed_with_what_became_of_them(site: Site, declined: str) -> None:
    page = site.page("")
    assert ">order</a>" in page
    assert ">declined</a>" in page
    assert ">order</a>" not in site.page("", q="no such name")


def test_a_state_machine_has_its_graph_and_its_definition(site: Site, declined: str) -> None:
    page = site.page("machine", arn=machine_of(declined))
    assert 'data-state="/States/ChargeCard"' in page
    lines = re.findall(r'<span id="line-\d+" data-owner="([^"]*)">(.*)', page)
    owners = {owner for owner, text in lines if "PriceItem" in text}
    assert "/States/PriceItems/ItemProcessor/States/PriceItem" in owners
    assert ("", "{") in lines
    assert ">declined</a>" in page
    assert ">declined</a>" not in site.page("machine", arn=machine_of(declined), status="RUNNING")


def test_a_state_machine_is_coloured_by_what_its_executions_used(site: Site, declined: str) -> None:
    page = site.page("machine", arn=machine_of(declined), coverage="1")
    assert re.search(r'class="state (partly-)?covered" data-state="/States/ChargeCard"', page)
    assert 'class="state not-covered" data-state="/States/RefundCard"' in page


def test_executions_are_listed_in_pages(site: Site, chain: Callable[..., Any]) -> None:
    machine = site.machine("many", chain({"A": {"Type": "Pass"}}))
    for number in range(51):
        site.run(machine, wait=number == 50, name=f"run-{number:02}")
    first = site.page("machine", arn=machine)
    assert "run-50" in first
    assert "run-00" not in first
    (following,) = [link["href"] for link in Elements(first).of("a") if link.get("rel") == "next"]
    assert "run-00" in site.send("GET", following or "").text


def test_an_execution_shows_what_happened(site: Site, declined: str) -> None:
    page = site.page("execution", arn=declined)
    assert "FAILED" in page
    assert "insufficient funds" in page
    assert 'class="state caught" data-state="/States/ChargeCard"' in page
    assert 'class="state not-reached" data-state="/States/RefundCard"' in page
    assert "Event 21: TaskFailed" in page
    assert "Show the failure: event 21" in page


def test_the_data_at_an_event_is_what_debug_shows(site: Site, declined: str) -> None:
    page = site.page("execution", arn=declined, event=21)
    for heading in ("error", "cause", "input", "asked", "variables", "context"):
        assert f"<h3>{heading}</h3>" in page
    assert "Difference to event " in page
    definition = json.loads((ORDER / "order.asl.json").read_text("utf-8"))
    history = json.loads(site.page("file", what="history", arn=declined))
    data = doorstep.moments(history, definition, arn=declined)[20].data()
    assert data["context"]["Execution"]["Name"] == "declined"
    for name, value in data["stages"].items():
        assert f"<h3>{name}</h3>{tree(value)}" in page


def test_events_are_filtered(site: Site, declined: str) -> None:
    def ids(**query: Any) -> list[int]:
        page = site.page("execution", arn=declined, event=1, **query)
        body = page[page.index('id="events"') :]
        return [int(one) for one in re.findall(r"<tr class=.*?>(\d+)</a>", body)]

    assert len(ids()) == 29
    assert ids(type="TaskFailed") == [21]
    assert ids(state="PriceItem", iteration="0")
    assert ids(state="PriceItem", iteration="7") == []
    assert ids(text="insufficient FUNDS")
    assert ids(failed=1) == [21, 28, 29]
    assert ids(since="0", until="3600") == ids()
    assert ids(since="3600") == []
    assert ids(page="99") == ids(page="-1") == ids(page="x") == ids()


def test_steps_of_the_graph_end_as_the_graph_does(site: Site, declined: str) -> None:
    page = site.page("execution", arn=declined)
    timeline = json.loads(site.page("file", arn=declined, what="steps"))
    pointers = timeline["pointers"]
    colours = {pointers[state]: colour for _, state, colour, _ in timeline["steps"]}
    drawn = re.findall(r'class="state (\w+)(?: ended)?" data-state="([^"]+)"', page)
    assert colours == {pointer: colour for colour, pointer in drawn}


def test_an_execution_is_started_stopped_and_redriven(
    site: Site, chain: Callable[..., Any]
) -> None:
    machine = site.machine("forms", waiting(chain))
    started = site.form("start", arn=machine, name="one", input='{"a": 1}', clock="real")
    assert started.status == 303
    assert "RUNNING" in site.send("GET", started.headers["Location"]).text
    arn = unquote(started.headers["Location"].partition("arn=")[2])
    stopped = site.form("stop", arn=arn, error="Enough", cause="for today")
    assert "ABORTED" in site.send("GET", stopped.headers["Location"]).text
    described = site.client.describe_execution(executionArn=arn)
    assert (described["error"], described["cause"]) == ("Enough", "for today")
    redriven = site.form("redrive", arn=arn)
    assert "RUNNING" in site.send("GET", redriven.headers["Location"]).text
    site.form("stop", arn=arn)


def test_what_waits_is_answered(
    site: Site, chain: Callable[..., Any], eventually: Callable[..., Any]
) -> None:
    machine = site.machine("asks", waiting(chain, HeartbeatSeconds=600))
    answers = {
        "SendTaskSuccess": ({"output": '{"ok": true}'}, "SUCCEEDED"),
        "SendTaskFailure": ({"error": "No", "cause": "not today"}, "FAILED"),
    }
    for operation, (fields, status) in answers.items():
        site.form("start", arn=machine, name=operation, clock="real")
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{operation}"
        token = eventually(partial(site.token, arn))
        assert token in site.page("waiting")
        beat = site.form("answer", operation="SendTaskHeartbeat", token=token)
        assert beat.headers["Location"] == "/console/waiting"
        site.form("answer", operation=operation, token=token, arn=arn, **fields)
        assert site.client.describe_execution(executionArn=arn)["status"] == status
        assert site.form("answer", operation=operation, token=token, **fields).status == 400


@pytest.mark.parametrize("name", ["start", "stop", "redrive", "answer", "skip"])
def test_forms_of_other_pages_are_refused(site: Site, declined: str, name: str) -> None:
    port = int(site.host.rpartition(":")[2])
    for origin in ("https://example.com", "null", f"http://127.0.0.1:{port + 1}", None):
        headers = {} if origin is None else {"Origin": origin}
        body = urlencode({"arn": declined})
        assert site.send("POST", f"/console/{name}", body, **headers).status == 403
    assert site.send("GET", f"/console/{name}").status == 405


def test_what_is_missing_is_said(site: Site) -> None:
    gone = "arn:aws:states:us-east-1:123456789012:execution:order:gone"
    response = site.send("GET", f"/console/execution?arn={gone}")
    assert response.status == 404
    assert "Execution Does Not Exist" in response.text
    assert site.send("GET", "/console/execution").status == 400
    assert site.send("GET", "/console/machine?arn=%00%ff").status == 400
    assert site.form("start", arn="arn:x").status == 400


def test_names_and_data_are_text(site: Site, chain: Callable[..., Any]) -> None:
    bad = {"Type": "Fail", "Error": HOSTILE, "Cause": HOSTILE + "\ud800"}
    machine = site.machine("hostile", chain({HOSTILE: {"Type": "Pass"}, "End</pre>": bad}))
    arn = site.run(machine, input=json.dumps({HOSTILE: [HOSTILE]}))
    for name, key in (("machine", machine), ("execution", arn)):
        page = site.page(name, arn=key, coverage="1")
        assert "<script>alert" not in page
        assert "\x1b" not in page
        assert "\u202e" not in page
        assert "&lt;script&gt;alert" in page
        assert len(Elements(page).of("script")) == 1


def test_two_executions_are_compared(site: Site, declined: str) -> None:
    text = (ORDER / "input.json").read_text("utf-8")
    other = site.run(machine_of(declined), name="fine", input=text)
    query = urlencode([("arn", declined), ("arn", other)])
    page = site.send("GET", f"/console/compare?{query}").text
    assert "<code>status</code>" in page
    assert "visits are the same" in page
    assert site.send("GET", f"/console/compare?arn={quote(other)}").status == 400


def test_an_execution_says_why_children_of_its_map_failed(
    site: Site, chain: Callable[..., Any], each: Callable[..., Any]
) -> None:
    items = {"Check": {"Type": "Fail", "Error": "CardDeclined", "Cause": "no funds"}}
    machine = site.machine("mapfails", chain({"Each": each(items, distributed=True)}))
    page = site.page("execution", arn=site.run(machine, input="[1, 2]"))
    assert "States.ExceedToleratedFailureThreshold" in page
    assert re.search(r"CardDeclined in Each &gt; Check \((2 children: |child )", page)
    assert "no funds" in page


def test_an_express_child_that_has_ended_has_a_page_with_its_input_and_end(
    site: Site, chain: Callable[..., Any], each: Callable[..., Any]
) -> None:
    items = {"Check": {"Type": "Fail", "Error": "CardDeclined", "Cause": "no funds"}}
    definition = chain({"Each": each(items, distributed=True)})
    text = json.dumps(definition).replace('"STANDARD"', '"EXPRESS"')
    machine = site.machine("quickmap", json.loads(text))
    arn = site.run(machine, input='["item-17"]')
    run = site.client.list_map_runs(executionArn=arn)["mapRuns"][0]["mapRunArn"]
    (child,) = site.client.list_executions(mapRunArn=run)["executions"]
    assert ":express:" in child["executionArn"]
    page = site.page("execution", arn=child["executionArn"])
    assert all(text in page for text in ("CardDeclined", "no funds", "item-17"))


def test_a_map_run_has_its_counters_and_executions(
    site: Site, chain: Callable[..., Any], each: Callable[..., Any]
) -> None:
    machine = site.machine(
        "mapped", chain({"Each": each({"Item": {"Type": "Pass"}}, distributed=True)})
    )
    arn = site.run(machine, input="[1, 2, 3]")
    (link,) = [
        one["href"]
        for one in Elements(site.page("execution", arn=arn)).of("a")
        if "/console/map-run" in (one.get("href") or "")
    ]
    page = site.send("GET", link or "").text
    assert page.count('succeeded">SUCCEEDED') == 4
    child = next(one["href"] for one in Elements(page).of("a") if "%2F" in (one.get("href") or ""))
    assert "map run</a>" in site.send("GET", child or "").text


def test_a_long_history_is_shown_in_pages(
    site: Site, chain: Callable[..., Any], each: Callable[..., Any]
) -> None:
    """25,000 events are as many as an execution may have."""
    inner = {f"S{number}": {"Type": "Pass"} for number in range(10)}
    machine = site.machine("long", chain({"Each": each(inner)}))
    arn = site.run(machine, input=json.dumps(list(range(1100))))
    page = site.page("execution", arn=arn)
    assert "Page 122 of 122" in page
    assert page.count("<tr class=") <= EVENTS
    assert len(page) < 700_000
    assert "Page 1 of 122" in site.page("execution", arn=arn, page=1)
    assert "more iterations" in page


def test_changes_are_streamed_from_the_version_that_a_page_has(site: Site, declined: str) -> None:
    def first_message(query: str = "", **headers: str) -> tuple[str, dict[str, Any]]:
        connection = http.client.HTTPConnection(site.host, timeout=30)
        address = f"/console/stream/execution?arn={quote(declined)}{query}"
        connection.request("GET", address, headers=headers)
        response = connection.getresponse()
        assert response.headers["Content-Type"].startswith("text/event-stream")
        lines = iter(lambda: response.readline().decode(), "")
        version = next(line for line in lines if line.startswith("id: "))
        data = next(line for line in lines if line.startswith("data: "))
        connection.close()
        return version.split()[1], dict(json.loads(data.removeprefix("data: ")))

    version, parts = first_message()
    assert (parts["last"], parts["status"]) == (29, "FAILED")
    assert parts["mark:/States/ChargeCard"] == ["caught", "", False]
    assert parts["mark:/States/ChargeCard/Catch/0"][0] == "caught"
    assert "insufficient funds" in parts["head"]
    assert first_message(**{"Last-Event-ID": "of a server before"}) == (version, parts)
    page = site.page("execution", arn=declined)
    (line,) = [one for one in Elements(page).of("p") if one.get("id") == "announced"]
    # A page that is as the server has it is sent nothing.
    assert first_message(f"&version={line['data-version']}&event=1")[0] != version
    assert line["data-version"] == version


def test_more_tasks_than_anybody_reads_are_counted(
    site: Site, chain: Callable[..., Any], each: Callable[..., Any], eventually: Callable[..., Any]
) -> None:
    message = {"TopicArn": "t", "Message.$": "$$.Task.Token"}
    ask = {"Type": "Task", "Resource": TOKEN, "Parameters": message}
    machine = site.machine("asks-many", chain({"Each": each({"Ask": ask})}))
    arns = []
    for name in ("one", "two", "three"):
        # Forty iterations of a Map run at a time.
        items = str(list(range(40)))
        started = site.form("start", arn=machine, name=name, clock="real", input=items)
        arns.append(unquote(started.headers["Location"].partition("arn=")[2]))
    eventually(lambda: re.search(r"and \d+ more", site.page("waiting")))
    assert site.page("waiting").count('value="SendTaskHeartbeat"') == 100
    for arn in arns:
        site.form("stop", arn=arn)


def test_executions_are_found_by_text_and_time(site: Site, declined: str) -> None:
    machine = machine_of(declined)
    for text in ("DECLINED", "order-1004", "insufficient"):
        assert ">declined</a>" in site.page("machine", arn=machine, text=text)
    assert ">declined</a>" not in site.page("machine", arn=machine, text="no such text")
    assert ">declined</a>" in site.page("machine", arn=machine, since="2020-01-01T00:00")
    assert ">declined</a>" not in site.page("machine", arn=machine, since="2999-01-01T00:00")
    assert ">declined</a>" in site.page("machine", arn=machine, since="yesterday")


def test_an_express_execution_has_a_page_after_its_end(
    site: Site, chain: Callable[..., Any], eventually: Callable[..., Any]
) -> None:
    """The API has none of it: DescribeExecution refuses it, as on AWS."""
    definition = json.dumps(chain({"Oops": {"Type": "Fail", "Error": "Oops"}}))
    role = "arn:aws:iam::123456789012:role/doorstep"
    created = site.client.create_state_machine(
        name="quick", definition=definition, roleArn=role, type="EXPRESS"
    )
    machine = created["stateMachineArn"]
    arn = site.client.start_execution(stateMachineArn=machine, name="e-1")["executionArn"]
    page = eventually(lambda: "FAILED" in (text := site.page("machine", arn=machine)) and text)
    (link,) = [one["href"] for one in Elements(page).of("a") if "execution?" in str(one["href"])]
    shown = site.send("GET", link or "").text
    assert quote(arn) in (link or "")
    assert 'class="state failed ended" data-state="/States/Oops"' in shown
    assert "Redrive" not in shown
    assert json.loads(site.page("file", arn=arn, what="history"))["events"]
    assert "def test_" in site.page("file", arn=arn, what="pytest")


def test_time_is_skipped_over_a_limit_that_a_worker_might_meet(
    site: Site, chain: Callable[..., Any], eventually: Callable[..., Any]
) -> None:
    machine = site.machine("skips", waiting(chain, TimeoutSeconds=3600))
    arn = site.run(machine, wait=False, name="one")
    eventually(partial(site.token, arn))
    assert "time limit" in site.page("waiting")
    back = site.form("skip", arn=arn, back="waiting")
    assert back.headers["Location"] == "/console/waiting"
    eventually(lambda: site.status(arn) == "FAILED")
    described = site.client.describe_execution(executionArn=arn)
    assert described["error"] == "States.Timeout"
    assert (described["stopDate"] - described["startDate"]).total_seconds() >= 3600
    assert site.form("skip", arn=arn).status == 400


def test_time_that_is_the_machines_can_not_be_skipped(
    site: Site, chain: Callable[..., Any], eventually: Callable[..., Any]
) -> None:
    machine = site.machine("is-real", waiting(chain, TimeoutSeconds=3600))
    started = site.form("start", arn=machine, name="one", clock="real")
    arn = unquote(started.headers["Location"].partition("arn=")[2])
    eventually(partial(site.token, arn))
    assert "Skip ahead" not in site.page("execution", arn=arn)
    refused = site.form("skip", arn=arn)
    assert (refused.status, "its clock is real" in refused.text) == (400, True)
    site.form("stop", arn=arn)


@pytest.mark.parametrize("name", ["execution", "map-run", "machine", "file", "stream/nothing"])
def test_what_is_asked_for_with_nonsense_is_refused_in_a_page(site: Site, name: str) -> None:
    for query in ("arn=x", "arn=%00", "arn=" + "a" * 3000, "event=-1&page=x", "what=../../etc"):
        response = site.send("GET", f"/console/{name}?{query}")
        assert response.status in (400, 404), query
        assert "Traceback" not in response.text


def test_the_command_skips_as_the_button_does(
    site: Site, chain: Callable[..., Any], eventually: Callable[..., Any]
) -> None:
    machine = site.machine("by-command", waiting(chain, TimeoutSeconds=3600))
    arn = site.run(machine, wait=False, name="one")
    eventually(partial(site.token, arn))
    command = ["skip", "--execution", "by-command:one", "--endpoint", f"http://{site.host}"]
    skipped = CliRunner().invoke(cli, command)
    assert (skipped.exit_code, "It is 2" in skipped.stderr) == (0, True)
    eventually(lambda: site.status(arn) == "FAILED")
    assert CliRunner().invoke(cli, command).exit_code == 2
    assert CliRunner().invoke(cli, ["skip"]).exit_code == 2
