// Starts `doorstep lsp` and lets Visual Studio Code talk to it.
const { workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

exports.activate = () => {
  const command = workspace.getConfiguration("doorstep").get("command");
  client = new LanguageClient(
    "doorstep",
    "Doorstep",
    { command, args: ["lsp"] },
    { documentSelector: [{ language: "json" }, { language: "yaml" }] },
  );
  return client.start();
};

exports.deactivate = () => client?.stop();
