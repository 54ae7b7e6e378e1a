// The README's picture: one search in the demo, as two people. EXPECTORATE=overwrite puts it into the tree.
import assert from "node:assert/strict";
import { copyFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { atAtlassian, browser, demo, open, screenshots } from "./support.js";

let gateway, chrome;
before(async () => {
  [gateway, chrome] = await Promise.all([demo(), browser()]);
});
after(async () => {
  gateway?.stop();
  await chrome?.close();
});

async function searchAs(person) {
  const context = await chrome.newContext({ colorScheme: "light", viewport: { width: 640, height: 900 } });
  const { page } = await open(context, gateway.setup);
  await page.getByLabel("Search for").fill("salary");
  await atAtlassian(page, () => page.getByRole("button", { name: "Sign in and search" }).click(), { person });
  const answer = page.locator("#try-answer");
  await answer.getByText(/It works|Nothing found/).waitFor();
  const picture = await page.locator("#try").screenshot();
  const found = await answer.innerText();
  await context.close();
  return { found, image: `data:image/png;base64,${picture.toString("base64")}` };
}

test("the same search finds for Alice what Bob may not see, as the README's picture shows", async () => {
  const [alice, bob] = [await searchAs("alice"), await searchAs("bob")];
  assert.match(alice.found, /Salary bands 2026/);
  assert.match(bob.found, /Nothing found/);
  assert.doesNotMatch(bob.found, /HR|Salary|People/);
  const page = await chrome.newPage({ viewport: { width: 1260, height: 600 } });
  await page.setContent(`<!doctype html><style>
    body { margin: 0; padding: 20px; width: max-content; background: #f5f7f9; color: #17212b; font: 18px/1.4 system-ui, sans-serif; display: flex; gap: 20px; align-items: start; }
    figure { margin: 0; } figcaption { margin: 0 0 10px 4px; } img { display: block; }
  </style>
  <figure><figcaption><b>Alice</b> sees everything</figcaption><img src="${alice.image}"></figure>
  <figure><figcaption><b>Bob</b> may not read the HR space</figcaption><img src="${bob.image}"></figure>`);
  const path = join(screenshots, "demo.png");
  await page.locator("body").screenshot({ path });
  if (process.env.EXPECTORATE === "overwrite") await copyFile(path, process.env.PICTURE);
  assert.ok((await stat(process.env.PICTURE)).size > 0, "EXPECTORATE=overwrite tests/browser/run takes the picture");
});
