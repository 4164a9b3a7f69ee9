// Drives a running `waypost run tests/clients/dialects.route --demo` with the official OpenAI client for Node.
//
// Usage: openai_node.mjs BASE_URL. Exits 0 if every check holds, and prints one line for each.

import assert from "node:assert/strict";
import OpenAI from "openai";

const baseURL = `${process.argv[2]}/v1`;
const client = new OpenAI({ baseURL, apiKey: "demo", maxRetries: 0, timeout: 30_000 });
const models = ["phi", "mistral", "gpt", "azure-gpt", "claude", "claude-amazon", "gemini", "nova"];
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
  async streamedToolCall() {
    for (const model of models) {
      const messages = user("What is the weather in Oslo?");
      const stream = client.chat.completions.stream({ model, messages, tools, tool_choice: "required" });
      const [call] = (await stream.finalChatCompletion()).choices[0].message.tool_calls;
      assert.ok("city" in JSON.parse(call.function.arguments), model);
    }
  },
  async structuredOutput() {
    const properties = { name: { type: "string" }, population: { type: "integer" } };
    const schema = { type: "object", properties, required: ["name", "population"], additionalProperties: false };
    const isCity = (text) => assert.deepEqual(Object.keys(JSON.parse(text)).sort(), ["name", "population"]);
    for (const model of models) {
      const response_format = { type: "json_schema", json_schema: { name: "city", schema, strict: true } };
      const answer = await client.chat.completions.create({ model, messages: user("Name a city."), response_format });
      isCity(answer.choices[0].message.content);
      const text = { format: { type: "json_schema", name: "city", schema, strict: true } };
      isCity((await client.responses.create({ model, input: "Name a city.", text })).output_text);
    }
  },
  async streamedResponse() {
    for (const model of models) {
      const stream = client.responses.stream({ model, input: "Count from one to ten." });
      let text = "";
      stream.on("response.output_text.delta", (event) => (text += event.delta));
      const final = await stream.finalResponse();
      assert.ok(text.length > 0 && final.output_text === text, model);
      assert.ok(final.usage.output_tokens > 1, model);
    }
  },
  async embeddings() {
    for (const model of ["e5", "embedder"]) {
      const answer = await client.embeddings.create({ model, input: ["one", "two"] });
      assert.deepEqual(answer.data.map((item) => item.index), [0, 1]);
      assert.equal(answer.data[0].embedding.length, 8);
    }
  },
  async errorsAreTheirOwnExceptions() {
    const stranger = new OpenAI({ baseURL, apiKey: "sk-not-a-key", maxRetries: 0 });
    await assert.rejects(stranger.chat.completions.create({ model: "phi", messages: user("hi") }), OpenAI.AuthenticationError);
    await assert.rejects(client.chat.completions.create({ model: "gpt-99", messages: user("hi") }), OpenAI.NotFoundError);
    await assert.rejects(client.embeddings.create({ model: "claude", input: "hi" }), OpenAI.BadRequestError);
    const long = "word ".repeat(99_000);
    await assert.rejects(client.responses.create({ model: "claude", input: long }), OpenAI.RateLimitError);
  },
};

for (const [name, check] of Object.entries(checks)) {
  await check();
  console.log(`ok: ${name}`);
}
