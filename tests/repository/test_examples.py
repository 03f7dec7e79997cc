"""Every example runs to the end that its README tells of."""

from __future__ import annotations

import csv
import importlib.util
import json
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import doorstep

EXAMPLES = Path(__file__).parents[2] / "examples"


def module(path: str) -> ModuleType:
    """A file of the examples as a module of its own: its tables in memory start empty."""
    spec = importlib.util.spec_from_file_location(path.replace("/", "_"), EXAMPLES / path)
    assert spec
    assert spec.loader
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def given(path: str) -> Any:
    return json.loads((EXAMPLES / path).read_text("utf-8"))


def run(
    example: str,
    name: str,
    handlers: ModuleType | None = None,
    changed: dict[str, Any] | None = None,
    **options: Any,
) -> doorstep.Execution:
    """Run an example with its input `name`.json, some members of it changed."""
    [definition] = (EXAMPLES / example).glob("*.asl.json")
    return doorstep.run(
        definition,
        input={**given(f"{example}/{name}.json"), **(changed or {})},
        handlers=handlers or EXAMPLES / example / "handlers.py",
        **options,
    )


def elapsed(first: dict[str, Any], last: dict[str, Any]) -> timedelta:
    began, ended = (datetime.fromisoformat(event["timestamp"]) for event in (first, last))
    return ended - began


def took(execution: doorstep.Execution) -> timedelta:
    return elapsed(execution.history[0], execution.history[-1])


@pytest.fixture
def shop() -> Iterator[ModuleType]:
    loaded = module("order/handlers.py")
    yield loaded
    loaded.ledger.close()


@pytest.fixture
def services() -> Iterator[ModuleType]:
    loaded = module("enrichment/handlers.py")
    yield loaded
    loaded.table.close()


def rows(shop: ModuleType, columns: str, table: str) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = shop.ledger.execute(f"SELECT {columns} FROM {table}").fetchall()
    return found


def test_a_good_order_is_priced_charged_shipped_and_confirmed(shop: ModuleType) -> None:
    execution = run("order", "input", shop)
    assert execution.status == "SUCCEEDED"
    assert [item["cents"] for item in execution.output["items"]] == [2900, 1800, 1580]
    assert execution.output["payment"]["cents"] == 6280
    assert execution.output["parcel"] == {"number": "PX-order-1001"}
    assert rows(shop, "text", "messages") == [
        ("Order order-1001 is on its way: parcel PX-order-1001",)
    ]


def test_the_warehouse_answers_after_five_hours(shop: ModuleType) -> None:
    assert took(run("order", "input", shop)) == timedelta(hours=5)


def test_items_are_priced_two_at_a_time(shop: ModuleType) -> None:
    running, most = 0, 0
    for event in run("order", "input", shop).history:
        running += {"MapIterationStarted": 1, "MapIterationSucceeded": -1}.get(event["type"], 0)
        most = max(most, running)
    assert most == 2


def test_a_busy_gateway_is_asked_again_after_growing_pauses(shop: ModuleType) -> None:
    execution = run("order", "flaky", shop)
    history = execution.history
    failures = [event for event in history if event["type"] == "TaskFailed"]
    again = [
        event
        for event in history
        if event["type"] == "TaskScheduled"
        and event["previousEventId"] in {f["id"] for f in failures}
    ]
    pauses = [elapsed(failed, tried) for failed, tried in zip(failures, again, strict=True)]
    assert pauses == [timedelta(seconds=2), timedelta(seconds=4)]
    assert execution.status == "SUCCEEDED"


def test_money_is_taken_once_although_the_first_answer_got_lost(shop: ModuleType) -> None:
    execution = run("order", "lost-answer", shop)
    assert execution.status == "SUCCEEDED"
    assert "GatewayTimeout" in [
        event["taskFailedEventDetails"]["error"]
        for event in execution.history
        if event["type"] == "TaskFailed"
    ]
    assert rows(shop, "order_id, cents", "charges") == [("order-1003", 2370)]


def test_a_declined_card_ends_the_order_and_the_customer_hears_of_it(shop: ModuleType) -> None:
    execution = run("order", "declined", shop)
    assert (execution.status, execution.error) == ("FAILED", "CardDeclined")
    assert rows(shop, "*", "charges") == []
    assert rows(shop, "text", "messages") == [
        ("Order order-1004 did not go through: CardDeclined",)
    ]


def test_a_stolen_parcel_is_refunded(shop: ModuleType) -> None:
    execution = run("order", "stolen", shop)
    assert (execution.status, execution.error) == ("FAILED", "ParcelStolen")
    assert execution.cause == "taken from the loading bay"
    assert took(execution) == timedelta(hours=9)
    assert rows(shop, "charge, cents", "refunds") == rows(shop, "key, cents", "charges")


