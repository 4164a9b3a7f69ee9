// Tokenises real files with the grammar, with the engine that VS Code itself uses.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

const require = createRequire(import.meta.url);
const oniguruma = require("vscode-oniguruma");
const { INITIAL, Registry, parseRawGrammar } = require("vscode-textmate");

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");
const path = join(root, "editors/textmate/route.tmLanguage.json");

const wasm = readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm")).buffer;
const onigLib = oniguruma.loadWASM(wasm).then(() => ({
  createOnigScanner: (sources) => new oniguruma.OnigScanner(sources),
  createOnigString: (text) => new oniguruma.OnigString(text),
}));
const registry = new Registry({
  onigLib,
  loadGrammar: async (scope) => (scope === "source.route" ? parseRawGrammar(readFileSync(path, "utf8"), path) : null),
});
const grammar = await registry.loadGrammar("source.route");

/** Every token of a text that is not blank: what is written, and its scopes without the root. */
function tokens(text) {
  let state = INITIAL;
  const found = [];
  for (const line of text.split("\n")) {
    const result = grammar.tokenizeLine(line, state);
    state = result.ruleStack;
    for (const token of result.tokens) {
      const written = line.slice(token.startIndex, token.endIndex);
      if (written.trim()) {
        found.push({ written: written.trim(), scopes: token.scopes.slice(1), line });
      }
    }
  }
  return found;
}

/** Asserts that `written`, at its first place in `text`, has a scope that begins with `scope`. */
function check(text, written, scope) {
  const token = tokens(text).find((one) => one.written === written);
  assert.ok(token, `no token \`${written}\` in: ${text}\n${JSON.stringify(tokens(text))}`);
  assert.ok(token.scopes.some((one) => one.startsWith(scope)), `\`${written}\` of \`${text}\` has ${JSON.stringify(token.scopes)}`);
}

test("declarations, names and sections", () => {
  check("waypost 1", "waypost", "keyword.control.edition");
  check('import "std/agents.route"', "import", "keyword.control.import");
  check("model gpt-5.1 {", "model", "keyword.declaration");
  check("model gpt-5.1 {", "gpt-5.1", "entity.name.type");
  check("content {", "content", "keyword.declaration.section");
  check("content batch {", "batch", "entity.name.type");
  check("let LONG = 24k", "LONG", "variable.other.constant");
  check('secret aoai_key = k8s("a/b", "c")', "k8s", "support.function");
  check("extend model gpt-5.1 { price input $1 }", "extend", "keyword.control.extend");
  check('test "it holds" {', "test", "keyword.declaration.test");
});

test("units", () => {
  check("budget $50 / day", "$50", "constant.numeric.money");
  check("price input $0.125", "$0.125", "constant.numeric.money");
  check("context 400k", "k", "keyword.other.unit.count");
  check("timeout 60s", "s", "keyword.other.unit.duration");
  check("overflow wait 250ms", "ms", "keyword.other.unit.duration");
  check("at 80% warn", "%", "keyword.other.unit.percentage");
  check("replicas 2..8", "..", "keyword.operator.range");
  check("budget $50 / day", "day", "support.constant");
});

test("rules and their conditions", () => {
  const rule = 'escalate to strong "hard" when request.tools.exists(t, t.name == "x") && difficulty >= 0.42 // why';
  check(rule, "escalate", "keyword.control.rule");
  check(rule, "strong", "entity.name.type.tier");
  check(rule, "when", "keyword.control.condition");
  check(rule, "request", "support.variable.fact");
  check(rule, "exists", "support.function");
  check(rule, "&&", "keyword.operator.logical");
  check(rule, "difficulty", "support.variable.fact");
  check(rule, "0.42", "constant.numeric");
  check(rule, "// why", "comment.line");
  check('deny "a" when tier == "strong"', "tier", "support.variable.fact");
  check("cap at weak when caller.plan in []", "in", "keyword.operator.word");
  check('when a\n  && request.tokens > 2', "request", "support.variable.fact");
});

test("strings and comments", () => {
  check('deny "a \\" b" when x', "\\\"", "constant.character.escape");
  check("x matches r'\\d+'", "r'\\d+'", "string.quoted.raw");
  check("/// documents", "/// documents", "comment.line.documentation");
  check("// allow(WP0440): why", "WP0440", "constant.other.code");
  const after = tokens('deny "open\nmodel a {');
  assert.ok(after.some((one) => one.written === "model" && one.scopes[0].startsWith("keyword")), "a string ends with its line");
});

test("every word of the examples and the standard library has a scope", () => {
  const folders = ["examples/agents", "examples/minimal", "policies/std"];
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith(".route"))
      .map((name) => join(root, folder, name)),
  );
  assert.ok(files.length >= 4);
  for (const file of files) {
    const text = readFileSync(file, "utf8");
    // Names of the file's own may stand anywhere, and so may the variables of macros; words of the language have a scope.
    const own = new Set([...text.matchAll(/^\s*(?:extend )?(?:tier|model|catalog|pool|provider|secret|let)\s+([\w.-]+)/gm)].map((one) => one[1]));
    for (const name of text.matchAll(/(?:tiers|rejects)\s+([^\n/]+)/g)) {
      name[1].split(/[\s,<]+/).forEach((one) => own.add(one));
    }
    for (const token of tokens(text)) {
      const words = token.written.match(/[A-Za-z][\w-]*(?:\.[\w-]+)*/g) ?? [];
      const unknown = words.filter((word) => !own.has(word) && word.length > 1);
      if (token.scopes.filter((one) => !one.startsWith("meta.")).length === 0) {
        assert.deepEqual(unknown, [], `${file}: ${token.line}`);
      }
    }
  }
});
