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
import json
import os
import shutil
import subprocess
import tarfile
import time
import tomllib
from collections import namedtuple
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / os.environ.get("DOORSTEP_VENV", ".venv")
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "set-up-by-dev.txt"
RELEASE = ROOT / "build" / "release"

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
"""The Pythons that `matrix` and `release` look for: every one that the project supports."""

RELEASE_TOOLS = ["build>=1.2", "twine>=6.1", "cyclonedx-bom>=7"]
EXTRAS_OF_DEVELOPERS = ["docs", "dev"]
"""Extras for work on Doorstep itself; the others are for its users, and have an SBOM."""

SMOKE = [
    ["python", "-c", "import doorstep, doorstep_cli, doorstep_conformance"],
    ["doorstep", "--version"],
    ["doorstep", "validate", APPROVAL],
    ("doorstep run %s --handlers examples/approval/handlers.py" % APPROVAL).split()
    + ["--input", "@examples/approval/input.json", "--seed", "1", "--history", "run.json"],
    ("doorstep replay run.json --definition %s --with-handlers" % APPROVAL).split()
    + ["examples/approval/handlers.py"],
    ["doorstep", "test", "examples/approval"],
]
"""What works with the dependencies of the core alone, in a folder that has only the examples."""

SERVER_SMOKE = (
    "import doorstep_emulator as emulator, urllib.request as request\n"
    "with emulator.running(emulator.Options(port=0)) as url:\n"
    "    print(request.urlopen(url + '/health').read().decode())"
)