def test_a_warehouse_that_never_answers_is_given_up_after_two_days(shop: ModuleType) -> None:
    execution = run("order", "forgotten", shop)
    assert (execution.status, execution.error) == ("FAILED", "States.Timeout")
    assert took(execution) == timedelta(days=2)
    assert rows(shop, "cents", "refunds") == [(900,)]


def test_an_item_that_is_not_sold_fails_the_whole_order(shop: ModuleType) -> None:
    execution = run("order", "unknown-item", shop)
    assert (execution.status, execution.error) == ("FAILED", "InvalidOrder")
    assert "samovar" in (execution.cause or "")
    assert rows(shop, "*", "charges") == []


def test_an_empty_order_is_refused(shop: ModuleType) -> None:
    execution = run("order", "input", shop, {"items": []})
    assert (execution.status, execution.error) == ("FAILED", "InvalidOrder")


def test_the_enrichment_runs_twice_and_stores_once(services: ModuleType) -> None:
    first, second = (run("enrichment", "input", services, type="EXPRESS") for _ in range(2))
    assert first.output == {
        "country": "NL",
        "company": "Example Ltd",
        "segment": "enterprise",
        "email": "ada@example.com",
        "stored": True,
    }
    assert second.output == {**first.output, "stored": False}
    assert services.table.execute("SELECT event_id, email FROM signups").fetchall() == [
        ("signup-7f3a", "ada@example.com")
    ]


def test_a_sign_up_from_an_unknown_company_is_a_small_one(services: ModuleType) -> None:
    elsewhere = {"email": "bob@nowhere.example"}
    execution = run("enrichment", "input", services, elsewhere, type="EXPRESS")
    assert execution.output["company"] is None
    assert execution.output["segment"] == "small"


def test_an_expense_is_paid_once_the_manager_approved_a_day_later() -> None:
    execution = run("approval", "input")
    assert execution.output == {
        "expense": "exp-311",
        "transfer": "exp-311-740",
        "decidedBy": "grace",
    }
    assert took(execution) == timedelta(days=1)


def test_a_rejected_expense_fails_with_the_managers_reason() -> None:
    execution = run("approval", "rejected")
    assert (execution.error, execution.cause) == ("Rejected", "ebenezer: humbug")


def test_an_expense_that_nobody_decides_on_lapses_after_three_days() -> None:
    execution = run("approval", "unanswered")
    assert (execution.status, execution.error) == ("FAILED", "Lapsed")
    assert took(execution) == timedelta(days=3)


def test_a_small_expense_is_paid_without_asking() -> None:
    execution = run("approval", "small")
    assert execution.output["decidedBy"] == "the limit"
    assert took(execution) == timedelta(0)


def test_a_job_that_lost_its_machine_is_tried_again() -> None:
    execution = run("batch", "input")
    assert execution.output["job"]["status"] == "SUCCEEDED"
    assert took(execution) == timedelta(minutes=25 + 5 + 40)


def test_a_job_that_keeps_breaking_fails_with_its_status_reason() -> None:
    execution = run("batch", "broken")
    assert execution.error == "NoReport"
    assert execution.cause == "no report for 2025-02-29: Essential container in task exited"
    assert took(execution) == timedelta(minutes=3 * 2 + 2 * 5)


def test_a_job_that_is_too_slow_is_given_up_after_four_hours() -> None:
    execution = run("batch", "slow")
    assert (execution.status, execution.error) == ("FAILED", "TooSlow")
    assert took(execution) == timedelta(hours=4)


def test_ten_thousand_rows_are_billed_and_the_bad_batch_is_set_aside(tmp_path: Path) -> None:
    bucket = tmp_path / "bucket"
    shutil.copytree(EXAMPLES / "csv/bucket/meter-readings", bucket / "meter-readings")
    execution = run("csv", "input", s3_root=bucket)
    assert execution.status == "SUCCEEDED"
    details = execution.output["bills"]["ResultWriterDetails"]
    manifest = json.loads((bucket / details["Bucket"] / details["Key"]).read_text("utf-8"))

    def written(outcome: str) -> list[dict[str, Any]]:
        files = manifest["ResultFiles"][outcome]
        texts = [(bucket / details["Bucket"] / file["Key"]).read_text("utf-8") for file in files]
        return [child for text in texts for child in json.loads(text)]

    bills = [bill for child in written("SUCCEEDED") for bill in json.loads(child["Output"])]
    with (bucket / "meter-readings/2025-03.csv").open(encoding="utf-8") as file:
        readings = list(csv.DictReader(file))
    readable = readings[:4000] + readings[4500:]
    assert [(bill["meter"], bill["cents"]) for bill in sorted(bills, key=lambda b: b["meter"])] == [
        (row["meter"], round(float(row["kwh"]) * 31)) for row in readable
    ]
    [failed] = written("FAILED")
    assert failed["Error"] == "ValueError"


def test_the_readings_are_those_that_the_script_writes() -> None:
    written = (EXAMPLES / "csv/bucket/meter-readings/2025-03.csv").read_text("utf-8")
    assert module("csv/make_readings.py").readings() == written
