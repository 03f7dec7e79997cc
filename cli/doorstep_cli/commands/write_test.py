"""`doorstep write-test`: a recorded execution as a test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from doorstep.values.file_names import relative

from ..definitions import Type, definition_option, read_accepted
from ..options import definition_options, format_option
from ..output import OutputFile, Problem, echo
from ..recorded import history_arguments, recording_of
from ..runs import write


@click.command("write-test", short_help="Write a recorded execution as a test.")
@history_arguments
@definition_option("The definition or template that it is a test of.")
@click.option("--output", "-o", type=OutputFile(), help="The file; standard output by default.")
@format_option("yaml: a suite for `doorstep test`; pytest: a module in Python.", "yaml", "pytest")
@definition_options
def write_test(
    histories: tuple[Path, ...],
    definition_file: Path,
    arn: str | None,
    output: Path | None,
    machine_type: Type | None,
    resource: str | None,
    parameters: Mapping[str, str],
    output_format: str,
) -> None:
    """Write a test that runs an execution again with the answers that its tasks had.

    It expects what happened then: change that to what should have happened. The execution has to
    have ended by itself. Of a redriven one only what came after the redrive counts. HISTORY is as
    for `doorstep replay`.

    Exit code: 0 written, 2 a history or definition that can't be used.

    \b
    Examples:
      doorstep write-test failed.json --definition order.asl.json > order.doorstep.yaml
      doorstep write-test failed.json --definition order.asl.json --format pytest -o test_order.py
    """
    from doorstep.testing.recorded_tests import RecordedTest

    if output and output.exists():
        raise Problem(f"{output} exists, perhaps with changes of yours; name another file")
    recording = recording_of(histories, arn)
    definition = read_accepted(definition_file, parameters, resource, machine_type)
    name = recording.arn.rpartition(":")[2] if recording.arn else Path(histories[0]).stem
    test = RecordedTest(definition.document.definition, recording.visits, name)
    folder = output.parent if output else Path()
    named = relative(definition_file, folder)
    text = test.as_pytest(named) if output_format == "pytest" else test.as_suite(named)
    if output:
        write(output, [text.rstrip("\n")], quiet=False)
    else:
        echo(text.rstrip("\n"))
