"""The console in Chromium: every page and button, live, dark, by keyboard, and without scripts.

Debian's `chromium` and `chromium-driver`, or what DOORSTEP_CHROMIUM and DOORSTEP_CHROMEDRIVER name.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from click.testing import CliRunner

pytest.importorskip("uvicorn", reason="doorstep[server] is not installed")
pytest.importorskip("selenium", reason="selenium, which drives the browser, is not installed")
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

import doorstep
from doorstep_cli.main import cli
from doorstep_emulator import Deployment, Options, running

CHROMIUM = os.environ.get("DOORSTEP_CHROMIUM") or shutil.which("chromium")
DRIVER = os.environ.get("DOORSTEP_CHROMEDRIVER") or shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="chromium and chromium-driver are not installed"
)
ROOT = Path(__file__).parents[2]
ORDER = ROOT / "examples" / "order"
PICTURES = ROOT / "docs" / "pictures"
ROLE = "arn:aws:iam::123456789012:role/doorstep"
MACHINES = "arn:aws:states:us-east-1:123456789012:stateMachine"
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:sign"
SIGNED = {"Type": "Task", "Resource": ACTIVITY}
HOSTILE = "</script><script>document.title='taken'</script><img src=x onerror=alert(1)>"


class Browser:
    """A browser, and what it was seen to do."""

    def __init__(self, driver: Any, eventually: Callable[..., Any]) -> None:
        self.driver, self._eventually = driver, eventually

    def all(self, selector: str) -> list[Any]:
        return list(self.driver.find_elements(By.CSS_SELECTOR, selector))

    def wait(self, selector: str, text: str = "") -> Any:
        """The first element that matches and has the text, once there is one."""
        script = (
            "return [...document.querySelectorAll(arguments[0])]"
            ".find(e => e.textContent.includes(arguments[1])) ?? null"
        )
        return self._eventually(lambda: self.driver.execute_script(script, selector, text))

    def until(self, act: Callable[[], Any], seconds: float = 10) -> Any:
        """What an act returns, once it is true."""
        for _ in range(max(1, round(seconds / 10))):
            with suppress(AssertionError):
                return self._eventually(act)
        return self._eventually(act)

    def press(self, text: str) -> None:
        self.wait("button", text).click()

    def requests(self) -> list[str]:
        """The addresses that were asked for since the last call."""
        messages = [json.loads(one["message"]) for one in self.driver.get_log("performance")]
        sent = [one["message"] for one in messages]
        return [
            one["params"]["request"]["url"]
            for one in sent
            if one["method"] == "Network.requestWillBeSent"
        ]

    def complaints(self) -> list[str]:
        """What the browser complained about since the last call, a policy's violation for one."""
        return [one["message"] for one in self.driver.get_log("browser")]


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """The browser, with nothing of the test before: a page that is open tries to reconnect."""
    chromium.driver.get("about:blank")
    chromium.requests()
    chromium.complaints()
    yield chromium
    chromium.driver.get("about:blank")


@pytest.fixture(scope="module")
def chromium(eventually: Callable[..., Any]) -> Iterator[Browser]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage"):
        options.add_argument(f"--{argument}")
    options.add_argument("--window-size=1300,900")
    driver = webdriver.Chrome(options, webdriver.ChromeService(str(DRIVER)))
    yield Browser(driver, eventually)
    driver.quit()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Callable[[], str], Callable[[], None]]]:
    """(start, stop) of a server with a file; it always has the same port."""
    order = Deployment("order", (ORDER / "order.asl.json").read_text("utf-8"))
    stack, ports = ExitStack(), [0]

    def start() -> str:
        options = Options(
            port=ports[0],
            db=str(tmp_path / "console.db"),
            handlers=str(ORDER / "handlers.py"),
            deployments=[order],
            grace=0,
        )
        url = stack.enter_context(running(options))
        ports[0] = urlsplit(url).port or 0
        return url

    with stack:
        yield start, stack.close


