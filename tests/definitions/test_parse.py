"""Reading definitions: JSON as AWS's parser reads it, YAML as JSON, and places in both."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import doorstep
from doorstep.definitions import MAX_BYTES, load
from doorstep.errors import DefinitionError, InputError
from doorstep.validation import validate

JSON = """{
  "StartAt": "A/b",
  "States": {
    "A/b": {
      "Type": "Parallel",
      "Branches": [
        {"StartAt": "X", "States": {"X": {"Type": "Succeed"}}},
        {"StartAt": "Y", "States": {"Y": {"Type": "Succeed"}}}
      ],
      "Next": "Ghost"
    },
    "A": {"Type": "Succeed"}
  }
}"""
YAML = """# an order
StartAt: A/b
States:
  A/b:
    Type: Parallel
    Branches:
      - {StartAt: X, States: {X: {Type: Succeed}}}
      - StartAt: Y
        States: {Y: {Type: Succeed}}
    Next: Ghost
  A:
    Type: Succeed
"""


def refused(text: str | Path | bytes) -> DefinitionError:
    with pytest.raises(DefinitionError) as problem:
        load(text)
    return problem.value


def test_json_and_yaml_give_the_same_definition() -> None:
    assert load(JSON).definition == load(YAML).definition


def test_files_bytes_and_mappings_are_read_too(tmp_path: Path) -> None:
    for name, text in (("a.asl.json", JSON), ("b.asl.yaml", YAML), ("c", JSON), ("d", YAML)):
        path = tmp_path / name
        path.write_text(text)
        document = load(path)
        assert document.definition == load(JSON).definition
        assert document.path == path
    assert load(b"\xef\xbb\xbf" + JSON.encode()).definition == load(JSON).definition
    definition = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
    assert load(definition).definition == definition


def test_a_mapping_has_a_text_to_point_into() -> None:
    document = load({"StartAt": "A"})
    assert document.excerpt("/StartAt") == '  "StartAt": "A"\n             ^'


@pytest.mark.parametrize(
    ("pointer", "shown"),
    [
        ("/", "{"),
        ("/StartAt", '"A/b",'),
        ("/States/A/b", '"A/b": {'),
        ("/States/A~1b/Type", '"Parallel",'),
        ("/States/A/b/Branches[1]/StartAt", '"Y", "States": {"Y": {"Type": "Succeed"}}}'),
        ("/States/A/b/Branches/0/States/X", '"X": {"Type": "Succeed"}}},'),
        ("/States/A/b/Next", '"Ghost"'),
        ("/States/A", '"A": {"Type": "Succeed"}'),
    ],
)
def test_a_pointer_finds_its_place_in_json(pointer: str, shown: str) -> None:
    line, column = load(JSON).locate(pointer)
    assert JSON.split("\n")[line - 1][column - 1 :] == shown


@pytest.mark.parametrize(
    ("pointer", "shown"),
    [
        ("/StartAt", "A/b"),
        ("/States/A/b", "A/b:"),
        ("/States/A/b/Branches[0]/States/X", "X: {Type: Succeed}}}"),
        ("/States/A/b/Branches[1]/StartAt", "Y"),
        ("/States/A/Type", "Succeed"),
    ],
)
def test_a_pointer_finds_its_place_in_yaml(pointer: str, shown: str) -> None:
    line, column = load(YAML).locate(pointer)
    assert YAML.split("\n")[line - 1][column - 1 :] == shown


def test_what_is_missing_points_at_what_lacks_it() -> None:
    document = load(JSON)
    assert document.locate("/States/A/Next") == document.locate("/States/A")
    assert document.locate(None) == document.locate("[Source: …]") == (1, 1)


def test_of_duplicate_members_the_last_is_read_and_shown() -> None:
    document = load('{"StartAt": "A",\n "StartAt": "B"}')
    assert document.definition == {"StartAt": "B"}
    assert document.locate("/StartAt") == (2, 13)


def test_an_excerpt_has_a_caret_under_the_place() -> None:
    assert load(JSON).excerpt("/States/A/b/Next") == ('      "Next": "Ghost"\n              ^')
    assert load('{"a":\t"b"}').excerpt("/a") == '{"a":\t"b"}\n     \t^'


def test_every_diagnostic_of_a_file_can_be_shown() -> None:
    document = load(JSON)
    found = [
        (one.message, document.locate(one.location)[0]) for one in validate(document.definition)
    ]
    assert found == [
        ("Missing 'Next' target: Ghost", 10),
        ('State "A" is not reachable.', 12),
    ]


VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"


@pytest.mark.parametrize(
    ("text", "char", "expected", "line", "column"),
    [
        ("{'a': 1}", "'", "was expecting double-quote to start field name", 1, 3),
        ('{"a": 1,\n}', "}", "was expecting double-quote to start field name", 2, 2),
        ('{"a" 1}', "1", "was expecting a colon to separate field name and value", 1, 7),
        ('{"a": "}" "b": 2}', '"', "was expecting comma to separate Object entries", 1, 12),
        ("[1 2]", "2", "was expecting comma to separate Array entries", 1, 5),
        ('{"a": ]', "]", f"expected a valid value {VALUES}", 1, 8),
    ],
)
def test_an_unexpected_character_is_refused_in_jacksons_words(
    text: str, char: str, expected: str, line: int, column: int
) -> None:
    (found,) = refused(text).diagnostics
    assert found.message == f"Unexpected character ('{char}' (code {ord(char)})): {expected}"
    assert found.location == f'[Source: (String)"{text}"; line: {line}, column: {column}]'


@pytest.mark.parametrize(("text", "column"), [("not a definition", 4), ("not", 4)])
def test_an_unknown_word_is_refused_in_jacksons_words(text: str, column: int) -> None:
    (found,) = refused(text).diagnostics
    assert found.code == "INVALID_JSON_DESCRIPTION"
    assert found.message == f"Unrecognized token 'not': was expecting {VALUES}"
    assert found.location == f'[Source: (String)"{text}"; line: 1, column: {column}]'


def test_a_syntax_error_hints_with_its_line_and_a_caret() -> None:
    (found,) = refused('{"a": 1,\n "b" 2}').diagnostics
    assert found.hint == ' "b" 2}\n     ^'


@pytest.mark.parametrize(
    "text",
    [
        '{"a": NaN}',
        '{"a": -Infinity}',
        '{"a": "\n"}',
        '{"a": "\\q"}',
        '{"a": "',
        '{"a": [1',
        "{} x",
    ],
)
def test_what_json_does_not_have_is_refused(text: str) -> None:
    (found,) = refused(text).diagnostics
    assert found.code == "INVALID_JSON_DESCRIPTION"


def test_a_long_source_is_shown_in_part() -> None:
    (found,) = refused("x" * 600).diagnostics
    assert found.location is not None
    assert found.location.endswith('x"[truncated 100 chars]; line: 1, column: 257]')


@pytest.mark.parametrize("text", ["[]", "1", '"A"', "", "  \n"])
def test_what_is_no_object_is_no_definition(text: str) -> None:
    (found,) = refused(text).diagnostics
    assert (found.code, found.message, found.location) == (
        "SCHEMA_VALIDATION_FAILED",
        "Definition must be a valid JSON object",
        None,
    )


def test_yaml_values_are_those_of_json() -> None:
    text = """
      at: 2016-03-14T01:59:00Z
      day: 2016-03-14
      on: on
      yes: yes
      no: !!str no
      octal: 010
      time: 12:30:45
      int: 10
      float: 1.5e3
      nothing: null
      empty:
      truth: true
      200: number
      merge: {<<: x}
    """
    assert load(text).definition == {
        "at": "2016-03-14T01:59:00Z",
        "day": "2016-03-14",
        "on": "on",
        "yes": "yes",
        "no": "no",
        "octal": "010",
        "time": "12:30:45",
        "int": 10,
        "float": 1500.0,
        "nothing": None,
        "empty": None,
        "truth": True,
        "200": "number",
        "merge": {"<<": "x"},
    }


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: b: c", 1),
        ("a: 1\nb: [1, 2", 2),
        ("a: &a [*a]", 1),
        ("a: *b", 1),
        ("a: !!python/object:os.system x", 1),
        ("? [a]\n: b\nc: d", 1),
    ],
)
def test_what_is_not_yaml_is_refused_with_its_line(text: str, line: int, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)
    (found,) = refused(path).diagnostics
    assert found.code == "INVALID_JSON_DESCRIPTION"
    assert found.location is not None
    assert found.location.startswith(f"line {line}, column ")


def test_aliases_are_read_but_do_not_unfold_without_end() -> None:
    assert load("a: &a [1]\nb: *a").definition == {"a": [1], "b": [1]}
    bomb = "a0: &a0 [x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)
    )
    (found,) = refused(bomb).diagnostics
    assert found.code == "TOO_DEEPLY_NESTED"


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "a: " + "[" * 5_000])
def test_deep_nesting_is_refused_and_not_a_crash(text: str) -> None:
    (found,) = refused(text).diagnostics
    assert found.code in ("TOO_DEEPLY_NESTED", "INVALID_JSON_DESCRIPTION")


@pytest.mark.parametrize("character", ["x", "é", "€"])
def test_a_definition_has_a_mebibyte_at_the_most(character: str) -> None:
    """Fact 203; as text, and as the value of one, which is measured as compact JSON."""
    states = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}, "Comment": ""}
    left = MAX_BYTES - len(json.dumps(states, separators=(",", ":")))
    size = len(character.encode())
    largest = {**states, "Comment": character * (left // size) + "y" * (left % size)}
    larger = {**largest, "Comment": largest["Comment"] + "y"}
    for made in (dict, lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False)):
        assert validate(load(made(largest)).definition) == []
        assert validate(made(largest)) == []
        (found,) = validate(made(larger))
        assert "1048576" in found.message
    assert "1048576" in refused(made(larger)).diagnostics[0].message
    with pytest.raises(doorstep.DefinitionError, match="1048576"):
        doorstep.run(larger)


def test_parameters_replace_their_placeholders_only() -> None:
    text = '{"Resource": "arn:${P}:${Name}", "${P}": ["${P}", 1], "x": "$.a${"}'
    assert load(text, parameters={"P": "aws"}).definition == {
        "Resource": "arn:aws:${Name}",
        "aws": ["aws", 1],
        "x": "$.a${",
    }


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"missing\.json"):
        load(tmp_path / "missing.json")
    with pytest.raises(InputError, match="Path"):
        load("flow.asl.json")
    with pytest.raises(InputError, match="UTF-8"):
        load(b"\xff\xfe{")


def test_yaml_is_imported_only_when_it_is_read() -> None:
    code = (
        "import sys, doorstep.definitions as p; p.load('{\"a\": 1}').locate('/a');"
        "print('yaml' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
