"""Tests of state machines written as YAML: what a suite may say, and what it tells."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from doorstep.errors import InputError
from doorstep.testing.suites import find
from doorstep.testing.suites.files import EXPECT, SETTINGS, STATE, SUITE, TEST, read, schema
from doorstep.testing.suites.results import Result, as_json, junit, run, session_of

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "suites.md"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:work"
MACHINE = {
    "StartAt": "Work",
    "States": {
        "Work": {
            "Type": "Task",
            "Resource": FUNCTION,
            "Retry": [{"ErrorEquals": ["Busy"]}],
            "Catch": [{"ErrorEquals": ["Odd"], "ResultPath": "$.problem", "Next": "Saved"}],
            "Next": "Pause",
        },
        "Pause": {"Type": "Wait", "Seconds": 7200, "Next": "Each"},
        "Each": {
            "Type": "Map",
            "ItemProcessor": {"StartAt": "Item", "States": {"Item": {"Type": "Succeed"}}},
            "End": True,
        },
        "Saved": {"Type": "Pass", "End": True},
    },
}
HANDLERS = """
import datetime

def work(event):
    if event == "now":
        return [datetime.datetime.now(datetime.UTC).isoformat()]
    return event["items"]
"""
Results = Callable[..., list[Result]]


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """Runs a suite of the machine above; `head` stands in place of what says so."""
    (tmp_path / "work.asl.json").write_text(json.dumps(MACHINE))
    (tmp_path / "handlers.py").write_text(HANDLERS)

    def run_all(tests: str, head: str = "handlers: handlers.py\n", **options: Any) -> list[Result]:
        file = tmp_path / "work.doorstep.yaml"
        file.write_text(f"definition: work.asl.json\n{head}tests:\n{tests}", "utf-8")
        suite = read(file, "work.doorstep.yaml")
        return [run(test, session_of(test), **options) for test in suite.tests]

    return run_all


def told(results: list[Result]) -> str:
    [result] = results
    return result.message


# What is met ----------------------------------------------


def test_everything_that_can_be_expected_is_met(results: Results) -> None:
    [result] = results("""
- name: all of it
  input: {items: [1, 2]}
  execution: mine
  mocks: [{state: Work, attempt: 0, fail: Busy}]
  expect:
    status: SUCCEEDED
    output: [1, 2]
    output_includes: [1, "{% $ > 1 %}"]
    error: null
    cause: null
    path: [Work, Pause, Each]
    took: 2h 1s
    states:
      Work: {visits: 1, retries: 1, errors: [Busy], outcome: succeeded, next: Pause}
      Pause: {took: 2h, assigned: {}, assigned_includes: {}}
      Each: {input: [1, 2], paths: [[Item], [Item]], next: null}
      Item: {visits: 2, output: 2}
      Saved: {visits: 0, outcome: null}
    calls:
      work: 2
      Work: [{items: "{% $count($) = 2 %}"}, {}]
