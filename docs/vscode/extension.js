// Starts `doorstep lsp` and lets Visual Studio Code talk to it.
const { window, workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

// "asl" and "asl-yaml" are what the AWS Toolkit calls files with definitions.
const LANGUAGES = ["json", "jsonc", "yaml", "asl", "asl-yaml"];

let client;

async function start() {
  const command = workspace.getConfiguration("doorstep").get("command");
  client = new LanguageClient(
    "doorstep",
    "Doorstep",
    { command, args: ["lsp"] },
    { documentSelector: LANGUAGES.map((language) => ({ language })) },
  );
  try {
    await client.start();
  } catch (problem) {
    window.showErrorMessage(
      `'${command} lsp' does not start: ${problem.message ?? problem}. Install it with ` +
        "pip install 'doorstep[editor]', or set doorstep.command to where it is.",
    );
  }
}

async function stop() {
  if (client?.isRunning()) await client.stop();
}

exports.activate = async (context) => {
  context.subscriptions.push(
    workspace.onDidChangeConfiguration(async (change) => {
      if (!change.affectsConfiguration("doorstep.command")) return;
      await stop();
      await start();
    }),
  );
  await start();
};

exports.deactivate = stop;
