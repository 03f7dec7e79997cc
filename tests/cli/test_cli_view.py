"""`doorstep view`: its pages as its own small server has them."""

from __future__ import annotations

import json
import queue
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import doorstep
from doorstep.history.child_failures import groups_of
from doorstep.pages import HistorySite, show
from doorstep.replayer import ChildFiles
from doorstep.replayer.child_histories import child_lookup
from doorstep_cli.main import cli


@pytest.fixture
def site(chain: Callable[..., Any], each: Callable[..., Any], tmp_path: Path) -> HistorySite:
    """Of an execution with three children, of which one fails."""
    items = {
        "Check": {
            "Type": "Choice",
            "Choices": [{"Variable": "$", "NumericEquals": 2, "Next": "Bad"}],
            "Default": "Good",
        },
        "Bad": {"Type": "Fail", "Error": "Two"},
        "Good": {"Type": "Succeed"},
    }
    definition = chain({"Each": each(items, distributed=True, ToleratedFailurePercentage=100)})
    files = ChildFiles(tmp_path / "children")
    execution = doorstep.start(definition, [1, 2, 3], on_event=files.on_event).wait()
    files.close(execution)
    moments = doorstep.moments({"events": execution.history}, definition)
    groups = groups_of(moments.visits, child_lookup(tmp_path / "children"))
    return HistorySite(moments, definition, "parent", groups)


def test_children_have_pages_with_the_graph_of_their_processor(site: HistorySite) -> None:
    page = site.page("") or ""
    assert page.index(">FAILED<") < page.index(">SUCCEEDED<", page.index("Executions that it"))
    pages = [site.page(f"child-{number}") or "" for number in range(3)]
    (failed,) = [page for page in pages if ">FAILED<" in page]
    assert 'class="state failed ended" data-state="/States/Bad"' in failed
    for name in ("child-3", "child--1", "child-x", "child-²", "../secret", "favicon.ico"):
        assert site.page(name) is None


def test_only_who_knows_the_address_is_shown_the_pages(
    site: HistorySite, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses: queue.Queue[str] = queue.Queue()
    servers: list[Any] = []
    serve = ThreadingHTTPServer.serve_forever

    def noted(server: Any, *arguments: Any) -> None:
        servers.append(server)
        serve(server, *arguments)

    monkeypatch.setattr(ThreadingHTTPServer, "serve_forever", noted)
    thread = threading.Thread(target=show, args=(site, addresses.put))
    thread.start()
    address = addresses.get(timeout=10)
    assert address.startswith("http://127.0.0.1:")
    with urllib.request.urlopen(address) as answer:
        assert "parent" in answer.read().decode()
    with urllib.request.urlopen(f"{address}child-0") as answer:
        assert answer.status == 200
    base = address.rsplit("/", 2)[0]
    for wrong in (f"{base}/", f"{base}/guess/", f"{address}child-9", address[:-3]):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(wrong)
        refused.value.close()
        assert refused.value.code == 404
    servers[0].shutdown()
    thread.join()


def test_a_file_of_its_own_names_what_failed_in_children(site: HistorySite, tmp_path: Path) -> None:
    (tmp_path / "h.json").write_text(json.dumps(site.moments.history), "utf-8")
    page = tmp_path / "page.html"
    result = CliRunner().invoke(cli, ["view", str(tmp_path / "h.json"), "--html", str(page)])
    assert result.exit_code == 0
    assert "<td>Each &gt; Bad</td>" in page.read_text("utf-8")
    assert "child-0" not in page.read_text("utf-8"), "there is no such page"
