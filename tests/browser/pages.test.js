import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { atAtlassian, browser, callback, decide, demo, open, screenshots, violations } from "./support.js";

// Swagger UI's own markup is not ours to mend.
const SWAGGER = { without: ["#swagger-ui"] };
const LOOKS = {
  light: { colorScheme: "light", viewport: { width: 1200, height: 900 } },
  dark: { colorScheme: "dark", viewport: { width: 1200, height: 900 } },
  phone: { colorScheme: "light", viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
};

let gateway, chrome, context;
before(async () => {
  [gateway, chrome] = await Promise.all([demo(), browser()]);
});
after(async () => {
  gateway?.stop();
  await chrome?.close();
});

async function fresh(options = {}) {
  context = await chrome.newContext({ permissions: ["clipboard-read", "clipboard-write"], ...options });
  return context;
}

function unfold(page) {
  return page.evaluate(() => document.querySelectorAll("#content details").forEach((details) => (details.open = true)));
}

test("every page is accessible, fits its window and loads nothing it may not, in light, dark and on a phone", async () => {
  const paths = { setup: "/", privacy: "/privacy", problem: "/problems/ambiguous-title", lost: "/problems/nothing", docs: "/docs" };
  for (const [look, options] of Object.entries(LOOKS)) {
    await fresh(options);
    for (const [name, path] of Object.entries(paths)) {
      const { page, complaints } = await open(context, gateway.origin + path);
      if (name === "docs") await page.locator(".opblock").first().waitFor();
      await unfold(page);
      await page.screenshot({ path: join(screenshots, `${name}-${look}.png`), fullPage: true });
      assert.deepEqual(await violations(page, SWAGGER), [], `${name} in ${look}`);
      assert.deepEqual(complaints, [], `${name} in ${look}`);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${name} in ${look} is ${overflow} pixels too wide`);
      await page.close();
    }
    await context.close();
  }
});

test("each copy button copies exactly the value it stands beside, and says so", async () => {
  const { page } = await open(await fresh(), gateway.setup);
  await unfold(page);
  const buttons = await page.locator("button[data-copy]").all();
  assert.ok(buttons.length >= 10);
  for (const button of buttons) {
    const source = page.locator(`[id="${await button.getAttribute("data-copy")}"]`);
    const items = await source.locator("li").allTextContents();
    const expected = items.length ? items.map((item) => item.trim()).join("\n") : await source.textContent();
    await button.click();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), expected);
    assert.match(await page.locator("#copied").textContent(), /^Copied: \S/);
  }
  const value = async (label) => (await page.getByRole("button", { name: `Copy ${label}`, exact: true }).click(), page.evaluate(() => navigator.clipboard.readText()));
  assert.equal(await value("Schema URL"), `${gateway.origin}/openapi.json`);
  assert.equal(await value("Authorization URL"), `${gateway.origin}/oauth/authorize`);
  assert.equal(await value("Token URL"), `${gateway.origin}/oauth/token`);
  assert.equal(await value("MCP server URL"), `${gateway.origin}/mcp`);
  assert.equal(await value("Callback URL"), `${gateway.origin}/oauth/callback`);
  assert.equal(await value("Scope"), "confluence:read");
  await context.close();
});

test("without JavaScript every value is there to select, and no button that does nothing", async () => {
  const { page } = await open(await fresh({ javaScriptEnabled: false }), gateway.setup);
  assert.ok(await page.getByText(`${gateway.origin}/openapi.json`, { exact: true }).isVisible());
  for (const button of await page.getByRole("button").all()) assert.ok(!(await button.isVisible()));
  await context.close();
});

test("the check list says what is right, and for the rest what to do", async () => {
  const { page } = await open(await fresh(), gateway.setup);
  await page.getByText("checks, made just now").click();
  const text = await page.locator(".checks").innerText();
  for (const title of ["Public address is https", "Public address answers", "Sealing key", "sign-in answers", "API answers", "Clock", "Actions document"]) {
    assert.ok(text.includes(title), `${title} in ${text}`);
  }
  assert.equal(await page.locator(".checks .bad").count(), 0, text);
  for (const check of await page.locator(".checks .doubtful").all()) assert.ok(await check.locator(".fix").isVisible());
  await context.close();
});

test("whoever opens the page at another address is told", async () => {
  const other = gateway.origin.replace("127.0.0.1", "localhost");
  const { page } = await open(await fresh(), other);
  const told = await page.locator("#elsewhere").isVisible();
  assert.equal(told, true);
  await page.goto(gateway.setup);
  assert.equal(await page.locator("#elsewhere").isVisible(), false);
  await context.close();
});

test("Try it signs in at Atlassian and shows results; a second search needs no second sign-in", async () => {
  const { page, complaints } = await open(await fresh(), gateway.setup);
  const button = page.getByRole("button", { name: "Sign in and search" });
  await atAtlassian(page, () => button.click());
  await page.locator(".results a").first().waitFor();
  assert.match(await page.locator("#try-answer").innerText(), /It works: /);
  assert.deepEqual(await violations(page), []);
  await page.screenshot({ path: join(screenshots, "try.png"), fullPage: true });
  await page.getByLabel("Search for").fill("zzzznothinghasthisword");
  await button.click();
  await page.getByText("Nothing found.").waitFor();
  await page.getByLabel("Search for").fill("onboarding zzzznothinghasthisword");
  await button.click();
  await page.getByText("Nothing holds all of these words.").waitFor();
  await page.locator(".results a").first().waitFor();
  assert.deepEqual(complaints, []);
  await context.close();
});

test("Try it says so when the person refuses at Atlassian, or closes the window", async () => {
  const { page } = await open(await fresh(), gateway.setup);
  const button = page.getByRole("button", { name: "Sign in and search" });
  await atAtlassian(page, () => button.click(), { decision: "Deny" });
  await page.locator("#try-answer .failed").waitFor();
  assert.match(await page.locator("#try-answer").innerText(), /access_denied/);
  const [popup] = await Promise.all([page.waitForEvent("popup"), button.click()]);
  await popup.close();
  await page.getByText("closed before it was done").waitFor();
  assert.ok(await button.isEnabled());
  await context.close();
});

async function authorize(page, options) {
  await page.locator(".auth-wrapper .authorize").click();
  const dialog = page.locator(".auth-container");
  await atAtlassian(page, () => dialog.locator("button.authorize").click(), options);
  return dialog;
}

// With what Swagger UI fills in.
async function tryOut(page, operation) {
  const block = page.locator(`[id$="-${operation}"]`);
  await block.locator(".opblock-summary-control").click();
  await block.getByRole("button", { name: "Try it out" }).click();
  await block.getByRole("button", { name: "Execute" }).click();
  const answer = block.locator(".live-responses-table > tbody");
  await answer.waitFor();
  const status = await answer.locator(".response-col_status").first().innerText();
  return { status: Number.parseInt(status, 10), body: await answer.innerText() };
}

test("Swagger UI signs in, searches and reads a page, and leads back", async () => {
  const { page, complaints } = await open(await fresh(), gateway.docs);
  const dialog = await authorize(page);
  await dialog.getByText("Authorized").waitFor();
  await page.screenshot({ path: join(screenshots, "docs-signed-in.png") });
  await dialog.locator(".btn-done").click();
  for (const operation of ["searchConfluence", "findPage", "getPage", "listSpaces", "whoAmI"]) {
    const { status, body } = await tryOut(page, operation);
    assert.equal(status, 200, `${operation}: ${body}`);
  }
  await page.screenshot({ path: join(screenshots, "docs-tried.png"), fullPage: true });
  assert.deepEqual(complaints, []);
  await page.getByRole("link", { name: "setup page" }).click();
  await page.getByRole("heading", { name: "Connect ChatGPT to Confluence" }).waitFor();
  await context.close();
});

test("Swagger UI says so when the person refuses at Atlassian", async () => {
  const { page } = await open(await fresh(), gateway.docs);
  await authorize(page, { decision: "Deny" });
  await page.getByText(/access_denied/).first().waitFor();
  await context.close();
});

// A program on this machine that registers itself, as MCP clients do.
async function register(program) {
  const response = await fetch(`${gateway.origin}/oauth/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ client_name: "Field <b>Notes</b>", redirect_uris: [program.url], token_endpoint_auth_method: "none" }),
  });
  assert.equal(response.status, 201, await response.clone().text());
  const { client_id } = await response.json();
  const challenge = createHash("sha256").update(randomBytes(32)).digest("base64url");
  const query = new URLSearchParams({
    response_type: "code", client_id, redirect_uri: program.url, state: "s+t&a", resource: `${gateway.origin}/mcp`,
    code_challenge: challenge, code_challenge_method: "S256",
  });
  return `${gateway.origin}/oauth/authorize?${query}`;
}