""")
    assert (result.message, result.remarks) == ("", [])
    assert result.observed
    assert result.observed.name == "mine"


def test_without_expectations_a_test_asks_for_success(results: Results) -> None:
    assert told(results("- {name: good, input: {items: []}}")) == ""
    assert "status\nexpected" in told(results("- {name: bad, mocks: [{state: Work, fail: A}]}"))


def test_an_expected_error_needs_no_status(results: Results) -> None:
    failing = "mocks: [{state: Work, fail: {error: Bad, cause: no luck}}]"
    met = (
        f"- {{name: a, {failing}, expect: {{error: Bad, cause: '{{% $contains($, \"luck\") %}}'}}}}"
    )
    assert told(results(met)) == ""
    other = f"- {{name: a, {failing}, expect: {{error: Good}}}}"
    assert 'error\nexpected  "Good"\nfound     "Bad"' in told(results(other))


def test_objects_may_have_more_members_only_where_that_is_said(results: Results) -> None:
    caught = "name: a, input: {items: []}, mocks: [{state: Work, fail: Odd}]"
    state = "{{outcome: caught}}"
    includes = f"- {{{caught}, expect: {{output_includes: {{problem: {{Error: Odd}}}}}}}}"
    assert told(results(includes)) == ""
    exact = f"- {{{caught}, expect: {{output: {{items: []}}, states: {{Work: {state[1:-1]}}}}}}}"
    assert re.search(r"output\.problem\nexpected  nothing\nfound     \{", told(results(exact)))


def test_an_expression_needs_no_blanks_inside_its_braces(results: Results) -> None:
    """As in a definition: the text between `{%` and `%}` is the expression."""
    met = "- {name: a, input: {items: []}, expect: {output: '{%$count($)=0%}'}}"
    assert told(results(met)) == ""


def test_booleans_are_no_numbers(results: Results) -> None:
    tests = "- {name: a, input: {items: [true]}, expect: {output: [1]}}"
    assert "output[0]\nexpected  1\nfound     true" in told(results(tests))


# What is not met ------------------------------------------


@pytest.mark.parametrize(
    ("expect", "line"),
    [
        ("took: 2h 1s", 'took\nexpected  "2h 1s"\nfound     "2h"'),
        ("took: '{% $ < 60 %}'", "took\nexpected  {% $ < 60 %}\nfound     7200.0"),
        ("path: [Work]", 'path\nexpected  ["Work"]\nfound     ["Work","Pause","Each"]'),
        ("output: [1, 3]", "output[1]\nexpected  3\nfound     2"),
        ("output: [1]", "output\nexpected  [1]\nfound     [1,2]"),
        ("states: {Work: {retries: 1}}", "retries of Work\nexpected  1\nfound     0"),
        ("states: {Saved: {output: 1}}", "found     \"the state 'Saved' was not reached\""),
        ("states: {Pause: {took: 1h}}", 'took of Pause\nexpected  "1h"\nfound     "2h"'),
        ("calls: {work: 2}", "calls of work\nexpected  2\nfound     1"),
        ("calls: {work: [{items: [1]}]}", "calls of work[0].items\nexpected  [1]\nfound     [1,2]"),
        ("calls: {work: []}", 'calls of work\nexpected  []\nfound     [{"items":[1,2]}]'),
        ("status: FAILED", 'status\nexpected  "FAILED"\nfound     "SUCCEEDED"'),
        ("error: Odd", 'error\nexpected  "Odd"\nfound     null'),
    ],
)
def test_what_is_not_met_is_told_with_both_values(results: Results, expect: str, line: str) -> None:
    [result] = results(f"- name: a\n  input: {{items: [1, 2]}}\n  expect:\n    {expect}")
    assert result.outcome == "failed"
    assert result.message.startswith("work.doorstep.yaml:7: ")
    assert line in result.message


def test_the_line_is_that_of_the_part_that_differs(results: Results) -> None:
    [result] = results("""
- name: a
  input: {items: [{a: 1, b: {c: 2}}]}
  expect:
    output:
      - a: 1
        b:
          c: 3
