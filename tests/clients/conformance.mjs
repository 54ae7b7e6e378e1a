// The official conformance suite, as far as its scenarios apply to any server. It knows no sign-in, so that a proxy
// adds the bearer token. The others ask for tools, prompts and resources of a server made for the suite.

import { spawn } from "node:child_process";
import http from "node:http";

const SCENARIOS = ["server-initialize", "ping", "tools-list", "dns-rebinding-protection", "server-sse-polling", "server-sse-multiple-streams"];

const [url, token] = process.argv.slice(2);
const gateway = new URL(url);

// What the suite says of Host and Origin has to reach the gateway as it is, but for the proxy's own port.
const proxy = http.createServer((request, response) => {
  const own = `:${proxy.address().port}`;
  const headers = { ...request.headers, authorization: `Bearer ${token}` };
  for (const name of ["host", "origin"]) headers[name] = headers[name]?.replace(own, `:${gateway.port}`);
  if (!headers.origin) delete headers.origin;
  const onward = http.request(
    { host: gateway.hostname, port: gateway.port, path: request.url, method: request.method, headers },
    (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    },
  );
  onward.on("error", () => response.destroy());
  request.pipe(onward);
});
await new Promise((listening) => proxy.listen(0, "127.0.0.1", listening));

const suite = new URL("node_modules/@modelcontextprotocol/conformance/dist/index.js", import.meta.url).pathname;
let failed = 0;
for (const scenario of SCENARIOS) {
  const server = `http://127.0.0.1:${proxy.address().port}/mcp`;
  const run = spawn(process.execPath, [suite, "server", "--url", server, "--scenario", scenario], { stdio: "pipe" });
  let output = "";
  for (const stream of [run.stdout, run.stderr]) stream.on("data", (data) => (output += data));
  const status = await new Promise((ended) => run.on("close", ended));
  if (status !== 0) {
    failed += 1;
    console.log(output);
  }
  console.log(`${status === 0 ? "ok   " : "FAIL "} conformance: ${scenario}`);
}
proxy.close();
process.exit(failed ? 1 : 0);