@pytest.fixture
def url(server: Any) -> str:
    return str(server[0]())


@pytest.fixture
def client(url: str, aws: Callable[..., Any]) -> Any:
    return aws(url)


@pytest.fixture
def signing(client: Any, chain: Callable[..., Any]) -> str:
    """A state machine that waits for a worker, and whose refusal is caught."""
    client.create_activity(name="sign")
    catcher = {"ErrorEquals": ["Refused"], "Next": "Saved"}
    definition = chain({"Sign": {**SIGNED, "Catch": [catcher]}, "Saved": {"Type": "Pass"}})
    created = client.create_state_machine(
        name="signing", definition=json.dumps(definition), roleArn=ROLE
    )
    return str(created["stateMachineArn"])


def start(client: Any, machine: str, **options: Any) -> str:
    return str(client.start_execution(stateMachineArn=machine, **options)["executionArn"])


def page(url: str, arn: str) -> str:
    return f"{url}/console/execution?arn={quote(arn)}"


def test_an_execution_is_started_and_answered_by_buttons(
    browser: Browser, url: str, signing: str
) -> None:
    browser.driver.get(url)
    browser.wait("td a", "signing").click()
    text = browser.wait("textarea[name=input]")
    text.clear()
    text.send_keys('{"form": 7}')
    browser.wait("input[name=name]").send_keys("by-hand")
    browser.press("Start")
    browser.wait("h1", "by-hand")
    browser.wait('g.in-progress[data-state="/States/Sign"]')
    browser.driver.execute_script("window.same = true")
    browser.press("Heartbeat")
    browser.wait("h1", "by-hand")
    browser.driver.execute_script("window.same = true")
    output = browser.wait("input[name=output]")
    output.clear()
    output.send_keys('{"signed": true}')
    browser.press("Succeed")
    browser.wait("h1 .status", "SUCCEEDED")
    browser.wait('g.succeeded[data-state="/States/Sign"]')


def test_colours_follow_an_execution_that_runs(
    browser: Browser, url: str, client: Any, signing: str
) -> None:
    """The page is not loaded again: what the browser was given stays."""
    arn = start(client, signing)
    browser.driver.get(page(url, arn))
    browser.wait('g.in-progress[data-state="/States/Sign"]')
    browser.driver.execute_script("window.same = true")
    task = client.get_activity_task(activityArn=ACTIVITY)
    client.send_task_failure(taskToken=task["taskToken"], error="Refused", cause="no ink")
    browser.wait('g.caught[data-state="/States/Sign"]')
    browser.wait('g.succeeded[data-state="/States/Saved"]')
    browser.wait("h1 .status", "SUCCEEDED")
    browser.wait("#visits .outcome", "caught")
    browser.wait("#announced", "succeeded")
    assert browser.driver.execute_script("return window.same")


def test_two_tabs_follow_one_execution(
    browser: Browser, url: str, client: Any, signing: str
) -> None:
    arn = start(client, signing)
    browser.driver.get(page(url, arn))
    first = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    browser.driver.get(page(url, arn))
    browser.wait('g.in-progress[data-state="/States/Sign"]')
    client.stop_execution(executionArn=arn)
    browser.wait("h1 .status", "ABORTED")
    browser.driver.close()
    browser.driver.switch_to.window(first)
    browser.wait("h1 .status", "ABORTED")
    browser.wait('g.aborted[data-state="/States/Sign"]')


def test_a_server_that_restarts_under_a_page_loses_it_nothing(
    browser: Browser, server: Any, url: str, client: Any, signing: str
) -> None:
    arn = start(client, signing)
    browser.driver.get(page(url, arn))
    browser.wait("body.live")
    server[1]()
    browser.wait("body:not(.live)")
    assert server[0]() == url
    # Before the page is there again.
    task = client.get_activity_task(activityArn=ACTIVITY)
    client.send_task_success(taskToken=task["taskToken"], output="{}")
    browser.wait('g.succeeded[data-state="/States/Saved"]')
    browser.wait("h1 .status", "SUCCEEDED")