def main():
    """Run the command; return 0 if all of it succeeded."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("demo", help="show a failure, its picture, its replay and its cure")
    commands.add_parser("test", help="run every check that CI runs: lint, format, types, tests")
    commands.add_parser("matrix", help="run `test` with each supported Python of this machine")
    release_parser = commands.add_parser(
        "release", help="build dist/ and the SBOMs, and try the wheel with each Python"
    )
    release_parser.add_argument(
        "--built", action="store_true", help="try what is in dist/; build nothing"
    )
    release_parser.add_argument("--only", choices=VERSIONS, help="try this Python alone")
    release_parser.add_argument(
        "--tests",
        nargs="*",
        metavar="PATH",
        help="also run the tests of the source distribution, or of it those below PATH",
    )
    commands.add_parser("api", help="write docs/api.md anew from the docstrings")
    commands.add_parser("site", help="build the documentation as a site in build/site")
    options = parser.parse_args()
    chosen = options.command
    sys.stdout.reconfigure(errors="replace")  # a console may lack letters of a path
    os.chdir(ROOT)
    if chosen == "matrix":
        return matrix()
    if chosen == "release":
        return release(options)
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


def release(options):
    """Build dist/ and the SBOMs, try what was built with each Python that is here, and sum up."""
    tools = new_environment("tools", sys.executable)
    succeed([tools, "-m", "pip", "install", "--quiet"] + RELEASE_TOOLS)
    if not options.built:
        shutil.rmtree("dist", ignore_errors=True)
        succeed([tools, "-m", "build"])
    wheel, sdist = built("*.whl"), built("*.tar.gz")
    succeed([tools, "-m", "twine", "check", "--strict", wheel, sdist])
    if not options.built:
        write_sboms(tools, wheel)
    tried = 0
    for version in [options.only] if options.only else VERSIONS:
        python = find_python(version)
        say("\n==== Python %s (%s)" % (version, python or "not on this machine"))
        if python:
            tried += 1
            try_wheel(version, python, wheel)
            if options.tests is not None:
                run_sdist_tests(version, python, sdist, options.tests)
    if not tried:
        sys.exit("None of the Pythons was found, so that nothing was tried.")
    say("\nTried with %d Pythons: %s, %s" % (tried, Path(wheel).name, Path(sdist).name))
    return 0


def try_wheel(version, python, wheel):
    """Install the wheel with nothing else and use it, then with what the server needs."""
    venv_python = new_environment(version, python)
    folder = RELEASE / version / "work"
    shutil.copytree("examples", str(folder / "examples"))
    succeed([venv_python, "-m", "pip", "install", "--quiet", wheel])
    for command in SMOKE:
        program = Path(venv_python).with_name(command[0])
        succeed([str(program)] + command[1:], folder)
    succeed([venv_python, "-m", "pip", "install", "--quiet", wheel + "[server]"])
    succeed([venv_python, "-c", SERVER_SMOKE], folder)


def run_sdist_tests(version, python, sdist, paths):
    """Unpack the source distribution, install what its checks need, and run its tests, or some."""
    venv_python = new_environment(version + "-tests", python)
    folder = RELEASE / (version + "-tests") / "work"
    with tarfile.open(sdist) as archive:
        # Python before 3.11.4 has no filters.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(str(folder))
    (source,) = folder.iterdir()
    # Editable, as `test` has it: the conformance cases lie beside the package.
    succeed([venv_python, "-m", "pip", "install", "--quiet", "--editable", ".[dev]"], source)
    succeed([venv_python, "-m", "pytest", "-q", "-n", "auto"] + paths, source)


def write_sboms(tools, wheel):
    """Write what the core and each extra for users install, as CycloneDX, into build/sbom."""
    folder = ROOT / "build" / "sbom"
    shutil.rmtree(str(folder), ignore_errors=True)
    folder.mkdir(parents=True)
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    version = Path(wheel).name.split("-")[1]
    extras = project["optional-dependencies"]
    root = RELEASE / "sbom.toml"  # the tool reads neither a dynamic version nor one extra alone
    for extra in [""] + sorted(set(extras) - set(EXTRAS_OF_DEVELOPERS)):
        needs = project["dependencies"] + extras.get(extra, [])
        root.write_text(
            '[project]\nname = "doorstep"\nversion = "%s"\nlicense = "%s"\ndependencies = %s\n'
            % (version, project["license"], json.dumps(needs))
        )
        python = new_environment("sbom", sys.executable, "--without-pip")
        install_into = [tools, "-m", "pip", "--python", python, "install", "--quiet"]
        succeed(install_into + [wheel + ("[%s]" % extra if extra else "")])
        name = "-".join(["doorstep", version] + ([extra] if extra else [])) + ".cdx.json"
        succeed(
            [tools, "-m", "cyclonedx_py", "environment", python, "--pyproject", str(root)]
            + ["--mc-type", "library", "--output-reproducible", "--output-file", str(folder / name)]
        )


def new_environment(name, python, *options):
    """Create an empty environment in build/release/NAME; return its Python."""
    shutil.rmtree(str(RELEASE / name), ignore_errors=True)
    succeed([python, "-m", "venv"] + list(options) + [str(RELEASE / name)])
    return str(RELEASE / name / BIN.name / PYTHON.name)


def built(pattern):
    """Return the path of the one file in dist/ that matches."""
    files = sorted((ROOT / "dist").glob("doorstep-" + pattern))
    if len(files) != 1:
        sys.exit(
            "dist/ should hold one doorstep-%s; it has %d. Build it: python3 dev.py release"
            % (pattern, len(files))
        )
    return str(files[0])


def succeed(command, folder=None):
    """Run a command without our sources on its path; end with its exit code if it fails."""
    say("$ " + " ".join(command).replace(str(ROOT) + os.sep, ""))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    code = subprocess.call(command, cwd=folder and str(folder), env=environment)
    if code:
        sys.exit(code)


def find_python(version):
    """Find an interpreter of this version: this one, pyenv's, the path's, the launcher `py`'s."""
    if version == "%d.%d" % sys.version_info[:2]:
        return sys.executable
    here = sorted(Path.home().glob(".pyenv/versions/%s.*/bin/python%s" % (version, version)))
    found = str(here[-1]) if here else shutil.which("python" + version)
    if found or not shutil.which("py"):
        return found
    question = ["py", "-" + version, "-c", "import sys; print(sys.executable)"]
    return subprocess.run(question, capture_output=True, text=True).stdout.strip() or None


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
    question = "import pip, sys; print(ascii((sys.version, sys.prefix)))"
    try:
        answer = subprocess.run([str(PYTHON), "-c", question], capture_output=True, text=True)
    except OSError:
        return False
    return answer.stdout.strip() == ascii((sys.version, str(VENV)))


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
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, text=True, errors="replace", **pipes) as pip:
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
