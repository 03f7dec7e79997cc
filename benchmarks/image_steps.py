"""Run the steps of docs/ci/Dockerfile in a clean Debian system, where there is no Docker.

    python benchmarks/image_steps.py            # five minutes; as root, with debootstrap

The base is not the image that FROM names but Debian's own Python (trixie: 3.13), whose pip may
install as it may there. All other steps are read from the Dockerfile and run by chroot: the same
files, user, folder and command. Then the image is used as docs/ci.md says. Exits with 1 when
something is not as expected, with 0 and a reason where it can't run.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from verdict import as_expected, expect

TOP = Path(__file__).parent.parent
DOCKERFILE = TOP / "docs" / "ci" / "Dockerfile"
SUITE, MIRROR = "trixie", "http://deb.debian.org/debian"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
URL = "http://127.0.0.1:8083"
"""The port that EXPOSE names; the chroot has this machine's network."""
PATIENCE = 60.0
EVERYBODYS = ("/home/doorstep", "/tmp", "/var/tmp", "/run/lock", "/dev/shm")
"""What Debian lets every user write to, and the user's home."""


class Image:
    """A system below a folder, changed by one step after the other."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._user = "root"
        self._folder = "/"
        self._entry: list[str] = []
        self._command: list[str] = []

    def base(self) -> None:
        """Make the system: what FROM stands for."""
        packages = "--include=python3,python3-pip,ca-certificates"
        self.root.chmod(0o755)
        make = ["debootstrap", "--variant=minbase", packages, SUITE, str(self.root), MIRROR]
        subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
        for marker in self.root.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
            marker.unlink()
        (self.root / "usr" / "bin" / "python").symlink_to("python3")
        for path in (Path("/etc/resolv.conf"), CERTIFICATES):
            shutil.copyfile(path, self.root / path.relative_to("/"))

    def step(self, word: str, rest: str) -> None:
        """Do what a line of the Dockerfile says."""
        match word:
            case "FROM":
                self.base()
            case "COPY":
                source, target = rest.split()
                expect(f"COPY copies the context: {source}", source == ".")
                self._copy(self.root / target.lstrip("/"))
            case "RUN":
                self.run(["sh", "-c", rest], check=True)
            case "USER":
                self._user = rest
            case "WORKDIR":
                self._folder = rest
                (self.root / rest.lstrip("/")).mkdir(exist_ok=True)
            case "ENTRYPOINT":
                self._entry = json.loads(rest)
            case "CMD":
                self._command = json.loads(rest)
            case "EXPOSE":
                expect("the port that is exposed is the one that is asked", URL.endswith(rest))
            case _:
                expect(f"{word} is a step that is known here", holds=False)

    def _copy(self, target: Path) -> None:
        """Copy what is committed: a fresh clone is the context."""
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, capture_output=True, check=True)
        for name in listed.stdout.decode().rstrip("\0").split("\0"):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(TOP / name, target / name)

    def _words(self, words: list[str]) -> list[str]:
        there = 'cd "$0" && exec "$@"'
        return ["chroot", f"--userspec={self._user}", str(self.root), "sh", "-c", there,
                self._folder, *words]  # fmt: skip

    def run(self, words: list[str], *, check: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a command as the user, in the folder."""
        settings = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        home = "/root" if self._user == "root" else f"/home/{self._user}"
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin", "HOME": home, **settings}
        return subprocess.run(
            self._words(words), env=environment, check=check, text=True, capture_output=True
        )

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start the container: ENTRYPOINT with these arguments."""
        return subprocess.Popen(self._words([*self._entry, *arguments]), stdout=subprocess.DEVNULL)

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the container: ENTRYPOINT with these arguments, or CMD."""
        return self.run([*self._entry, *(arguments or self._command)])


def steps(dockerfile: str) -> list[tuple[str, str]]:
    """Return the steps of a Dockerfile."""
    joined = re.sub(r"\\\n\s*", "", dockerfile)
    return re.findall(r"^([A-Z]+) (.+)$", joined, re.MULTILINE)


def check(image: Image) -> None:
    """Use the image as the page says."""
    expect("without arguments it prints its help", "Usage: doorstep" in image.call().stdout)
    who = image.run(["id", "-un"]).stdout.strip()
    expect(f"it runs as {who}, who is not root", who == "doorstep")
    writable = image.run(["sh", "-c", "find / -xdev -type d -writable 2>/dev/null"]).stdout.split()
    own = [one for one in writable if not one.startswith(EVERYBODYS)]
    expect(f"its user can write at home only: {own or 'nowhere else'}", not own)
    expect("the sources are gone", not (image.root / "src").exists())
    shutil.copytree(TOP / "examples" / "approval", image.root / "project", dirs_exist_ok=True)
    ran = image.call("run", "approval.asl.json", "--handlers", "handlers.py", "--input",
                     "@input.json", "--seed", "1")  # fmt: skip
    expect("it runs the project that is mounted", ran.returncode == 0 and "grace" in ran.stdout)
    checked = image.call("validate", "approval.asl.json")
    expect("it validates the project", checked.returncode == 0)
    server = image.start("serve", "approval.asl.json", "--handlers", "handlers.py", "--db",
                         "/home/doorstep/doorstep.db")  # fmt: skip
    try:
        expect("serve answers /health", healthy())
    finally:
        server.terminate()
        expect("SIGTERM ends it in order", server.wait(PATIENCE) in (0, -15, 143))


def healthy() -> bool:
    """Wait until the server answers; return whether it does."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{URL}/health", timeout=5) as response:
                return bool(response.status == 200)
        except OSError:
            time.sleep(0.2)
    return False


def main() -> int:
    """Run all; return 1 if something was not as expected."""
    if os.name == "nt" or os.geteuid() != 0 or not shutil.which("debootstrap"):
        print("skipped: it takes root and debootstrap (apt-get install debootstrap)")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        image = Image(Path(folder))
        for word, rest in steps(DOCKERFILE.read_text()):
            print(f"{word} {rest}", flush=True)
            image.step(word, rest)
        check(image)
    return as_expected()


if __name__ == "__main__":
    sys.exit(main())
