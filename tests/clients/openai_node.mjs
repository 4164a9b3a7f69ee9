// Drives a running `waypost run tests/clients/dialects.route --demo` with the official OpenAI client for Node.
//
// Usage: openai_node.mjs BASE_URL. Exits 0 if every check holds, and prints one line for each.

import assert from "node:assert/strict";
import OpenAI from "openai";

const baseURL = `${process.argv[2]}/v1`;
const client = new OpenAI({ baseURL, apiKey: "demo", maxRetries: 0, timeout: 30_000 });
const models = ["phi", "claude", "gemini", "nova"];
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const tools = [{ type: "function", function: { name: "get_weather", parameters } }];
const user = (content) => [{ role: "user", content }];

const checks = {
  async chat() {
    for (const model of models) {
      const answer = await client.chat.completions.create({ model, messages: user("What is 2+2?") });
      assert.match(answer.choices[0].message.content, /4/);
      assert.ok(answer.usage.total_tokens > 0);
    }
  },
  async streamWithUsage() {
    for (const model of models) {
      const messages = user("Count from one to ten.");
      const stream = await client.chat.completions.create({ model, messages, stream: true, stream_options: { include_usage: true } });
      let text = "";
      const usages = [];
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta?.content ?? "";
        if (chunk.usage) usages.push(chunk.usage);
      }
      assert.ok(text.length > 0);
      assert.equal(usages.length, 1);
    }
  },
  async toolCall() {
    for (const model of models) {
      const messages = user("What is the weather in Oslo?");
      const answer = await client.chat.completions.create({ model, messages, tools, tool_choice: "required" });
      assert.ok("city" in JSON.parse(answer.choices[0].message.tool_calls[0].function.arguments));
    }
  },
  async structuredOutput() {
    for (const model of models) {
      const response_format = { type: "json_schema", json_schema: { name: "answer", schema: { type: "object" } } };
      const answer = await client.chat.completions.create({ model, messages: user("What is 2+2?"), response_format });
      // A simulated Claude reads no format.
      if (model !== "claude") JSON.parse(answer.choices[0].message.content);
    }
  },
  async errorsAreTheirOwnExceptions() {
    const stranger = new OpenAI({ baseURL, apiKey: "sk-not-a-key", maxRetries: 0 });
    await assert.rejects(stranger.chat.completions.create({ model: "phi", messages: user("hi") }), OpenAI.AuthenticationError);
    await assert.rejects(client.chat.completions.create({ model: "gpt-99", messages: user("hi") }), OpenAI.NotFoundError);
    await assert.rejects(client.embeddings.create({ model: "claude", input: "hi" }), OpenAI.BadRequestError);
  },
};

for (const [name, check] of Object.entries(checks)) {
  await check();
  console.log(`ok: ${name}`);
}
