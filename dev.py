#!/usr/bin/env python3
"""Set up Doorstep and show or check it: `python3 dev.py demo`, `python3 dev.py test`.

Needs only Python 3.11 or later. The first run creates `.venv` beside this file and installs the
project there; later runs reuse it. Every Python can parse this file (no f-strings, no annotations,
no stars in tuples), so that an old one prints a plain message.
"""
# ruff: noqa: UP031, RUF005

import sys

if sys.version_info < (3, 11):  # noqa: UP036  older versions are refused here
    sys.exit(
        "Doorstep needs Python 3.11 or later; %s is Python %d.%d. Run this with a newer one, "
        "for example: python3.12 dev.py test" % ((sys.executable,) + sys.version_info[:2])
    )

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import time
from collections import namedtuple
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / os.environ.get("DOORSTEP_VENV", ".venv")
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "set-up-by-dev.txt"

Step = namedtuple("Step", "name command needs", defaults=(None,))
"""A part of `test`: a command of the environment, and a path without which it is skipped."""

STEPS = [
    Step("lint", "ruff check"),
    Step("format", "ruff format --check"),
    Step("types", "mypy"),
    Step("recordings", "doorstep conformance --cases ../shared/corpus/cases", "../shared/corpus"),
    Step("growth", "python benchmarks --short"),
    Step("large maps", "python benchmarks/map_scale.py --short"),
    Step("tests", "pytest -n auto"),
]

Scene = namedtuple("Scene", "about command code", defaults=(0,))
"""A part of `demo`: what it shows, a command, and the exit code that it has."""

APPROVAL = "examples/approval/approval.asl.json"
DEMO = [
    Scene(
        "A workflow fails: the handler that pays out has a mistake. A manager's answer, which\n"
        "# comes after a day, takes no time here.",
        "run %s --handlers build/broken.py --input @examples/approval/input.json --seed 1"
        " --history build/failed.json" % APPROVAL,
        1,
    ),
    Scene("What happened?", "failures build/failed.json", 1),
    Scene(
        "The picture of it; open build/failed.svg in a browser.",
        "graph %s --history build/failed.json --format svg --output build/failed.svg" % APPROVAL,
    ),
    Scene(
        "Would the fixed handler have helped? The recorded calls are made again.",
        "replay build/failed.json --definition %s --with-handlers examples/approval/handlers.py"
        % APPROVAL,
    ),
    Scene(
        "Go on from where it failed: what succeeded does not run again.",
        "resume build/failed.json --definition %s --handlers examples/approval/handlers.py"
        % APPROVAL,
    ),
]

VERSIONS = ["3.11", "3.12", "3.13", "3.14"]
"""The Pythons that `matrix` looks for: every one that the project supports."""


