// Accessibility by axe-core, in light and dark, on a phone and on a desk; keys and focus.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { axe, check, drag, live, until } from "./lib.mjs";

const source = readFileSync(axe, "utf8");

async function clean(page, where) {
  // Through the debugger, which the page's policy for scripts does not bind.
  await page.evaluate(source);
  const violations = await page.evaluate(async () => (await globalThis.axe.run(document, { resultTypes: ["violations"] })).violations);
  const told = violations.map(({ id, help, nodes }) => `${where}: ${id}: ${help}: ${nodes.map((node) => `${node.html} (${node.failureSummary})`).join("; ")}`);
  assert.deepEqual(told, []);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 0, `${where}: ${wide} pixels too wide`);
}

for (const colorScheme of ["light", "dark"]) {
  for (const width of [360, 1280]) {
    check(`no violations: ${colorScheme}, ${width} pixels`, { server: ["--cameras", "2"], colorScheme, viewport: { width, height: 800 }, expected: /409/ }, async (page, server) => {
      await live(page);
      await server.happen({ label: "cat" });
      await server.happen({ event: "enter", zone: "gate", label: "red bus", verdict: "right" });
      await page.locator("#events li").first().waitFor();
      await clean(page, "watching");
      await page.getByLabel("Search what was seen").fill("cat");
      await page.keyboard.press("Enter");
      await page.locator("#found").waitFor();
      await clean(page, "search");
      await page.getByRole("button", { name: "Back to events" }).click();
      await page.getByRole("button", { name: "Stop looking for red bus" }).click();
      await page.locator("#told p").waitFor();
      await clean(page, "a message");
      await page.getByRole("button", { name: "Stop looking for cat" }).click();
      await page.locator("#alarm p").waitFor();
      await clean(page, "a complaint");
      await page.getByRole("button", { name: "Put this message away" }).click();
      await page.getByRole("button", { name: "Zones…" }).click();
      await page.getByRole("button", { name: "+ Zone" }).click();
      await page.locator("#stage").scrollIntoViewIfNeeded();
      await drag(page, [0.2, 0.2], [0.6, 0.6]);
      await page.locator("#shape").getByLabel("Name").waitFor();
      await clean(page, "drawing");
      await page.getByRole("button", { name: "Apply" }).click();
      await page.locator('[data-mode="watch"]').waitFor();
      await page.getByRole("button", { name: "Teach…" }).click();
      await page.getByRole("heading", { name: "Teach by example" }).waitFor();
      await clean(page, "teaching");
      await page.getByRole("button", { name: "Done" }).click();
      await page.getByRole("button", { name: "Save…" }).click();
      await page.locator("#replace[open]").waitFor();
      await clean(page, "the question before replacing");
    });
  }
}

check("no violations: signing in", { server: ["--token", "sesame"], expected: /401/ }, async (page) => {
  await page.getByRole("dialog", { name: "Sign in" }).waitFor();
  await clean(page, "signing in");
});

check("the focus is seen wherever it goes", {}, async (page) => {
  await live(page);
  await page.locator('#labels [data-label="cat"]').waitFor();
  const visited = new Set();
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return null;
      return { name: element.id || element.getAttribute("aria-label") || element.textContent.trim(), outline: parseFloat(getComputedStyle(element).outlineWidth), style: getComputedStyle(element).outlineStyle };
    });
    if (!at) break;
    visited.add(at.name);
    assert.ok(at.outline >= 2 && at.style !== "none", `${at.name} shows no focus`);
  }
  for (const id of ["stage", "boxes", "pause", "edit", "show", "word", "query", "kind"]) assert.ok(visited.has(id), `Tab does not reach ${id}`);
});

check("whoever wants no motion gets none", { reducedMotion: "reduce", expected: /ERR_/ }, async (page, server) => {
  await live(page);
  await server.stop();
  await page.locator("[data-link=lost]").waitFor();
  assert.equal(await page.locator("#link").evaluate((element) => getComputedStyle(element, "::before").animationName), "none");
});

check("nothing comes from elsewhere, and the page is small", {}, async (page, server) => {
  const files = new Set();
  page.on("response", (response) => {
    assert.ok(response.url().startsWith(server.url), response.url());
    if (/(\/|\.(html|js|css|svg))$/.test(new URL(response.url()).pathname)) files.add(response.url());
  });
  await page.reload();
  await live(page);
  await until(page, () => Number(document.getElementById("picture").dataset.frame) > 0);
  // Asked for anew: a file that the browser has already comes without a body.
  const size = async (url) => (await (await fetch(url, { cache: "no-store" })).arrayBuffer()).byteLength;
  let total = 0;
  for (const url of [...files]) total += await page.evaluate(size, url);
  assert.ok(files.size > 10 && total <= 65536, `${files.size} files, ${total} bytes`);
});
