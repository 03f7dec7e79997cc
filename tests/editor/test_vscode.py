"""The extension in docs/vscode, run by Node with stand-ins for the editor and its client library.

It was tried by hand in Visual Studio Code 1.100 (as code-server has it): problems, explanations,
completion, fixes, rename, go to definition, in JSON and YAML.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

NODE = shutil.which("node")
EXTENSION = Path(__file__).parents[2] / "docs" / "vscode"
VSCODE = """
let command = "nowhere", changed;
const said = [];
module.exports = {
  said,
  set: async (value) => {
    command = value;
    await changed({ affectsConfiguration: (name) => name === "doorstep.command" });
  },
  window: { showErrorMessage: (message) => said.push(message) },
  workspace: {
    getConfiguration: () => ({ get: () => command }),
    onDidChangeConfiguration: (listener) => { changed = listener; return { dispose() {} }; },
  },
};
"""
CLIENT = """
const { said } = require("vscode");
exports.LanguageClient = class {
  constructor(id, name, server, client) { this.server = server; this.client = client; }
  async start() {
    if (this.server.command === "nowhere") throw new Error("spawn nowhere ENOENT");
    said.push(["start", this.server.command, ...this.server.args]);
    said.push(this.client.documentSelector.map((one) => one.language));
    this.runs = true;
  }
  isRunning() { return this.runs; }
  async stop() { said.push(["stop", this.server.command]); }
};
"""
SCRIPT = """
const extension = require("./extension.js"), vscode = require("vscode");
(async () => {
  await extension.activate({ subscriptions: [] });
  await vscode.set("/venv/bin/doorstep");
  await extension.deactivate();
  console.log(JSON.stringify(vscode.said));
})();
"""


@pytest.mark.skipif(NODE is None, reason="Node is not installed")
def test_a_command_that_is_not_there_is_named_and_starts_once_it_is_set(tmp_path: Path) -> None:
    shutil.copy(EXTENSION / "extension.js", tmp_path)
    for name, text in (("vscode/index.js", VSCODE), ("vscode-languageclient/node.js", CLIENT)):
        file = tmp_path / "node_modules" / name
        file.parent.mkdir(parents=True)
        file.write_text(text)
    (tmp_path / "script.js").write_text(SCRIPT)
    ran = subprocess.run(
        [str(NODE), "script.js"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    note, started, languages, stopped = json.loads(ran.stdout)
    assert note.startswith(
        "'nowhere lsp' does not start: spawn nowhere ENOENT. Install it with pip"
    )
    assert started == ["start", "/venv/bin/doorstep", "lsp"]
    assert stopped == ["stop", "/venv/bin/doorstep"]
    events = json.loads((EXTENSION / "package.json").read_text())["activationEvents"]
    assert events == [f"onLanguage:{one}" for one in languages]