""")
    assert result.message.startswith("work.doorstep.yaml:11: output[0].b.c\n")


def test_all_that_is_not_met_is_told(results: Results) -> None:
    [result] = results(
        "- {name: a, input: {items: [1]}, expect: {took: 1h, output: [2], path: []}}"
    )
    assert [unmet.what for unmet in result.unmet] == ["took", "output[0]", "path"]


# What can't be used ---------------------------------------


@pytest.mark.parametrize(
    ("tests", "problem"),
    [
        ("- {nam: a}", "4:4: there is no member 'nam' here; did you mean 'name'?"),
        ("- {input: 1}", "4:3: the member 'name' is missing"),
        ("- {name: 1}", "4:10: this has to be a text; it is 1"),
        ("- {name: a, input: 1, input_file: b}", "4:3: input and input_file exclude each other"),
        ("- {name: a, expect: {states: {Work: {visit: 1}}}}", "did you mean 'visits'?"),
        ("- {name: a, expect: {status: GOOD}}", "4:30: this has to be one of SUCCEEDED, FAILED"),
        ("- {name: a, expect: {took: soon}}", "4:28: this has to be a duration"),
        ("- {name: a, expect: {output: '{% ( %}'}}", "4:30: this is no JSONata"),
        ("- {name: a, start_time: yesterday}", "4:25: this has to be a time such as 2025-"),
        ("- {name: a, type: QUICK}", '4:19: this has to be one of STANDARD, EXPRESS; it is "QUICK'),
        ("- {name: a, mocks: [{state: Work}]}", "4:21: one of answer, fail, no_answer is missing"),
        ("- {name: a, mocks: 1}", "4:20: this has to be a list of mocks, or a file of them"),
        ("- {name: a, each: 3}", "4:19: this has to be a list of objects"),
        ("- {name: '${x}', each: [{y: 1}]}", "4:3: `each` has a value without the member 'x'"),
        ("- {name: a, each: '{% [1..20000].{\"n\": $} %}'}", "20,000 tests; 10,000 is the most"),
        ("  x", "this has to be a list"),
    ],
)
def test_a_file_that_cant_be_used_is_refused_with_line_and_column(
    results: Results, tests: str, problem: str
) -> None:
    with pytest.raises(InputError) as refused:
        results(tests)
    assert str(refused.value).startswith("work.doorstep.yaml:4:")
    assert problem in str(refused.value)


@pytest.mark.parametrize(
    ("test", "problem"),
    [
        ("expect: {states: {Wrok: {visits: 1}}}", "no state 'Wrok'; did you mean 'Work'?"),
        ("expect: {calls: {wrok: 0}}", "no task of the definition calls 'wrok'; did you mean 'w"),
        ("expect: {output: '{% 1 + $ %}'}", "the JSONata expression {% 1 + $ %} fails"),
        ("definition: none.json", "can't read"),
        ("input_file: none.json", "can't read none.json: No such file"),
        ("input_file: handlers.py", "handlers.py: This is not valid JSON"),
        ("mocks: none.yaml", "can't read"),
        ("handlers: none.py", "there is no handler file"),
        ("input: '{% nothing %}'", "gives no value"),
        ("resource: M", "work.asl.json is a definition, not a template"),
        ("state_machines: {Other: none.json}", "can't read"),
        ("mocks: [{state: Work, answer: '{% x %}'}]", "Doorstep.MockInvalid: The mock of the st"),
        ("handlers: json", "Doorstep.HandlerNotFound: The state 'Work'"),
    ],
)
def test_a_test_that_cant_be_used_is_an_error_and_no_failure(
    results: Results, test: str, problem: str
) -> None:
    given = "" if "input" in test else ", input: {items: []}"
    [result] = results(f"- {{name: a{given}, {test}}}")
    assert result.outcome == "error"
    assert problem in result.message


def test_a_definition_that_aws_would_refuse_is_an_error(results: Results, tmp_path: Path) -> None:
    (tmp_path / "bad.asl.json").write_text('{"StartAt": "A", "States": {}}')
    [result] = results("- {name: a, definition: bad.asl.json}")
    assert result.outcome == "error"
    assert "work.doorstep.yaml:4:25: Invalid State Machine Definition" in result.message


def test_a_definition_has_to_be_somewhere(tmp_path: Path) -> None:
    file = tmp_path / "none.doorstep.yaml"
    file.write_text("tests: [{name: a}]")
    [test] = read(file).tests
    assert "the member 'definition' is missing" in run(test, session_of(test)).message


# Settings -------------------------------------------------


def test_a_test_says_otherwise_than_its_suite(results: Results) -> None:
    head = (
        "start_time: 2024-02-29\nhandlers: handlers.py\nmocks: [{state: Work, answer: [shared]}]\n"
    )
    first, second, third = results(
        """