test("a program that registered itself needs the person's consent, which is shown plainly and can be refused or given", async () => {
  for (const [look, options] of Object.entries(LOOKS)) {
    const program = await callback();
    const { page, complaints } = await open(await fresh(options), await register(program));
    const text = await page.locator("body").innerText();
    assert.ok(text.includes("Field <b>Notes</b>") && text.includes("127.0.0.1"), text);
    assert.deepEqual(await violations(page), [], `the consent page in ${look}`);
    await page.screenshot({ path: join(screenshots, `consent-${look}.png`), fullPage: true });
    assert.ok(text.includes("An app on this computer") && text.includes(program.url), text);
    if (look === "light") {
      await page.getByRole("button", { name: "Deny" }).click();
    } else {
      await page.getByRole("button", { name: "Allow" }).click();
      await decide(page, "bob", look === "dark" ? "Deny" : "Allow");
    }
    await page.getByText("Back in the program.").waitFor();
    const answer = program.called();
    assert.equal(answer.get("error"), look === "phone" ? null : "access_denied");
    assert.equal(answer.has("code"), look === "phone");
    assert.equal(answer.get("state"), "s+t&a");
    assert.deepEqual(complaints, []);
    program.stop();
    await context.close();
  }
});

test("the privacy page tells how to disconnect, and names who runs the gateway", async () => {
  const { page } = await open(await fresh(), `${gateway.origin}/privacy`);
  const link = page.getByRole("link", { name: "id.atlassian.com/manage-profile/apps" });
  assert.equal(await link.getAttribute("href"), "https://id.atlassian.com/manage-profile/apps");
  assert.match(await page.locator("main").innerText(), /It is run by the Causeway demo on this machine/);
  await context.close();
});