def test_an_execution_is_stopped_redriven_and_started_again(
    browser: Browser, url: str, client: Any, signing: str
) -> None:
    arn = start(client, signing, name="again")
    browser.driver.get(page(url, arn))
    browser.wait("form[action$=stop] input[name=error]").send_keys("Enough")
    browser.press("Stop")
    browser.wait("h1 .status", "ABORTED")
    browser.press("Redrive")
    browser.wait("h1 .status", "RUNNING")
    browser.press("Fail")
    browser.wait("h1 .status", "FAILED")
    browser.press("Start again")
    browser.wait("h1 .status", "RUNNING")
    assert arn not in browser.driver.current_url


def test_waiting_tasks_come_and_go(browser: Browser, url: str, client: Any, signing: str) -> None:
    browser.driver.get(f"{url}/console/waiting")
    browser.wait("#waiting td", "Nothing waits")
    browser.wait("body.live")
    start(client, signing, name="signed-later")
    browser.wait("#waiting a", "signed-later")
    browser.press("Succeed")
    browser.wait("#waiting td", "Nothing waits")


@pytest.fixture
def declined(client: Any, eventually: Callable[..., Any]) -> str:
    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:order"
    arn = start(client, machine, name="o-1004", input=(ORDER / "declined.json").read_text("utf-8"))
    describe = client.describe_execution
    eventually(lambda: describe(executionArn=arn)["status"] == "FAILED")
    return arn


def test_a_failure_is_found_by_keyboard_alone(browser: Browser, url: str, declined: str) -> None:
    browser.driver.get(page(url, declined))
    browser.wait("#slider:not([hidden])")

    def tab_to(wanted: str) -> Any:
        for _ in range(60):
            browser.driver.switch_to.active_element.send_keys(Keys.TAB)
            here = browser.driver.switch_to.active_element
            if here.get_attribute("aria-label") and wanted in here.get_attribute("aria-label"):
                return here
        raise AssertionError(f"{wanted} can't be reached")

    tab_to("ChargeCard").send_keys(Keys.ENTER)
    browser.wait("#visits h2", "of ChargeCard")
    browser.wait('g.chosen[data-state="/States/ChargeCard"]')
    slider = browser.wait("#slider input")
    slider.send_keys(Keys.HOME)
    browser.wait('g.not-reached[data-state="/States/ChargeCard"]')
    slider.send_keys(*[Keys.ARROW_RIGHT] * 19)
    browser.wait('g.in-progress[data-state="/States/ChargeCard"]')
    browser.wait("#moment h2", "Event 20")
    slider.send_keys(Keys.ARROW_RIGHT)
    browser.wait("#moment h2", "Event 21: TaskFailed")
    browser.driver.back()
    browser.wait("#moment h2", "Event 20")


def test_events_are_filtered_in_place(
    browser: Browser, url: str, client: Any, declined: str
) -> None:
    browser.driver.get(page(url, declined))
    browser.driver.execute_script("window.same = true")
    browser.wait("#events input[name=text]").send_keys("insufficient")
    browser.press("Filter")
    events = client.get_execution_history(executionArn=declined)["events"]
    browser.wait("#events h2 small", str(sum("insufficient" in str(one) for one in events)))
    assert browser.driver.execute_script("return window.same")
    browser.wait("#events tr.failed a").click()
    browser.wait("#moment h2", "TaskFailed")


def test_a_state_marks_its_lines_in_the_definition(
    browser: Browser, url: str, declined: str
) -> None:
    machine = quote("arn:aws:states:us-east-1:123456789012:stateMachine:order")
    browser.driver.get(f"{url}/console/machine?arn={machine}")
    browser.wait('g[data-state="/States/RefundCard"] text').click()
    browser.wait(".definition .chosen", '"RefundCard": {')
    browser.wait("a", "Colour by what").click()
    browser.wait('g.covered[data-state="/States/OrderFailed"]')


