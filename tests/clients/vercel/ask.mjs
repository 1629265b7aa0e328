// Asks a gateway (or the model server itself) through Vercel's AI SDK and prints what the SDK made of the answers.
// usage: node ask.mjs BASE_URL NAME...
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { embed, generateText, jsonSchema, streamText, tool } from "ai";

const [base, ...names] = process.argv.slice(2);
globalThis.AI_SDK_LOG_WARNINGS = false;
const openai = createOpenAI({ baseURL: base + "/v1", apiKey: "k" });
const claude = createAnthropic({ baseURL: base + "/v1", apiKey: "k" });
const tools = {
  weather: tool({
    description: "Say what the weather is like.",
    inputSchema: jsonSchema({ type: "object", properties: { city: { type: "string" } } }),
  }),
};
const models = { chat: openai.chat("m"), responses: openai.responses("m"), messages: claude("m") };

async function whole(model, prompt, more) {
  const said = await generateText({ model, prompt, maxRetries: 0, ...more });
  const { text, toolCalls, finishReason, rawFinishReason, usage, warnings, response, content } = said;
  return { text, toolCalls, finishReason, rawFinishReason, usage, warnings, content, id: response.id, body: response.body };
}

async function streamed(model, prompt, more) {
  const said = streamText({ model, prompt, maxRetries: 0, onError: () => {}, ...more });
  const parts = [];
  for await (const part of said.fullStream) parts.push(part.type === "error" ? { error: failure(part.error) } : part);
  return parts;
}

const asks = {
  embeddings: async () => await embed({ model: openai.embedding("m"), value: "x", maxRetries: 0 }),
};
for (const [name, model] of Object.entries(models)) {
  asks[name] = () => whole(model, "What is the capital of France?");
  asks[name + "_stream"] = () => streamed(model, "What is the capital of France?");
  asks[name + "_tools"] = () => whole(model, "Weather?", { tools });
  asks[name + "_tools_stream"] = () => streamed(model, "Weather?", { tools });
  asks[name + "_forbidden"] = () => whole(model, "this is forbidden");
  asks[name + "_forbidden_stream"] = () => streamed(model, "this is forbidden");
}

function failure(error) {
  const { name, message, statusCode, responseBody, isRetryable, data } = error;
  return { name, message, statusCode, responseBody, isRetryable, data };
}

// Times, headers and addresses are not the model's; ids that the SDK makes up are random.
const dropped = new Set(["timestamp", "headers", "date", "url", "request"]);
const kept = (key, value) => (dropped.has(key) ? undefined : value);
const seen = {};
for (const name of names) {
  try {
    seen[name] = await asks[name]();
  } catch (error) {
    seen[name] = { error: failure(error) };
  }
}
console.log(JSON.stringify(seen, kept));
