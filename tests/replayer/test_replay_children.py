"""Executions that a recorded one started, replayed with it: map runs and nested executions.

What is recorded is our own run, its children's histories in a folder as `doorstep run --children`
writes them; then the definition, or a history, is another one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import doorstep
from doorstep import InputError, ReplayError
from doorstep.engine import Identity
from doorstep.replayer import ChildFiles, ChildReplay, Replay

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:"
LABEL = Identity("", "").label_of("Each")
WORK = {"Type": "Task", "Resource": FUNCTION + "work", "ResultPath": "$.done"}
KEEP = {"Type": "Pass", "Parameters": {"got.$": "$.done"}}
Definition = dict[str, Any]
Chain = Callable[..., Definition]


class Recorded:
    """A run, and the folder with the histories of its children."""

    def __init__(self, folder: Path, definition: Definition, given: Any, **options: Any) -> None:
        self.definition = definition
        self.folder = folder
        files = ChildFiles(folder)
        options = {"handlers": {"work": work}, "seed": "then", **options}
        self.execution = doorstep.run(definition, given, on_event=files.on_event, **options)
        files.close(self.execution)

    def replay(self, definition: Definition | None = None, **options: Any) -> Replay:
        options = {"children": self.folder, **options}
        return doorstep.replay(self.execution.history, definition or self.definition, **options)

    def by_arn(self) -> dict[str, Path]:
        machine = f"arn:aws:states:us-east-1:123456789012:execution:StateMachine/{LABEL}"
        return {f"{machine}:{file.stem}": file for file in self.folder.rglob("*.json")}

    def file(self, *given: Any) -> Path:
        """The history of the child that was started with this."""
        (found,) = [path for path in self.folder.rglob("*.json") if started_with(path) in given]
        return found


def started_with(file: Path) -> Any:
    first = json.loads(file.read_text())["events"][0]
    return json.loads(first["executionStartedEventDetails"]["input"])


def work(event: Any) -> Any:
    if event.get("n") == 13:
        raise doorstep.fail("Unlucky", "13")
    return 2 * event["n"] if "n" in event else event


@pytest.fixture
def each(chain: Chain, each: Chain) -> Chain:
    """A distributed Map over $.items, and what is around it."""

    def definition(processor: Definition | None = None, **fields: Any) -> Definition:
        states = processor or {"Work": WORK, "Keep": KEEP}
        shape = {"ItemsPath": "$.items", "ItemSelector": {"n.$": "$$.Map.Item.Value"}, **fields}
        return chain({"Each": each(states, distributed=True, **shape)})

    return definition


@pytest.fixture
def record(tmp_path: Path) -> Callable[..., Recorded]:
    """Records a run with the items 1, 2 and 3, or others."""

    def run(definition: Definition, *items: Any, **options: Any) -> Recorded:
        given = {"items": list(items or (1, 2, 3))}
        return Recorded(tmp_path / "children", definition, given, **options)

    return run


def verdicts(replayed: Replay) -> dict[str, str]:
    return {child.place: child.verdict for child in replayed.children}


def differing(replayed: Replay) -> list[tuple[str, str | None, int, str | None]]:
    """Of each child that differs: its place, the state, the event and where in it."""
    return [
        (child.place, found.state, found.recorded.id if found.recorded else 0, found.at)
        for child in replayed.children
        if child.replay and (found := child.replay.difference)
    ]


def the_only(replayed: Replay) -> ChildReplay:
    (child,) = replayed.children
    return child


# Map runs -----------------------------------------------------------------------------------------


def test_each_child_is_replayed_with_the_item_processor(record: Any, each: Chain) -> None:
    replayed = record(each()).replay()
    assert replayed.same
    assert verdicts(replayed) == {"Each[0]": "same", "Each[1]": "same", "Each[2]": "same"}
    first = replayed.children[0]
    assert first.replay is not None
    assert (first.replay.status, first.replay.recorded) == ("SUCCEEDED", 9)
    assert replayed.unused == []


def test_without_their_histories_nothing_is_said_of_children(record: Any, each: Chain) -> None:
    replayed = record(each()).replay(children=None)
    assert (replayed.same, replayed.children) == (True, [])


def test_the_result_of_a_writer_is_known_without_children(
    record: Any, each: Chain, tmp_path: Path
) -> None:
    def writing(bucket: str) -> Definition:
        place = {"Bucket": bucket, "Prefix": "done"}
        writer = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": place}
        selector = {"at.$": "$.ResultWriterDetails", "run.$": "$.MapRunArn"}
        return each(ResultWriter=writer, ResultSelector=selector)

    (tmp_path / "bucket" / "out").mkdir(parents=True)
    recorded = record(writing("out"), s3_root=tmp_path / "bucket")
    assert recorded.replay(children=None).same
    assert recorded.replay().same
    found = recorded.replay(writing("elsewhere"), children=None).difference
    assert (found.state, found.at) == ("Each", "output.at.Bucket")


@pytest.mark.parametrize(
    "shape", [{"ResultSelector": {"all.$": "$[*].got"}}, {"OutputPath": "$[1]"}, {}]
)
def test_the_result_is_made_of_the_childrens_outputs(
    record: Any, each: Chain, shape: Definition
) -> None:
    recorded = record(each(**shape))
    assert recorded.replay().same
    if shape:
        with pytest.raises(InputError, match="Give the histories of all its children"):
            recorded.replay(children=None)


def test_a_result_that_is_not_made_of_the_outputs_differs(record: Any, each: Chain) -> None:
    recorded = record(each())
    file = recorded.file({"n": 2})
    file.write_text(file.read_text().replace('{\\"got\\":4}', '{\\"got\\":5}'))
    found = recorded.replay().difference
    assert (found.state, found.at) == ("Each", "output[1].got")
    assert "recorded 4, now 5" in found.message


def test_another_path_in_the_processor_is_found_in_every_child(record: Any, each: Chain) -> None:
    changed = {"Work": WORK, "Keep": {"Type": "Pass", "Parameters": {"got.$": "$.n"}}}
    replayed = record(each()).replay(each(changed))
    assert replayed.difference is None
    assert not replayed.same
    assert differing(replayed) == [(f"Each[{i}]", "Keep", 8, "output.got") for i in range(3)]


def test_a_change_that_concerns_one_item_is_found_in_its_child(record: Any, each: Chain) -> None:
    rule = {"Variable": "$.n", "NumericEquals": 2, "Next": "Keep"}
    route = {"Type": "Choice", "Choices": [rule], "Default": "Work"}
    before = {"Route": {**route, "Choices": [{**rule, "NumericEquals": 9}]}, "Work": WORK}
    keep = {"Keep": {"Type": "Pass"}}
    recorded = record(each({**before, **keep}))
    replayed = recorded.replay(each({"Route": route, "Work": WORK, **keep}))
    assert verdicts(replayed) == {"Each[0]": "same", "Each[1]": "differs", "Each[2]": "same"}
    assert [(place, event) for place, _, event, _ in differing(replayed)] == [("Each[1]", 4)]
    assert replayed.children[1].name == recorded.file({"n": 2}).stem


def test_another_item_selector_is_found_in_what_the_children_are_started_with(
    record: Any, each: Chain
) -> None:
    selector = {"n.$": "$$.Map.Item.Value", "index.$": "$$.Map.Item.Index"}
    recorded = record(each(), 5, 7)
    replayed = recorded.replay(each(ItemSelector=selector))
    assert differing(replayed) == [(f"Each[{i}]", None, 1, "input.index") for i in range(2)]
    assert [child.name for child in replayed.children] == [
        recorded.file({"n": 5}).stem,
        recorded.file({"n": 7}).stem,
    ]


def test_a_child_whose_input_became_another_is_still_known(record: Any, each: Chain) -> None:
    recorded = record(each(ItemSelector={"n.$": "$$.Map.Item.Value", "v": 1}))
    file = recorded.file({"n": 2, "v": 1})
    file.write_text(file.read_text().replace('\\"v\\":1', '\\"v\\":2'))
    replayed = recorded.replay()
    assert differing(replayed) == [("Each[1]", None, 1, "input.v")]
    assert replayed.children[1].name == file.stem


def test_an_item_selector_that_fails_now_differs_in_the_map_run(record: Any, each: Chain) -> None:
    found = record(each()).replay(each(ItemSelector={"n.$": "$.gone"})).difference
    assert (found.state, found.recorded.type) == ("Each", "MapRunSucceeded")
    assert "now it fails with States.Runtime: " in found.message


def test_inputs_that_tell_children_apart_no_longer_leave_the_parent_as_it_was(
    record: Any, each: Chain
) -> None:
    replayed = record(each(), 1, 2, 3, 4, 5).replay(each(ItemSelector={"constant": True}))
    assert replayed.difference is None
    assert set(verdicts(replayed).values()) == {"differs"}


def test_children_with_the_same_input_may_give_different_outputs(record: Any, each: Chain) -> None:
    answers = iter(range(5))
    handlers = {"work": lambda _: next(answers)}
    recorded = record(each(), 1, 1, 1, 1, 1, handlers=handlers)
    assert recorded.execution.output == [{"got": number} for number in range(5)]
    assert recorded.replay().same


def test_children_are_not_looked_for_beyond_a_difference(record: Any, each: Chain) -> None:
    replayed = record(each()).replay(each(InputPath="$.gone"))
    assert replayed.difference is not None
    assert (replayed.children, replayed.unused) == ([], [])


def test_names_in_the_childrens_inputs_are_learned(record: Any, each: Chain) -> None:
    selector = {"n.$": "$$.Map.Item.Value", "by.$": "$$.Execution.Name", "id.$": "States.UUID()"}
    processor = {
        "Keep": {
            "Type": "Pass",
            "Parameters": {
                "by.$": "States.Hash($.by, 'MD5')",
                "me.$": "States.Hash($$.Execution.Id, 'MD5')",
                "i.$": "$.id",
            },
        }
    }
    replayed = record(each(processor, ItemSelector=selector), name="order-77").replay()
    assert replayed.same
    assert set(verdicts(replayed).values()) == {"same"}


def test_the_arn_of_an_express_child_is_learned(record: Any, each: Chain) -> None:
    definition = each({"Keep": {"Type": "Pass", "Parameters": {"me.$": "$$.Execution.Id"}}})
    definition["States"]["Each"]["ItemProcessor"]["ProcessorConfig"]["ExecutionType"] = "EXPRESS"
    assert record(definition).replay().same


def test_batches_are_compared_with_the_childrens_inputs(record: Any, each: Chain) -> None:
    processor = {"Count": {"Type": "Pass", "Parameters": {"c.$": "States.ArrayLength($.Items)"}}}
    recorded = record(each(processor, ItemBatcher={"MaxItemsPerBatch": 2}))
    assert verdicts(recorded.replay()) == {"Each[0]": "same", "Each[1]": "same"}
    replayed = recorded.replay(each(processor, ItemBatcher={"MaxItemsPerBatch": 3}))
    assert not replayed.same
    assert verdicts(replayed) == {"Each[0]": "differs", "Each": "unmatched"}


def test_a_child_without_a_history_is_missing(record: Any, each: Chain) -> None:
    recorded = record(each())
    recorded.file({"n": 2}).unlink()
    replayed = recorded.replay()
    assert not replayed.same
    assert verdicts(replayed) == {"Each[0]": "same", "Each[1]": "missing", "Each[2]": "same"}


def test_a_result_that_needs_the_missing_child_can_not_be_made(record: Any, each: Chain) -> None:
    recorded = record(each(ResultSelector={"all.$": "$[*].got"}))
    recorded.file({"n": 2}).unlink()
    replayed = recorded.replay()
    assert replayed.difference.message == (
        "its result can't be made: the history of the child of item 1 is missing"
    )
    assert verdicts(replayed)["Each[1]"] == "missing"


def test_a_history_too_many_in_the_map_run_is_unmatched(record: Any, each: Chain) -> None:
    recorded = record(each())
    file = recorded.file({"n": 3})
    file.with_name("another.json").write_text(file.read_text())
    replayed = recorded.replay()
    assert not replayed.same
    (unmatched,) = [child for child in replayed.children if child.verdict == "unmatched"]
    assert unmatched.place == "Each"


def test_an_unmatched_history_is_reported_and_changes_nothing(record: Any, each: Chain) -> None:
    recorded = record(each())
    other = recorded.folder / "other-run" / "one.json"
    other.parent.mkdir()
    other.write_text(recorded.file({"n": 3}).read_text())
    replayed = recorded.replay()
    assert (replayed.same, replayed.unused) == (True, ["other-run/one.json"])


def test_files_outside_of_groups_are_known_by_their_inputs(record: Any, each: Chain) -> None:
    recorded = record(each())
    for number, file in enumerate(sorted(recorded.folder.rglob("*.json"))):
        file.rename(recorded.folder / f"child{number}.json")
    replayed = recorded.replay()
    assert replayed.same
    assert len(verdicts(replayed)) == 3
    (recorded.folder / "again.json").write_text((recorded.folder / "child0.json").read_text())
    replayed = recorded.replay()
    assert (replayed.same, replayed.unused) == (True, ["child0.json"])


def test_map_runs_side_by_side_share_what_says_no_group(
    record: Any, each: Chain, chain: Chain
) -> None:
    branches = [
        chain({name: each({f"Keep{name}": {"Type": "Pass"}})["States"]["Each"]})
        for name in ("Left", "Right")
    ]
    recorded = record(chain({"Both": {"Type": "Parallel", "Branches": branches}}))
    for number, file in enumerate(sorted(recorded.folder.rglob("*.json"))):
        file.rename(recorded.folder / f"child{number}.json")
    replayed = recorded.replay()
    assert (replayed.same, replayed.unused) == (True, [])
    assert [place for place in verdicts(replayed) if "Right" in place] == [
        f"Both > Right[{index}]" for index in range(3)
    ]


def test_a_retried_map_run_has_children_of_its_own(record: Any, each: Chain) -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1, "IntervalSeconds": 60}]
    recorded = record(each(MaxConcurrency=1, Retry=retry), 1, 13, 2)
    for given in (recorded.folder, recorded.by_arn()):
        replayed = recorded.replay(children=given)
        assert replayed.same
        places = [child.place for child in replayed.children]
        assert places == ["Each[0]", "Each[1]", "Each[0]", "Each[1]"]


def test_a_redriven_map_run_is_replayed_with_what_its_children_came_to(
    each: Chain, tmp_path: Path
) -> None:
    definition = each(MaxConcurrency=1, ResultSelector={"all.$": "$[*].got"})
    files, answers = ChildFiles(tmp_path), iter([2, doorstep.fail("Unlucky"), 26, 6])
    execution = doorstep.start(
        definition,
        {"items": [1, 13, 3]},
        {"work": lambda _: next(answers)},
        on_event=files.on_event,
    )
    execution.wait()
    execution.redrive()
    execution.wait()
    assert execution.output == {"all": [2, 26, 6]}
    replayed = doorstep.replay(execution.history, definition, children=tmp_path)
    assert replayed.same
    assert [child.verdict for child in replayed.children] == ["same"] * 3


def test_of_a_retried_map_run_each_has_the_items_that_it_came_to(record: Any, each: Chain) -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]
    answers = iter([2, doorstep.fail("Unlucky"), 2, 26, 6])
    handlers = {"work": lambda _: next(answers)}
    recorded = record(each(MaxConcurrency=1, Retry=retry), 1, 13, 3, handlers=handlers)
    assert recorded.execution.status == "SUCCEEDED"
    replayed = recorded.replay()
    assert replayed.same
    assert [child.place for child in replayed.children] == [
        *("Each[0]", "Each[1]"),
        *("Each[0]", "Each[1]", "Each[2]"),
    ]


def test_log_lines_of_many_express_children_stand_in_one_file(
    record: Any, each: Chain, tmp_path: Path
) -> None:
    definition = each()
    definition["States"]["Each"]["ItemProcessor"]["ProcessorConfig"]["ExecutionType"] = "EXPRESS"
    recorded = record(definition)
    machine = f"arn:aws:states:us-east-1:123456789012:express:StateMachine/{LABEL}"
    lines = [
        json.dumps(
            {
                "id": str(event["id"]),
                "type": event["type"],
                "details": next((event[k] for k in event if k.endswith("Details")), {}),
                "previous_event_id": str(event["previousEventId"]),
                "event_timestamp": str(
                    round(datetime.fromisoformat(event["timestamp"]).timestamp() * 1000)
                ),
                "execution_arn": f"{machine}:name:{file.stem}",
            }
        )
        for file in recorded.folder.rglob("*.json")
        for event in json.loads(file.read_text())["events"]
    ]
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "express.json").write_text("\n".join(lines))
    replayed = recorded.replay(children=logs)
    assert replayed.same
    assert verdicts(replayed) == {"Each[0]": "same", "Each[1]": "same", "Each[2]": "same"}


def test_histories_are_given_by_arn_as_well(record: Any, each: Chain) -> None:
    recorded = record(each())
    replayed = recorded.replay(children=recorded.by_arn())
    assert set(verdicts(replayed).values()) == {"same"}


def test_items_of_a_bucket_are_compared_when_it_is_given(
    record: Any, each: Chain, tmp_path: Path
) -> None:
    (tmp_path / "bucket" / "in").mkdir(parents=True)
    items = tmp_path / "bucket" / "in" / "items.json"
    items.write_text("[1, 2]")
    place = {"Bucket": "in", "Key": "items.json"}
    reader = {"Resource": "arn:aws:states:::s3:getObject", "Parameters": place}
    definition = each(ItemReader=reader)
    del definition["States"]["Each"]["ItemsPath"]
    recorded = record(definition, s3_root=tmp_path / "bucket")
    bare = recorded.replay()
    assert bare.same
    assert [child.verdict for child in bare.children] == ["no items", "same", "same"]
    assert verdicts(recorded.replay(s3_root=tmp_path / "bucket")) == {
        "Each[0]": "same",
        "Each[1]": "same",
    }
    items.write_text("[1, 2, 3]")
    assert verdicts(recorded.replay(s3_root=tmp_path / "bucket"))["Each[2]"] == "missing"


def test_a_child_that_failed_then_and_would_not_now_is_found(record: Any, each: Chain) -> None:
    bad = {"Work": WORK, "Keep": {"Type": "Pass", "Parameters": {"got.$": "$.gone"}}}
    recorded = record(each(bad, ToleratedFailurePercentage=100), 1)
    assert [record["Status"] for record in recorded.execution.output] == ["FAILED"]
    replayed = recorded.replay(each(ToleratedFailurePercentage=100))
    ((place, state, event, at),) = differing(replayed)
    assert (place, state, at) == ("Each[0]", "Keep", None)
    assert replayed.children[0].replay.status == "SUCCEEDED"  # type: ignore[union-attr]
    assert event == 8


def test_the_failures_of_children_are_counted_with_the_tolerance_of_now(
    record: Any, each: Chain
) -> None:
    tolerant, strict = each(ToleratedFailureCount=1), each()
    succeeded = record(tolerant, 1, 13)
    assert succeeded.execution.status == "SUCCEEDED"
    assert succeeded.replay().same
    assert "1 of 2 items failed, now more than" in succeeded.replay(strict).difference.message


def test_a_map_run_that_failed_may_be_tolerated_now(record: Any, each: Chain) -> None:
    failed = record(each(MaxConcurrency=1), 1, 13)
    assert failed.execution.status == "FAILED"
    assert failed.replay().same
    found = failed.replay(each(MaxConcurrency=1, ToleratedFailureCount=1)).difference
    assert found.recorded.type == "MapRunFailed"
    assert found.message == "1 of 2 items failed, which is tolerated now"


def test_a_failed_map_run_may_be_tolerated_now_with_items_that_it_did_not_come_to(
    record: Any, each: Chain
) -> None:
    failed = record(each(MaxConcurrency=1), 13, 1, 2)
    found = failed.replay(each(MaxConcurrency=1, ToleratedFailurePercentage=34)).difference
    assert found.message.startswith("1 of 3 items failed, which is tolerated now; not all is known")
    assert failed.replay(each(MaxConcurrency=1, ToleratedFailurePercentage=33)).same


def test_items_that_a_failed_map_run_did_not_come_to_are_not_missed(
    record: Any, each: Chain
) -> None:
    replayed = record(each(MaxConcurrency=1), 1, 13, 3, 4).replay()
    assert replayed.same
    assert verdicts(replayed) == {"Each[0]": "same", "Each[1]": "same"}


def test_handlers_are_asked_what_the_children_asked(record: Any, each: Chain) -> None:
    replayed = record(each(), 1, 2).replay(handlers={"work": lambda event: 2})
    assert [child.verdict for child in replayed.children] == ["same", "differs"]
    asked = replayed.children[1].replay
    assert [answer.verdict for answer in asked.answers] == ["different"]  # type: ignore[union-attr]


def test_map_runs_in_children_have_children_of_their_own(
    record: Any, each: Chain, chain: Chain
) -> None:
    inner = each()["States"]["Each"]
    outer = each({"Inner": inner}, ItemSelector={"items.$": "$$.Map.Item.Value"})
    recorded = record(outer, [1, 2], [3])
    replayed = recorded.replay()
    assert replayed.same
    assert [len(child.replay.children) for child in replayed.children if child.replay] == [2, 1]
    inner["ItemSelector"] = {"n.$": "$$.Map.Item.Index"}
    changed = recorded.replay(each({"Inner": inner}, ItemSelector={"items.$": "$$.Map.Item.Value"}))
    assert changed.difference is None
    assert not changed.same


# Executions that tasks started --------------------------------------------------------------------


SUB: Definition = {
    "StartAt": "Add",
    "States": {"Add": {"Type": "Pass", "Parameters": {"y.$": "$.x"}, "End": True}},
}


def starting(pattern: str, **fields: Any) -> Definition:
    return {
        "Type": "Task",
        "Resource": f"arn:aws:states:::states:startExecution{pattern}",
        "Parameters": {"StateMachineArn": f"{MACHINE}sub", "Input": {"x.$": "$.items[0]"}},
        **fields,
    }


@pytest.mark.parametrize("pattern", ["", ".sync", ".sync:2"])
def test_an_execution_that_a_task_started_is_replayed(
    record: Any, chain: Chain, pattern: str
) -> None:
    definition = chain({"Start": starting(pattern), "Wait": {"Type": "Wait", "Seconds": 1}})
    recorded = record(definition, state_machines={"sub": SUB})
    child = the_only(recorded.replay(state_machines={"sub": SUB}))
    assert (child.place, child.verdict) == ("Start", "same")
    changed = json.loads(json.dumps(SUB).replace("$.x", "$"))
    replayed = recorded.replay(state_machines={"sub": changed})
    assert differing(replayed) == [("Start", "Add", 3, "output.y")]


def test_what_a_child_ran_has_to_be_given_to_replay_it(record: Any, chain: Chain) -> None:
    recorded = record(chain({"Start": starting(".sync")}), state_machines={"sub": SUB})
    replayed = recorded.replay()
    assert (replayed.same, verdicts(replayed)) == (True, {"Start": "no definition"})
    (recorded.folder / "sub").rename(recorded.folder / "another")
    replayed = recorded.replay(state_machines={"sub": SUB})
    assert (replayed.same, verdicts(replayed)) == (True, {"Start": "not given"})
    assert len(replayed.unused) == 1


def test_a_history_with_another_input_than_the_parent_sent_differs(
    record: Any, chain: Chain
) -> None:
    recorded = record(chain({"Start": starting(".sync")}), state_machines={"sub": SUB})
    file = recorded.file({"x": 1})
    file.write_text(file.read_text().replace('\\"x\\":1', '\\"x\\":2'))
    replayed = recorded.replay(state_machines={"sub": SUB})
    assert differing(replayed) == [("Start", None, 1, "input.x")]


def test_a_child_that_ended_otherwise_than_its_parent_has_it_differs(
    record: Any, chain: Chain
) -> None:
    recorded = record(chain({"Start": starting(".sync")}), state_machines={"sub": SUB})
    constant = {**SUB, "States": {"Add": {"Type": "Pass", "Result": {"y": 7}, "End": True}}}
    file = recorded.file({"x": 1})
    file.write_text(file.read_text().replace('\\"y\\":1', '\\"y\\":7'))
    found = the_only(recorded.replay(state_machines={"sub": constant})).replay.difference  # type: ignore[union-attr]
    assert found is not None
    assert found.message == "its parent's task has a different Output.y: 1, not 7"


def test_a_child_that_failed_is_compared_with_the_cause_that_its_parent_got(
    record: Any, chain: Chain
) -> None:
    failing = {
        "StartAt": "No",
        "States": {"No": {"Type": "Fail", "Error": "No", "Cause": "never"}},
    }
    definition = chain({"Start": starting(".sync:2")})
    recorded = record(definition, state_machines={"sub": failing})
    assert recorded.execution.error == "States.TaskFailed"
    assert the_only(recorded.replay(state_machines={"sub": failing})).verdict == "same"
    file = recorded.file({"x": 1})
    file.write_text(file.read_text().replace("never", "ever"))
    failing["States"]["No"]["Cause"] = "ever"  # type: ignore[index]
    child = the_only(recorded.replay(state_machines={"sub": failing}))
    assert child.replay.difference.message == (  # type: ignore[union-attr]
        'its parent\'s task has a different Cause: "never", not "ever"'
    )


def test_each_retry_starts_an_execution_of_its_own(record: Any, chain: Chain) -> None:
    failing = {"StartAt": "No", "States": {"No": {"Type": "Fail", "Error": "No"}}}
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 2, "IntervalSeconds": 1}]
    machine = chain({"Start": starting(".sync", Retry=retry)})
    recorded = record(machine, state_machines={"sub": failing})
    replayed = recorded.replay(state_machines={"sub": failing})
    assert [child.verdict for child in replayed.children] == ["same"] * 3


# What is given ------------------------------------------------------------------------------------


def test_a_folder_without_histories_is_refused(record: Any, each: Chain, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no histories \(\*\.json\) found"):
        record(each()).replay(children=tmp_path / "nothing")


def test_a_file_that_is_no_history_is_refused_by_name(record: Any, each: Chain) -> None:
    recorded = record(each())
    (recorded.folder / "note.json").write_text("{}")
    with pytest.raises(InputError, match=r"note\.json has no events"):
        recorded.replay()


def test_a_history_without_execution_data_is_refused_by_name(record: Any, each: Chain) -> None:
    recorded = record(each())
    file = recorded.file({"n": 2})
    history = json.loads(file.read_text())
    del history["events"][0]["executionStartedEventDetails"]["input"]
    file.write_text(json.dumps(history))
    with pytest.raises(InputError, match=f"{file.name}: event 1 .* has no input"):
        recorded.replay()


def test_children_are_named_by_their_arns(record: Any, each: Chain) -> None:
    recorded = record(each())
    with pytest.raises(InputError, match="by the ARNs of their executions, not by 'first'"):
        recorded.replay(children={"first": recorded.file({"n": 1})})


def test_another_input_is_shown_with_both_sides(record: Any, each: Chain) -> None:
    replayed = record(each(), 5).replay(each(ItemSelector={"m.$": "$$.Map.Item.Value"}))
    found = the_only(replayed).as_json()["difference"]
    for side, text in (("recorded", '{"n":5}'), ("now", '{"m":5}')):
        assert found[side]["executionStartedEventDetails"]["input"] == text


def test_a_replay_with_children_is_json(record: Any, each: Chain) -> None:
    shown = record(each(), 1).replay().as_json()
    assert shown["children"][0]["place"] == "Each[0]"
    assert (shown["children"][0]["verdict"], shown["children"][0]["events"]) == ("same", 9)
    json.dumps(shown)


# Resume -------------------------------------------------------------------------------------------


class Calls:
    """A handler that notes what it was asked."""

    def __init__(self) -> None:
        self.made: list[Any] = []

    def __call__(self, event: Any) -> Any:
        self.made.append(event["n"])
        return 2 * event["n"]


def test_only_the_children_that_failed_go_on(record: Any, each: Chain) -> None:
    recorded = record(each(ToleratedFailureCount=0), 1, 13, 3)
    assert recorded.execution.status == "FAILED"
    calls = Calls()
    resumed = doorstep.resume(
        recorded.execution.history, recorded.definition, {"work": calls}, children=recorded.folder
    )
    assert resumed.output == [{"got": 2}, {"got": 26}, {"got": 6}]
    assert 13 in calls.made
    assert 1 not in calls.made


def test_items_that_had_no_child_yet_are_done_after_it(record: Any, each: Chain) -> None:
    recorded = record(each(MaxConcurrency=1), 1, 13, 3, 4)
    calls, arns = Calls(), set[str]()
    resumed = doorstep.resume(
        recorded.execution.history, recorded.definition, {"work": calls}, children=recorded.folder,
        arn="arn:aws:states:us-east-1:123456789012:execution:StateMachine:seed-then",
        on_event=lambda execution, _: arns.add(execution.arn),
    )  # fmt: skip
    assert resumed.output == [{"got": 2}, {"got": 26}, {"got": 6}, {"got": 8}]
    assert calls.made == [13, 3, 4]
    assert len(arns) == 4


def test_a_child_may_have_ended_after_its_parent(record: Any, each: Chain) -> None:
    recorded = record(each(MaxConcurrency=1), 1, 13)
    file = recorded.file({"n": 13})
    history = json.loads(file.read_text())
    failed, ended = history["events"][-2:]
    moment = datetime.fromisoformat(ended["timestamp"]) + timedelta(seconds=2)
    failed["timestamp"] = ended["timestamp"] = moment.isoformat()
    file.write_text(json.dumps(history))
    calls = Calls()
    resumed = doorstep.resume(
        recorded.execution.history, recorded.definition, {"work": calls}, children=recorded.folder
    )
    assert resumed.output == [{"got": 2}, {"got": 26}]
    assert calls.made == [13]


def test_children_of_children_go_on_as_well(record: Any, each: Chain) -> None:
    inner = each(MaxConcurrency=1)["States"]["Each"]
    selector = {"items.$": "$$.Map.Item.Value"}
    outer = each({"Inner": inner}, ItemSelector=selector, MaxConcurrency=1)
    recorded = record(outer, [1], [2, 13, 4])
    calls = Calls()
    resumed = doorstep.resume(
        recorded.execution.history, outer, {"work": calls}, children=recorded.folder
    )
    assert resumed.output == [[{"got": 2}], [{"got": 4}, {"got": 26}, {"got": 8}]]
    assert calls.made == [13, 4]


def test_of_a_retried_map_run_only_the_last_goes_on(record: Any, each: Chain) -> None:
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]
    recorded = record(each(MaxConcurrency=1, Retry=retry), 1, 13, 3)
    calls = Calls()
    resumed = doorstep.resume(
        recorded.execution.history, recorded.definition, {"work": calls}, children=recorded.folder
    )
    assert resumed.output == [{"got": 2}, {"got": 26}, {"got": 6}]
    assert calls.made == [13, 3]


def test_children_that_still_ran_go_on(each: Chain, tmp_path: Path) -> None:
    definition = each({"Wait": {"Type": "Wait", "Seconds": 60}, "Work": WORK, "Keep": KEEP})
    files, waiting = ChildFiles(tmp_path), set[str]()

    def watch(execution: doorstep.Execution, event: Any) -> None:
        files.on_event(execution, event)
        if event.type == "WaitStateEntered":
            waiting.add(execution.arn)

    execution = doorstep.start(definition, {"items": [1, 2]}, on_event=watch)
    execution._driver.clock.run(lambda: len(waiting) == 2)
    files.close(execution)
    assert execution.status == "RUNNING"
    resumed = doorstep.resume(execution.history, definition, {"work": work}, children=tmp_path)
    assert resumed.output == [{"got": 2}, {"got": 4}]


def test_without_children_a_failed_map_run_begins_anew(record: Any, each: Chain) -> None:
    recorded = record(each(MaxConcurrency=1), 1, 13)
    calls = Calls()
    doorstep.resume(recorded.execution.history, recorded.definition, {"work": calls})
    assert calls.made == [1, 13]


def test_what_children_can_not_be_resumed_is_refused(record: Any, each: Chain) -> None:
    recorded = record(each(MaxConcurrency=1), 1, 13)

    def resume(definition: Definition, **options: Any) -> Any:
        history, handlers = recorded.execution.history, {"work": Calls()}
        return doorstep.resume(history, definition, handlers, children=recorded.folder, **options)

    with pytest.raises(InputError, match="children resume where their parent ended"):
        resume(recorded.definition, state="Each")
    changed = each({"Work": {**WORK, "ResultPath": "$.other"}, "Keep": KEEP}, MaxConcurrency=1)
    with pytest.raises(ReplayError, match=r"cannot resume the history of Each\[0\], "):
        resume(changed)
    recorded.file({"n": 1}).unlink()
    with pytest.raises(InputError, match=r"Each\[0\] has no history among those of the children"):
        resume(recorded.definition)


def test_names_that_no_drive_of_windows_takes_find_their_executions(
    tmp_path: Path, chain: Chain
) -> None:
    start = {
        name: starting(".sync", Parameters={"StateMachineArn": f"{MACHINE}aux", "Name": name})
        for name in ("con", "Order", "order", "ORDER", "order.")
    }
    machines = {"aux": {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}}
    recorded = Recorded(tmp_path / "children", chain(start), {}, state_machines=machines)
    assert sorted(
        str(one.relative_to(recorded.folder)) for one in recorded.folder.rglob("*.json")
    ) == [
        "%61ux/%4F%52%44%45%52.json",
        "%61ux/%63on.json",
        "%61ux/%6F%72%64%65%72.json",
        "%61ux/Order.json",
        "%61ux/order%2E.json",
    ]
    replayed = recorded.replay(state_machines=machines)
    assert replayed.same, replayed.difference
    assert [child.name for child in replayed.children] == list(start)