def test_two_executions_are_compared(browser: Browser, url: str, client: Any, signing: str) -> None:
    arns = [start(client, signing, name=name, input=json.dumps(name)) for name in ("a", "b")]
    browser.driver.get(f"{url}/console/machine?arn={quote(signing)}")
    for box in browser.all("input[type=checkbox]"):
        box.click()
    browser.press("Compare two")
    browser.wait("td code", '"a"')
    for arn in arns:
        client.stop_execution(executionArn=arn)


def test_dark_screens_have_dark_pages(browser: Browser, url: str, declined: str) -> None:
    def lightness(scheme: str) -> int:
        feature = {"name": "prefers-color-scheme", "value": scheme}
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        script = (
            "const of = (s, p) => getComputedStyle(document.querySelector(s))[p].match(/\\d+/g);"
            "return [of('body', 'backgroundColor'), of('.paper', 'fill'), of('body', 'color')]"
            ".map(([r, g, b]) => Number(r) + Number(g) + Number(b))"
        )
        page_colour, paper, ink = browser.driver.execute_script(script)
        assert abs(page_colour - paper) < 30
        assert abs(page_colour - ink) > 400
        return int(page_colour)

    browser.driver.get(page(url, declined))
    assert lightness("dark") < 150
    assert lightness("light") > 600
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_names_and_data_full_of_markup_are_text(
    browser: Browser, url: str, client: Any, chain: Callable[..., Any], eventually: Any
) -> None:
    name = HOSTILE[:80]
    bad = {"Type": "Fail", "Error": HOSTILE, "Cause": HOSTILE}
    definition = json.dumps(chain({name: {"Type": "Pass"}, "Bad": bad}))
    created = client.create_state_machine(name="hostile", definition=definition, roleArn=ROLE)
    arn = start(client, created["stateMachineArn"], input=json.dumps({HOSTILE: HOSTILE}))
    eventually(lambda: client.describe_execution(executionArn=arn)["status"] == "FAILED")
    browser.complaints()
    for address in (
        page(url, arn),
        f"{page(url, arn)}&state={quote(name)}&text={quote(HOSTILE)}",
        f"{url}/console/machine?arn={quote(created['stateMachineArn'])}",
    ):
        browser.driver.get(address)
        browser.wait("h1")
        assert "taken" not in browser.driver.title
        assert not browser.all("main img")
        assert len(browser.all("script")) == 1
    assert browser.complaints() == []


def test_no_page_asks_another_host_or_breaks_its_policy(
    browser: Browser, url: str, declined: str, signing: str
) -> None:
    browser.requests()
    browser.complaints()
    pages = ["", "waiting", f"machine?arn={quote(signing)}", f"execution?arn={quote(declined)}"]
    for name in pages:
        browser.driver.get(f"{url}/console/{name}")
        browser.wait("body.live")
    hosts = {urlsplit(one).netloc for one in browser.requests() if one.startswith("http")}
    assert hosts == {urlsplit(url).netloc}
    assert browser.complaints() == []


