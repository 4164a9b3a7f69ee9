// Starts `waypost lsp` for .route files, and adds what only VS Code can show: packs of the standard library as read-only
// documents, explanations as Markdown, the tests and the spend ceiling of a file in a terminal.

import * as vscode from "vscode";
import { LanguageClient, type LanguageClientOptions, type ServerOptions } from "vscode-languageclient/node";

const PACK_SCHEME = "waypost-std";
const EXPLANATION_SCHEME = "waypost-explain";

let client: LanguageClient | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  context.subscriptions.push(
    vscode.workspace.registerTextDocumentContentProvider(PACK_SCHEME, { provideTextDocumentContent: pack }),
    vscode.workspace.registerTextDocumentContentProvider(EXPLANATION_SCHEME, { provideTextDocumentContent: explanation }),
    vscode.commands.registerCommand("waypost.restart", restart),
    vscode.commands.registerCommand("waypost.explainCode", () => explain(undefined)),
    vscode.commands.registerCommand("waypost.test", () => inTerminal("test")),
    vscode.commands.registerCommand("waypost.spend", () => inTerminal("spend")),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("waypost.path")) {
        void restart();
      }
    }),
  );
  await start();
}

export async function deactivate(): Promise<void> {
  await client?.stop();
}

function command(): string {
  return vscode.workspace.getConfiguration("waypost").get<string>("path") || "waypost";
}

async function start(): Promise<void> {
  const server: ServerOptions = { command: command(), args: ["lsp"] };
  const options: LanguageClientOptions = {
    documentSelector: [
      { language: "route", scheme: "file" },
      { language: "route", scheme: "untitled" },
    ],
    initializationOptions: { standardPacks: true },
    middleware: {
      // The server's own command answers with Markdown; here it is shown.
      executeCommand: (name, parameters, next) =>
        name === "waypost.explain" ? explain(parameters[0] as string) : next(name, parameters),
    },
  };
  client = new LanguageClient("waypost", "Waypost", server, options);
  try {
    await client.start();
  } catch (error) {
    const settings = "Open settings";
    const chosen = await vscode.window.showErrorMessage(
      `cannot start \`${command()} lsp\`: install waypost, or set waypost.path (${String(error)})`,
      settings,
    );
    if (chosen === settings) {
      await vscode.commands.executeCommand("workbench.action.openSettings", "waypost.path");
    }
  }
}

async function restart(): Promise<void> {
  await client?.stop().catch(() => undefined);
  await start();
}

async function pack(uri: vscode.Uri): Promise<string> {
  return (await client?.sendRequest<string>("waypost/pack", { uri: uri.toString(true) })) ?? "";
}

async function explanation(uri: vscode.Uri): Promise<string> {
  const code = uri.path.replace(/^\/|\.md$/g, "");
  const params = { command: "waypost.explain", arguments: [code] };
  return (await client?.sendRequest<string>("workspace/executeCommand", params)) ?? "";
}

/** Shows the explanation of a code; asks for one, or takes the finding under the cursor, when none is given. */
async function explain(given: string | undefined): Promise<void> {
  const code = given ?? codeAtCursor() ?? (await vscode.window.showInputBox({ prompt: "Which code?", placeHolder: "WP0401" }));
  if (code) {
    const uri = vscode.Uri.from({ scheme: EXPLANATION_SCHEME, path: `/${code}.md` });
    await vscode.commands.executeCommand("markdown.showPreview", uri);
  }
}

function codeAtCursor(): string | undefined {
  const editor = vscode.window.activeTextEditor;
  if (!editor) {
    return undefined;
  }
  const found = vscode.languages
    .getDiagnostics(editor.document.uri)
    .find((one) => one.source === "waypost" && one.range.contains(editor.selection.active));
  return found?.code === undefined ? undefined : String(found.code);
}

/** Runs a command on the open file. The process is started without a shell, so no name can be taken for one. */
function inTerminal(verb: string): void {
  const file = vscode.window.activeTextEditor?.document.uri.fsPath;
  if (!file) {
    return;
  }
  const execution = new vscode.ProcessExecution(command(), [verb, file]);
  const task = new vscode.Task({ type: "waypost" }, vscode.TaskScope.Workspace, `${verb} ${file}`, "waypost", execution);
  task.presentationOptions = { reveal: vscode.TaskRevealKind.Always, clear: true };
  void vscode.tasks.executeTask(task);
}