- {name: a, expect: {output: [shared]}}
- {name: b, mocks: [{state: Work, answer: [own]}], expect: {output: [own]}}
- {name: c, type: EXPRESS, start_time: "2025-03-01T12:00:00+02:00", expect: {status: TIMED_OUT}}
""",
        head,
    )
    assert [one.message for one in (first, second, third)] == ["", "", ""]
    begun = [one.observed.history[0]["timestamp"] for one in (first, third) if one.observed]
    assert begun == ["2024-02-29T00:00:00.000+00:00", "2025-03-01T10:00:00.000+00:00"]
    assert third.observed
    assert ":express:" in third.observed.arn


def test_handlers_see_the_modelled_time(results: Results) -> None:
    expect = "{output: ['2024-02-29T00:00:00+00:00']}"
    assert (
        told(results(f"- {{name: a, start_time: 2024-02-29, input: now, expect: {expect}}}")) == ""
    )


def test_runs_are_the_same_every_time(results: Results) -> None:
    def history() -> list[dict[str, Any]]:
        [result] = results("- {name: a, input: {items: []}}")
        assert result.observed
        return result.observed.history

    assert history() == history()


def test_calls_of_child_executions_count(results: Results, tmp_path: Path) -> None:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    work = {"Type": "Task", "Resource": FUNCTION, "End": True}
    items = {"StartAt": "Item", "States": {"Item": work}, "ProcessorConfig": config}
    each = {"Type": "Map", "ItemProcessor": items, "MaxConcurrency": 1, "End": True}
    machine = {"StartAt": "Each", "States": {"Each": each}}
    (tmp_path / "each.asl.json").write_text(json.dumps(machine))
    tests = "- {name: a, definition: each.asl.json, input: [1, 2], expect: {calls: {work: [1, 2]}}}"
    assert told(results(tests, "mocks: [{state: Item, answer: 0}]\n")) == ""


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        ("inner: [{input: {n: 7}, output: 14, calls: {work: 1}}]", ""),
        ("inner: []", "number of executions of inner\nexpected  0\nfound     1"),
        ("inner: [{path: []}]", 'path of inner[0]\nexpected  []\nfound     ["Inside"]'),
        ("inner: [{status: FAILED}]", "status of inner[0]\nexpected"),
        ("inner: [{states: {Inside: {visits: 2}}}]", "visits of Inside of inner[0]\nexpected  2"),
        ("other: [{}]", "number of executions of other\nexpected  1\nfound     0"),
    ],
)
def test_what_is_expected_of_the_executions_that_it_starts(
    results: Results, tmp_path: Path, expected: str, message: str
) -> None:
    resource = "arn:aws:states:::states:startExecution.sync:2"
    start = {"StateMachineArn": "inner", "Input": {"n": 7}}
    begin = {"Type": "Task", "Resource": resource, "Parameters": start, "End": True}
    inside = {"Type": "Task", "Resource": FUNCTION, "End": True}
    for name, state in (("outer", ("Begin", begin)), ("inner", ("Inside", inside))):
        machine = {"StartAt": state[0], "States": dict([state])}
        (tmp_path / f"{name}.asl.json").write_text(json.dumps(machine))
    result = told(
        results(f"""
- name: a
  definition: outer.asl.json
  state_machines: {{inner: inner.asl.json}}
  mocks: [{{state: Inside, answer: 14}}]
  expect:
    children: {{{expected}}}
""")
    )
    assert message in result
    assert bool(message) is bool(result)


def test_a_machine_of_a_template_is_named(results: Results, tmp_path: Path) -> None:
    machine = {"Type": "AWS::Serverless::StateMachine", "Properties": {"Definition": MACHINE}}
    template = {"Parameters": {"Stage": {"Type": "String"}}, "Resources": {"Flow": machine}}
    (tmp_path / "template.json").write_text(json.dumps(template))
    [result] = results(
        "- {name: a, definition: template.json, resource: Flow, parameters: {Stage: test}, "
        "input: {items: []}}"
    )
    assert result.message == ""
    assert result.observed
    assert result.observed.identity.machine == "Flow"


def test_mocks_may_be_in_a_file_of_their_own(results: Results, tmp_path: Path) -> None:
    (tmp_path / "mocks.yaml").write_text("mocks: [{state: Work, answer: [1]}]")
    config = {
        "StateMachines": {"work": {"TestCases": {"Two": {"Work": "Two"}}}},
        "MockedResponses": {"Two": {"0": {"Return": [2]}}},
    }
    (tmp_path / "MockConfigFile.json").write_text(json.dumps(config))
    first, second = results("""