def main():
    """Run the command; return 0 if all of it succeeded."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("demo", help="show a failure, its picture, its replay and its cure")
    commands.add_parser("test", help="run every check that CI runs: lint, format, types, tests")
    commands.add_parser("matrix", help="run `test` with each supported Python of this machine")
    commands.add_parser("api", help="write docs/api.md anew from the docstrings")
    commands.add_parser("site", help="build the documentation as a site in build/site")
    chosen = parser.parse_args().command
    os.chdir(ROOT)
    if chosen == "matrix":
        return matrix()
    set_up("demo" if chosen == "demo" else "dev")
    return {"demo": demo, "test": test, "api": api, "site": site}[chosen]()


def demo():
    """Run the scenes of the demo up to the first that does not go as it should."""
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    handlers = (ROOT / "examples" / "approval" / "handlers.py").read_text("utf-8")
    (build / "broken.py").write_text(handlers.replace("euros", "amount"), "utf-8")
    for scene in DEMO:
        say("\n# %s\n$ doorstep %s" % (scene.about, scene.command))
        if call("doorstep " + scene.command) != scene.code:
            return 1
    say("\nNext: README.md, or `python3 dev.py test` for every check.")
    return 0


def test():
    """Run every step, also after a failure, and print a summary."""
    results = [(step.name, run(step)) for step in STEPS]
    say("\n" + "   ".join("%s: %s" % result for result in results))
    return 1 if "FAILED" in dict(results).values() else 0


def api():
    """Write docs/api.md."""
    return call("python docs/generate_api.py")


def site():
    """Build the site; a link that leads nowhere is an error."""
    os.environ["NO_MKDOCS_2_WARNING"] = "1"  # an advertisement of the theme's authors
    code = call("python -m mkdocs build")
    if not code:
        say("Look at it: %s -m http.server --directory build/site" % PYTHON)
    return code


def run(step):
    """Run a step; return ok, FAILED or skipped."""
    if step.needs and not (ROOT / step.needs).exists():
        say("\n== %s: skipped, %s not found" % (step.name, step.needs))
        return "skipped"
    say("\n== %s: %s" % (step.name, step.command))
    return "FAILED" if call(step.command) else "ok"


def matrix():
    """Run `test` with each Python that is here, in an environment of its own, and sum up."""
    results = []
    for version in VERSIONS:
        python = find_python(version)
        if python is None:
            results.append((version, "not on this machine"))
            continue
        say("\n==== Python %s (%s)" % (version, python))
        environment = dict(os.environ, DOORSTEP_VENV=".venv-" + version)
        code = subprocess.call([python, "dev.py", "test"], env=environment)
        results.append((version, "FAILED" if code else "ok"))
    say("\n" + "   ".join("%s: %s" % result for result in results))
    return 1 if "FAILED" in dict(results).values() else 0


def find_python(version):
    """Find an interpreter of this version on the path, or among those that pyenv installed."""
    name = "python" + version
    here = sorted(Path.home().glob(".pyenv/versions/%s.*/bin/%s" % (version, name)))
    return str(here[-1]) if here else shutil.which(name)


def call(command):
    """Run a command of the environment; return its exit code."""
    words = command.split()
    return subprocess.call([str(BIN / words[0])] + words[1:])


def set_up(wanted_for):
    """Bring `.venv` up to date with pyproject.toml, for `demo` or `dev`; do nothing if it is."""
    enough = [fingerprint(one) for one in ("dev", wanted_for)]
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text("utf-8") in enough:
        return
    started = time.monotonic()
    if not works():
        make_venv()
    STAMP.unlink(missing_ok=True)
    install(wanted_for)
    STAMP.write_text(fingerprint(wanted_for), "utf-8")
    say("Ready after %.0f s." % (time.monotonic() - started))


def fingerprint(wanted_for="dev"):
    """Return what the environment depends on, with its path, as it can't be moved."""
    project = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    return "%s\nPython %s\n%s\npyproject.toml %s\n" % (wanted_for, sys.version, ROOT, project)


def works():
    """Return whether `.venv` belongs to this Python and path, and has pip."""
    question = "import pip, sys; print(sys.version, sys.prefix)"
    try:
        answer = subprocess.run([str(PYTHON), "-c", question], capture_output=True, text=True)
    except OSError:
        return False
    return answer.stdout.strip() == "%s %s" % (sys.version, VENV) and (BIN / "pip").exists()


def make_venv():
    """Create `.venv`, replacing what is there."""
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            sys.exit(
                "%s has no module %r, which creates virtual environments. On Debian and Ubuntu:\n"
                "    sudo apt install python3-venv\n"
                "then run this again." % (sys.executable, module)
            )
    say("Creating a virtual environment in %s (Python %d.%d)" % ((VENV,) + sys.version_info[:2]))
    # Run from inside the environment to replace, the base Python has to do it.
    python = getattr(sys, "_base_executable", sys.executable)
    if subprocess.call([python, "-m", "venv", "--clear", str(VENV)]):
        sys.exit("The virtual environment could not be created; see the error above.")


def install(wanted_for="dev"):
    """Install the project as editable, with the tools for the checks; print pip's progress."""
    tools = " and the tools for its checks" if wanted_for == "dev" else ""
    say("Installing Doorstep%s (from PyPI, the first time only)" % tools)
    project = ".[dev]" if wanted_for == "dev" else "."
    command = [str(PYTHON), "-m", "pip", "install", "--no-input", "--editable", project]
    output = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        for line in pip.stdout:
            output.append(line)
            if line.startswith(("Collecting ", "Installing ")):
                say("  " + line.split(" (from")[0].rstrip())
    if pip.returncode:
        sys.exit(
            "".join(output) + "\nThe packages could not be installed; see pip's error above."
            "\nThe first run needs network access to PyPI. Behind a proxy, set HTTPS_PROXY;"
            "\nfor a mirror of your own, set PIP_INDEX_URL. Then run this again."
        )


def say(text):
    """Print at once, so that our output and that of the tools stay in order."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
