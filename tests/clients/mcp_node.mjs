// The official TypeScript SDK, old and new, each with its own OAuth: from nothing but the MCP URL to an answer.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

import * as v2 from "@modelcontextprotocol/client";
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const url = new URL(process.argv[2]);
const WORDS = "ledger projections rebuild";
const TITLE = "ADR-001: Event sourcing for the ledger";
const FACT = "3 hours and 20 minutes";

/** What an application has to bring along: memory, and a person with a browser. */
class Provider {
  redirectUrl = "http://127.0.0.1:8766/callback";
  clientMetadata = {
    client_name: "TypeScript SDK",
    redirect_uris: [this.redirectUrl],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  };
  kept = {};
  clientInformation = () => this.kept.client;
  saveClientInformation = (client) => void (this.kept.client = client);
  tokens = () => this.kept.tokens;
  saveTokens = (tokens) => void (this.kept.tokens = tokens);
  codeVerifier = () => this.kept.verifier;
  saveCodeVerifier = (verifier) => void (this.kept.verifier = verifier);
  discoveryState = () => this.kept.discovery;
  saveDiscoveryState = (discovery) => void (this.kept.discovery = discovery);
  redirectToAuthorization(authorization) {
    const browser = [new URL("browser.py", import.meta.url).pathname, "--print", authorization.href];
    this.back = new URL(execFileSync("python3", browser, { encoding: "utf8" }).trim()).searchParams;
  }
}

function expect(truth, message) {
  if (!truth) throw new Error(message);
}

async function ask(client) {
  const { tools } = await client.listTools();
  const names = tools.map((tool) => tool.name);
  for (const name of ["searchConfluence", "getPage", "search", "fetch"]) expect(names.includes(name), `no ${name}`);
  const found = await client.callTool({ name: "search", arguments: { query: WORDS } });
  const document = found.structuredContent.results.find((result) => result.title === TITLE);
  expect(document, `search found ${JSON.stringify(found)}`);
  const fetched = await client.callTool({ name: "fetch", arguments: { id: document.id } });
  expect(fetched.structuredContent.text.includes(FACT), `fetched ${JSON.stringify(fetched)}`);
  expect(fetched.structuredContent.url === document.url, "another URL");
  const refused = await client.callTool({ name: "getPage", arguments: { id: "nonsense" } });
  expect(refused.isError && refused.content[0].text.includes("nextStep"), JSON.stringify(refused));
  await client.close();
}

function passed(name, protocol) {
  const { version } = JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url)));
  console.log(`ok    ${name} ${version}, protocol ${protocol}`);
}

async function first() {
  const authProvider = new Provider();
  let transport = new StreamableHTTPClientTransport(url, { authProvider });
  const identity = { name: "clients-test", version: "1" };
  try {
    await new Client(identity).connect(transport);
    throw new Error("nobody asked for a sign-in");
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
  }
  await transport.finishAuth(authProvider.back.get("code"));
  transport = new StreamableHTTPClientTransport(url, { authProvider });
  const client = new Client(identity);
  await client.connect(transport);
  await ask(client);
  passed("@modelcontextprotocol/sdk", transport.protocolVersion);
}

async function second(mode) {
  const options = { versionNegotiation: { mode } };
  const authProvider = new Provider();
  let transport = new v2.StreamableHTTPClientTransport(url, { authProvider });
  const identity = { name: "clients-test", version: "1" };
  try {
    await new v2.Client(identity, options).connect(transport);
    throw new Error("nobody asked for a sign-in");
  } catch (error) {
    if (!(error instanceof v2.UnauthorizedError)) throw error;
  }
  await transport.finishAuth(authProvider.back);
  transport = new v2.StreamableHTTPClientTransport(url, { authProvider });
  const client = new v2.Client(identity, options);
  await client.connect(transport);
  const spoken = client.getNegotiatedProtocolVersion();
  await ask(client);
  passed("@modelcontextprotocol/client", spoken);
}

await first();
await second("auto");
await second("legacy");
