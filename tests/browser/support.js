// The demo and a browser, for the time of one test file.
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import axe from "axe-core";
import { chromium } from "playwright-core";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/// Where screenshots go.
export const screenshots = process.env.SCREENSHOTS;

/// Starts `causeway demo --json`; what it prints, and how to end it.
export async function demo() {
  const child = spawn(process.env.CAUSEWAY_BINARY, ["demo", "--json"], { stdio: ["ignore", "pipe", "inherit"] });
  const line = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", resolve);
    child.once("exit", (code) => reject(new Error(`causeway demo ended with ${code}`)));
    child.once("error", reject);
  });
  const printed = JSON.parse(line);
  return { ...printed, origin: new URL(printed.setup).origin, stop: () => child.kill() };
}

export function browser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
}

/// A page whose own complaints (blocked by policy, uncaught, not loaded) end up in `complaints`.
export async function open(context, url) {
  const page = await context.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    // An answer that a test provokes is not a complaint of the page.
    const answered = message.text().startsWith("Failed to load resource: the server responded with a status of 4");
    if (message.type() === "error" && !answered) complaints.push(message.text());
  });
  page.on("requestfailed", (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.setDefaultTimeout(15_000);
  await page.goto(url, { waitUntil: "networkidle" });
  return { page, complaints };
}

/// What axe finds wrong, one line each.
export async function violations(page, { without = [] } = {}) {
  // The page's policy admits no foreign script; evaluating is not bound by it.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate((exclude) => globalThis.axe.run({ exclude }), without.map((selector) => [selector]));
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`));
}

/// Atlassian's page, as the sandbox shows it in the popup that `act` opens.
export async function atAtlassian(page, act, { person = "alice", decision = "Allow" } = {}) {
  const [popup] = await Promise.all([page.waitForEvent("popup"), act()]);
  await decide(popup, person, decision);
  if (!popup.isClosed()) await popup.waitForEvent("close");
}

export async function decide(page, person, decision) {
  await page.locator(`input[name=person][value=${person}]`).check();
  await page.getByRole("button", { name: decision, exact: true }).click();
}

/// A program on this machine that waits to be called back.
export async function callback() {
  let called;
  const server = createServer((request, response) => {
    const url = new URL(request.url, "http://127.0.0.1");
    if (url.pathname === "/callback") called = url.searchParams;
    response.setHeader("content-type", "text/html");
    response.end('<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Back</title>Back in the program.');
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () => (server.closeAllConnections(), server.close());
  return { url: `http://127.0.0.1:${server.address().port}/callback`, called: () => called, stop };
}