- {name: a, mocks: mocks.yaml, expect: {output: [1]}}
- {name: b, mocks: MockConfigFile.json#Two, expect: {output: [2]}}
""")
    assert (first.message, second.message) == ("", "")


def test_an_answer_that_the_service_would_not_give_is_told_with_its_line(
    results: Results, tmp_path: Path
) -> None:
    pytest.importorskip("botocore", reason="the service models come with botocore")
    send = {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": True}
    publish = {**send, "Parameters": {"TopicArn": "t", "Message": "m"}}
    machine = {"StartAt": "Send", "States": {"Send": publish}}
    (tmp_path / "send.asl.json").write_text(json.dumps(machine))
    mocks = "mocks: [{{state: Send, answer: {{MesageId: m}}}}]"
    test = f"- {{{{name: a, definition: send.asl.json, {{}} {mocks}}}}}"
    [strict] = results(test.format(""))
    told = "sns:publish does not answer so (work.doorstep.yaml:4): Field 'MesageId' is not one of"
    assert (strict.outcome, told in strict.problem) == ("error", True)
    [warned] = results(test.format("mock_validation: warn,"))
    assert (warned.outcome, [told in one for one in warned.remarks]) == ("passed", [True])
    [off] = results(test.format("mock_validation: off,"))
    assert (off.outcome, off.remarks) == ("passed", [])


def test_mocks_that_were_not_reached_are_told(results: Results) -> None:
    head = "handlers: handlers.py\nmocks: [{state: Work, attempt: 3, answer: 1}]\n"
    [result] = results("- {name: a, mocks: [{state: Work, answer: []}, {state: B, fail: C}]}", head)
    (remark,) = result.remarks
    assert remark.startswith("mock never reached: B (work.doorstep.yaml:5): no state has this name")
    assert result.idle == {"Work (work.doorstep.yaml:3)"}


def test_one_test_is_run_for_many_values(results: Results) -> None:
    found = results("""
- name: ${n} of ${list}
  each:
    - {n: 1, list: [a, 2]}
    - {n: 2, list: []}
  input: {items: "${list}"}
  expect:
    output: ${list}
    states: {Item: {visits: "{% $ = $count(${list}) %}"}}
""")
    assert [(one.test.name, one.message) for one in found] == [
        ('1 of ["a",2]', ""),
        ("2 of []", ""),
    ]


def test_values_may_be_made_by_jsonata_and_tests_are_numbered(results: Results) -> None:
    found = results("""
- name: many
  each: "{% [1..3].{'n': $} %}"
  input: {items: ["${n}"]}
  expect: {output: ["${n}"]}
""")
    assert [one.test.name for one in found] == ["many [0]", "many [1]", "many [2]"]
    assert [one.message for one in found] == ["", "", ""]


def test_a_history_is_kept_and_compared(results: Results, tmp_path: Path) -> None:
    tests = "- {name: a, input: {items: [ITEM]}, expect: {history: kept/one.json}}"
    assert "there is no" in told(results(tests.replace("ITEM", "1")))
    assert told(results(tests.replace("ITEM", "1"), update=True)) == ""
    assert (tmp_path / "kept" / "one.json").exists()
    assert told(results(tests.replace("ITEM", "1"))) == ""
    assert "the history is another one" in told(results(tests.replace("ITEM", "2")))


# Reports --------------------------------------------------

THREE = """
- {name: good, input: {items: [1]}}
- {name: "bad \\x07 <&>", input: {items: [1]}, expect: {output: [2]}}
- {name: unusable, input_file: none.json}
"""

# The elements and attributes that CI services read: those of Ant's JUnit task, as pytest writes
# them with `junit_family=xunit2`.
ATTRIBUTES = {
    "testsuites": {"tests", "failures", "errors", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time"},
    "testcase": {"classname", "name", "time"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "system-out": set(),
    "system-err": set(),
}
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase"},
    "testcase": {"failure", "error", "system-out", "system-err"},
}


def test_junit_xml_has_the_shape_that_ci_services_read(results: Results) -> None:
    root = ET.fromstring(junit(results(THREE), {"b.doorstep.yaml": "b.doorstep.yaml:1:1: no"}))
    for element in root.iter():
        assert set(element.attrib) == ATTRIBUTES[element.tag]
        assert {child.tag for child in element} <= CHILDREN.get(element.tag, set())
    assert root.tag == "testsuites"
    assert [root.get(name) for name in ("tests", "failures", "errors")] == ["4", "1", "2"]
    first, second = root
    assert first.get("name") == "work.doorstep.yaml"
    assert [case.get("name") for case in first] == ["good", "bad � <&>", "unusable"]
    failure = first[1].find("failure")
    assert failure is not None
    assert failure.get("message") == "work.doorstep.yaml:6: output[0]"
    assert (failure.text or "").endswith("expected  2\nfound     1")
    assert (first[1].findtext("system-out") or "").startswith("SUCCEEDED after 2:00:00")
    assert second[0].findtext("error") == "b.doorstep.yaml:1:1: no"
    seconds = [float(case.attrib["time"]) for case in first]
    assert float(first.attrib["time"]) == pytest.approx(sum(seconds), abs=0.002)


def test_json_has_an_entry_for_each_test(results: Results) -> None:
    whole = json.loads(json.dumps(as_json(results(THREE), {})))
    assert [whole[name] for name in ("passed", "failed", "error")] == [1, 1, 1]
    good, bad, unusable = whole["tests"]
    assert (good["took"], good["unmet"], good["line"]) == (7200, [], 5)
    assert bad["unmet"] == [{"line": 6, "what": "output[0]", "expected": 2, "found": 1}]
    assert "can't read none.json" in unusable["problem"]


# The tables -----------------------------------------------


@pytest.mark.parametrize(
    "name", sorted({*TEST.members, *SUITE.members, *EXPECT.members, *STATE.members, *SETTINGS})
)
def test_the_guide_names_every_member(name: str) -> None:
    page = GUIDE.read_text("utf-8")
    assert f"`{name.removesuffix('_includes')}`" in page or f"`{name}:" in page


def test_the_yaml_of_the_guide_can_be_read(tmp_path: Path) -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```$", GUIDE.read_text("utf-8"), re.M | re.S)
    assert len(blocks) == 4
    for block in blocks:
        indented = block.replace("\n", "\n    ")
        whole = {
            "definition": block,
            "tests": f"definition: a\n{block}",
            "mocks": f"{block}\ntests: []",
            "expect": f"tests:\n  - name: a\n    {indented}",
        }[block.partition(":")[0]]
        file = tmp_path / "block.doorstep.yaml"
        file.write_text(whole)
        read(file)


def test_the_schema_comes_from_the_tables() -> None:
    found = schema()
    assert set(found["properties"]) == set(SUITE.members)
    assert found["required"] == ["tests"]
    test = found["properties"]["tests"]["items"]
    assert set(test["properties"]) == set(TEST.members)
    assert test["properties"]["expect"]["properties"]["states"]["additionalProperties"][
        "properties"
    ].keys() == set(STATE.members)
    mock = test["properties"]["mocks"]["anyOf"][0]["items"]
    assert mock["oneOf"] == [{"required": [name]} for name in ("answer", "fail", "no_answer")]


# Finding --------------------------------------------------


def test_folders_are_searched_but_for_hidden_ones(tmp_path: Path) -> None:
    for name in ("b/x.doorstep.yaml", "a.doorstep.yml", ".venv/c.doorstep.yaml", "b/y.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    given = tmp_path / "b" / "y.yaml"
    found = [path.relative_to(tmp_path).as_posix() for path in find([tmp_path, given])]
    assert found == ["a.doorstep.yml", "b/x.doorstep.yaml", "b/y.yaml"]


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("examples/*/*.doorstep.yaml")), ids=lambda p: p.name
)
def test_the_suites_of_the_examples_pass(path: Path) -> None:
    found = [run(test, session_of(test)) for test in read(path).tests]
    assert len(found) >= 2
    assert [(one.message, one.remarks) for one in found if one.message or one.remarks] == []


def test_former_names_of_members_work_with_a_warning(results: Results) -> None:
    expect = "{output: ['2024-02-29T00:00:00+00:00']}"
    with pytest.warns(FutureWarning, match="4: the member 'begin' is called 'start_time' now"):
        ran = results(f"- {{name: a, begin: 2024-02-29, input: now, expect: {expect}}}")
    assert told(ran) == ""