def test_a_hidden_page_is_sent_nothing(browser: Browser, url: str, signing: str) -> None:
    """Browsers allow six connections to a host: a page that nobody sees gives its own back."""
    browser.driver.get(f"{url}/console/")
    browser.wait("body.live")
    hide = (
        "Object.defineProperty(document, 'hidden', {configurable: true, value: arguments[0]});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    browser.driver.execute_script(hide, True)
    browser.wait("body:not(.live)")
    browser.driver.execute_script(hide, False)
    browser.wait("body.live")


def test_pages_work_without_scripts(browser: Browser, url: str, declined: str) -> None:
    disable = "Emulation.setScriptExecutionDisabled"
    browser.driver.execute_cdp_cmd(disable, {"value": True})
    try:
        browser.driver.get(page(url, declined))
        failure = browser.all("#head .why a")[0]
        browser.driver.get(failure.get_attribute("href"))
        assert "Event 21: TaskFailed" in browser.driver.page_source
        links = [one.get_dom_attribute("href") for one in browser.all("#drawing a")]
        (refund,) = [one for one in links if "state=RefundCard" in one]
        browser.driver.get(f"{url}{refund}")
        assert "of RefundCard" in browser.driver.page_source
        assert not browser.all("#slider:not([hidden])")
    finally:
        browser.driver.execute_cdp_cmd(disable, {"value": False})


def test_a_file_is_a_page_of_its_own(browser: Browser, tmp_path: Path) -> None:
    history, html = tmp_path / "history.json", tmp_path / "failed.html"
    order = json.loads((ORDER / "declined.json").read_text("utf-8"))
    definition = ORDER / "order.asl.json"
    run = doorstep.run(definition, order, handlers=ORDER / "handlers.py", seed=1)
    history.write_text(json.dumps({"events": run.history}), "utf-8")
    options = ["--definition", str(definition), "--html", str(html)]
    result = CliRunner().invoke(cli, ["view", str(history), *options], catch_exceptions=False)
    assert result.exit_code == 0
    browser.requests()
    browser.complaints()
    browser.driver.get(html.as_uri())
    browser.wait("article.first h2", "TaskFailed")
    browser.wait('#drawing a[href^="#event-"] g.caught').click()
    slider = browser.wait("#slider input")
    slider.send_keys(Keys.HOME)
    browser.wait('g.not-reached[data-state="/States/ChargeCard"]')
    browser.wait("article.moment:target h2", "Event 1")
    assert browser.requests() == [html.as_uri()]
    assert browser.complaints() == []


def test_the_pictures_of_the_docs_are_pages(
    browser: Browser, url: str, declined: str, signing: str, client: Any, request: Any
) -> None:
    """`pytest --doorstep-update` takes them anew: fonts differ from machine to machine."""
    start(client, signing, name="contract-7")
    machine = f"{MACHINES}:order"
    pages = {
        "console": (f"execution?arn={quote(declined)}&event=21", "#moment h2", "Event 21"),
        "console-machine": (f"machine?arn={quote(machine)}&coverage=1", "#executions a", "o-1004"),
        "console-waiting": ("waiting", "#waiting a", "contract-7"),
    }
    for name, (address, selector, text) in pages.items():
        browser.driver.get(f"{url}/console/{address}")
        browser.wait(selector, text)
        picture = PICTURES / f"{name}.png"
        if request.config.getoption("doorstep_update"):
            browser.driver.save_screenshot(str(picture))
        assert picture.read_bytes().startswith(b"\x89PNG")


# Every page is usable by everybody ----------------------------------------------------------------


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """axe-core, the checks of accessibility, from npm's registry or its cache."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("axe")
    install = [npm, "install", "--no-audit", "--no-fund", "--prefer-offline", "axe-core"]
    installed = subprocess.run(install, cwd=folder, capture_output=True, text=True)
    if installed.returncode:
        pytest.skip(f"npm could not install axe-core: {installed.stderr[-200:]}")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


def violations(browser: Browser, axe: str) -> list[str]:
    browser.driver.execute_script(axe)
    found = browser.driver.execute_async_script(
        "const done = arguments[0]; axe.run().then(result => done(result.violations.flatMap("
        "rule => rule.nodes.map(node => `${rule.id}: ${node.html.slice(0, 200)}`))))"
    )
    return list(found)


def mapped(client: Any, chain: Callable[..., Any], each: Callable[..., Any], **task: Any) -> str:
    """The state machine of a distributed Map, whose items wait for a worker."""
    client.create_activity(name="sign")
    item = {"Item": {**SIGNED, **task}}
    definition = chain({"Each": each(item, distributed=True, ToleratedFailurePercentage=100)})
    created = client.create_state_machine(
        name="mapped", definition=json.dumps(definition), roleArn=ROLE
    )
    return str(created["stateMachineArn"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_what_axe_complains_about(
    browser: Browser,
    url: str,
    client: Any,
    signing: str,
    declined: str,
    axe: str,
    scheme: str,
    chain: Callable[..., Any],
    each: Callable[..., Any],
) -> None:
    waits = start(client, signing, name="waits")
    run = start(client, mapped(client, chain, each), input="[1, 2]")
    (map_run,) = eventually_map_runs(browser, client, run)
    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:order"
    pages = [
        *("", "waiting", f"machine?arn={quote(machine)}", f"execution?arn={quote(declined)}"),
        *(f"execution?arn={quote(waits)}", f"execution?arn={quote(run)}"),
        *(f"map-run?arn={quote(map_run)}", f"machine?arn={quote(machine)}&coverage=1"),
        f"compare?arn={quote(declined)}&arn={quote(waits)}",
        "execution?arn=nothing",
    ]
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    try:
        for address in pages:
            browser.driver.get(f"{url}/console/{address}")
            for summary in browser.all("summary"):
                browser.driver.execute_script("arguments[0].parentNode.open = true", summary)
            assert violations(browser, axe) == [], address
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def eventually_map_runs(browser: Browser, client: Any, arn: str) -> list[str]:
    runs = browser.until(lambda: client.list_map_runs(executionArn=arn)["mapRuns"])
    return [one["mapRunArn"] for one in runs]


def test_reports_have_nothing_that_axe_complains_about(
    browser: Browser, axe: str, tmp_path: Path
) -> None:
    definition, handlers = ORDER / "order.asl.json", ORDER / "handlers.py"
    suite = {"definition": str(definition), "handlers": str(handlers)}
    tests = [{"name": "it works", "input": {"orderId": "one"}}]
    (tmp_path / "a.doorstep.yaml").write_text(json.dumps({**suite, "tests": tests}), "utf-8")
    results, coverage, found = (tmp_path / f"{name}.html" for name in ("results", "cov", "found"))
    options = ["--html", str(results), "--cov-report", f"html:{coverage}"]
    run = CliRunner().invoke(cli, ["test", str(tmp_path), *options], catch_exceptions=False)
    assert run.exit_code == 1
    CliRunner().invoke(cli, ["explore", str(definition), "--html", str(found), "--seconds", "5"])
    for file, text in ((results, "it works"), (coverage, "ChargeCard"), (found, "warning")):
        browser.complaints()
        browser.requests()
        browser.driver.get(file.as_uri())
        assert text in browser.driver.page_source
        assert violations(browser, axe) == [], file
        assert browser.requests() == [file.as_uri()]
        assert browser.complaints() == []


# What can be done, by buttons --------------------------------------------------------------------


def test_an_execution_is_copied_as_a_test(browser: Browser, url: str, declined: str) -> None:
    permissions = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": url}
    browser.driver.execute_cdp_cmd("Browser.grantPermissions", permissions)
    browser.driver.get(page(url, declined))

    def clipboard() -> str:
        read = "const done = arguments[0]; navigator.clipboard.readText().then(done, done)"
        return str(browser.driver.execute_async_script(read))

    def has(text: str) -> bool:
        return text in clipboard()

    for kind, text in (("pytest", "def test_o_1004_failed_with_carddeclined("), ("YAML", "mocks:")):
        browser.wait("a[data-copy-from]", kind).click()
        browser.wait("#announced.said", "Copied")
        # Of the second, that may be what is said of the first still.
        browser.until(partial(has, text))
    browser.wait("#commands summary").click()
    (command,) = [
        one
        for one in browser.all("#commands button")
        if one.get_attribute("aria-label") == "Copy the command: Redrive"
    ]
    command.click()
    browser.wait("#announced.said", "doorstep redrive")
    assert clipboard() == f"doorstep redrive {declined} --endpoint {url}"


def test_what_there_is_of_an_execution_is_downloaded(
    browser: Browser, url: str, client: Any, declined: str, tmp_path: Path
) -> None:
    where = {"behavior": "allow", "downloadPath": str(tmp_path)}
    browser.driver.execute_cdp_cmd("Browser.setDownloadBehavior", where)
    browser.driver.get(page(url, declined))
    for kind, file in (
        ("history", "o-1004.history.json"),
        ("definition", "order.asl.json"),
        ("input", "o-1004.input.json"),
        ("page", "o-1004.html"),
    ):
        browser.wait("a[download]", kind).click()
        browser.until((tmp_path / file).exists)
    history = json.loads((tmp_path / "o-1004.history.json").read_text("utf-8"))
    assert len(history["events"]) == 29
    definition = json.loads((tmp_path / "order.asl.json").read_text("utf-8"))
    assert definition == json.loads((ORDER / "order.asl.json").read_text("utf-8"))


def test_time_is_skipped_by_a_button(
    browser: Browser, url: str, client: Any, chain: Callable[..., Any]
) -> None:
    client.create_activity(name="sign")
    definition = json.dumps(chain({"Sign": {**SIGNED, "TimeoutSeconds": 86400}}))
    client.create_state_machine(name="slow", definition=definition, roleArn=ROLE)
    browser.driver.get(f"{url}/console/machine?arn={quote(f'{MACHINES}:slow')}")
    browser.wait("input[name=clock]").send_keys("virtual")
    browser.press("Start")
    browser.wait("#waiting td", "time limit")
    browser.press("Skip ahead")
    browser.wait("h1 .status", "FAILED")
    browser.wait(".why", "States.Timeout")


def test_an_execution_is_redriven_with_handlers_that_were_fixed(
    browser: Browser, aws: Callable[..., Any], chain: Callable[..., Any], tmp_path: Path
) -> None:
    handlers = tmp_path / "handlers.py"
    text = "import doorstep\n@doorstep.handler('Work')\ndef work(event):\n    return {}\n"
    handlers.write_text(text.format("1 / 0"), "utf-8")
    function = "arn:aws:lambda:us-east-1:123456789012:function:work"
    definition = json.dumps(chain({"Work": {"Type": "Task", "Resource": function}}))
    options = Options(port=0, handlers=str(handlers), deployments=[Deployment("m", definition)])
    with running(options) as url:
        arn = start(aws(url), f"{MACHINES}:m")
        browser.driver.get(page(url, arn))
        browser.wait("h1 .status", "FAILED")
        browser.wait('g.ended[data-state="/States/Work"]')
        handlers.write_text(text.format("'fixed'"), "utf-8")
        os.utime(handlers, (2_000_000_000, 2_000_000_000))
        browser.press("Redrive with the handlers as they are now")
        browser.wait("h1 .status", "SUCCEEDED")


def test_a_map_run_is_followed_in_the_drawing(
    browser: Browser,
    url: str,
    client: Any,
    chain: Callable[..., Any],
    each: Callable[..., Any],
) -> None:
    arn = start(client, mapped(client, chain, each), input="[1, 2, 3]")
    browser.driver.get(page(url, arn))
    browser.wait('g[data-state="/States/Each"] > text.counts', "3…")
    browser.driver.execute_script("window.same = true")
    tokens = [client.get_activity_task(activityArn=ACTIVITY)["taskToken"] for _ in range(3)]
    client.send_task_success(taskToken=tokens[0], output="{}")
    browser.wait('g[data-state="/States/Each"] > text.counts', "1✓ 2…")
    client.send_task_failure(taskToken=tokens[1], error="No")
    browser.wait('g[data-state="/States/Each"] > text.counts', "1✓ 1✗ 1…")
    assert browser.driver.execute_script("return window.same")
    browser.wait("#map-runs a").click()
    browser.wait("#head h1 .status", "RUNNING")
    browser.wait("#executions .status", "FAILED")
    client.send_task_success(taskToken=tokens[2], output="{}")
    browser.wait("#head h1 .status", "SUCCEEDED")
    browser.wait("#executions td a").click()
    browser.wait("h1 .status", "FAILED")
    browser.wait(".path a", "map run")
    browser.wait('g.failed[data-state="/States/Item"]')


def test_ways_are_coloured_as_they_are_taken(
    browser: Browser, url: str, client: Any, signing: str
) -> None:
    arn = start(client, signing)
    browser.driver.get(page(url, arn))
    browser.wait('g.not-reached[data-way="/States/Sign/Catch/0"]')
    browser.wait("body.live")
    task = client.get_activity_task(activityArn=ACTIVITY)
    client.send_task_failure(taskToken=task["taskToken"], error="Refused")
    browser.wait('g.caught[data-way="/States/Sign/Catch/0"]')


# Large ones ---------------------------------------------------------------------------------------


def test_six_hundred_states_are_drawn_once_and_zoomed_by_css(
    browser: Browser, url: str, client: Any, chain: Callable[..., Any]
) -> None:
    definition = json.dumps(chain({f"S{number}": {"Type": "Pass"} for number in range(600)}))
    client.create_state_machine(name="wide", definition=definition, roleArn=ROLE)
    arn = start(client, f"{MACHINES}:wide")
    browser.until(lambda: client.describe_execution(executionArn=arn)["status"] == "SUCCEEDED")
    browser.driver.get(page(url, arn))
    browser.wait('g.succeeded[data-state="/States/S599"]')
    browser.wait("body.live")
    browser.requests()
    wide = "return document.querySelector('#drawing svg').getBoundingClientRect().width"
    before = browser.driver.execute_script(wide)
    browser.wait("button[aria-label=Larger]").click()
    browser.wait("button[aria-label=Larger]").click()
    assert browser.driver.execute_script(wide) == pytest.approx(before * 1.25**2, rel=0.01)
    browser.wait("button[data-zoom='0']").click()
    assert browser.requests() == []
    browser.wait("#events a").click()
    browser.wait("#moment h2", "Event ")
    answered = [one for one in browser.requests() if "/console/execution" in one]
    assert answered
    assert all("part=1" in one for one in answered)


def test_a_long_execution_is_opened_and_scrolled(
    browser: Browser,
    url: str,
    client: Any,
    chain: Callable[..., Any],
    each: Callable[..., Any],
) -> None:
    inner = {f"S{number}": {"Type": "Pass"} for number in range(10)}
    definition = json.dumps(chain({"Each": each(inner)}))
    client.create_state_machine(name="long", definition=definition, roleArn=ROLE)
    arn = start(client, f"{MACHINES}:long", input=json.dumps(list(range(1130))))
    browser.until(lambda: client.describe_execution(executionArn=arn)["status"] != "RUNNING", 60)
    browser.driver.get(page(url, arn))
    browser.wait("#events h2", "24866")
    # What is on the page does not grow with the history.
    assert browser.driver.execute_script("return document.querySelectorAll('*').length") < 12_000
    browser.driver.execute_script("scrollTo(0, document.body.scrollHeight)")
    slider = browser.wait("#slider input")
    browser.driver.execute_script(
        "arguments[0].value = 12000; arguments[0].dispatchEvent(new Event('input'));"
        "arguments[0].dispatchEvent(new Event('change'))",
        slider,
    )
    browser.wait("#moment h2", "Event 12000")
    browser.wait("#events tr.chosen a", "12000")
    browser.wait('g.in-progress[data-state="/States/Each"]')
