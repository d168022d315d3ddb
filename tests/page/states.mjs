// Without pictures, without rights, without a connection.

import assert from "node:assert/strict";
import { check, live, real, sends, until } from "./lib.mjs";

check("without pictures there are boxes on an empty ground", { server: ["--no-pictures"] }, async (page) => {
  const asked = [];
  page.on("request", (request) => /stream|frame\.jpg|hold/.test(request.url()) && asked.push(request.url()));
  await live(page);
  await page.locator("#overlay .box").first().waitFor();
  await page.locator("#veil", { hasText: "Boxes only" }).waitFor();
  assert.equal(await page.locator("#show").isDisabled(), true);
  assert.equal(await page.locator("#snapshot").isVisible(), false);
  assert.deepEqual(asked, []);
  const ratio = await page.locator("#stage").evaluate((stage) => stage.clientWidth / stage.clientHeight);
  assert.ok(Math.abs(ratio - 451 / 300) < 0.02, `the ground has the proportions ${ratio}`);
});

check("without commands the page only looks", { server: ["--no-commands"] }, async (page) => {
  await live(page);
  await page.locator("#overlay .box").first().waitFor();
  for (const id of ["add", "pause", "edit", "show", "save"]) assert.equal(await page.locator(`#${id}`).isVisible(), false, id);
  await page.locator('#labels [data-label="cat"]').waitFor();
  for (let i = 0; i < 20; i++) {
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => Boolean(document.activeElement.closest("#labels"))), false, "thresholds cannot be reached");
  }
  await page.locator("#about", { hasText: "looking only" }).waitFor();
});

check("a token is asked for, and a wrong one told", { server: ["--token", "sesame"], expected: /401/ }, async (page, server) => {
  const dialog = page.getByRole("dialog", { name: "Sign in" });
  await dialog.waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await dialog.isVisible(), true);
  await dialog.getByLabel("Token").fill("guess");
  const wrong = await sends(page, "POST", "/login", () => page.keyboard.press("Enter"));
  assert.deepEqual([wrong.body, wrong.status], [{ token: "guess" }, 401]);
  await dialog.getByRole("alert").filter({ hasText: /token/ }).waitFor();
  await dialog.getByLabel("Token").fill(server.token);
  await page.keyboard.press("Enter");
  await live(page);
  assert.equal(await dialog.isVisible(), false);
  await page.locator("#overlay .box").first().waitFor();
  await until(page, () => Number(document.getElementById("picture").dataset.frame) > 0);
});

check("a server that starts again finds everything as it was", { expected: /ERR_|401|Failed to load/ }, async (page, server) => {
  await live(page);
  await server.happen({ label: "cat" });
  await page.locator("#events li", { hasText: "cat appeared" }).first().waitFor();
  await page.getByLabel("Words to look for").fill("tree");
  await page.keyboard.press("Enter");
  await page.locator('#labels [data-label="tree"]').waitFor();
  await page.getByLabel("Words to look for").fill("half a sent");
  const before = await page.locator("#events li").count();

  await server.stop();
  await page.locator("[data-link=lost]").waitFor();
  await page.locator("#link", { hasText: "Reconnecting…" }).waitFor();
  await page.locator("#veil", { hasText: "Reconnecting…" }).waitFor();
  await page.getByRole("button", { name: "Stop looking for cat" }).click();
  await page.locator("#alarm", { hasText: "edgeclip cannot be reached" }).waitFor();

  await page.waitForTimeout(5500); // A program that has run for as long as the old one is not taken for a new one.
  await server.start();
  await live(page);
  await until(page, () => Number(document.getElementById("picture").dataset.frame) > 0 && !document.getElementById("veil").textContent);
  assert.equal(await page.getByLabel("Words to look for").inputValue(), "half a sent");
  assert.ok((await page.locator("#events li").count()) >= before, "events that were listed stay");
  // What was changed and not saved is gone with the old program, and set again on request.
  await page.locator("#alarm", { hasText: "edgeclip has started again" }).waitFor();
  const { body } = await sends(page, "PUT", "/prompts", () => page.getByRole("button", { name: "Set it again" }).click());
  assert.deepEqual(body, { prompts: ["cat", "red bus", "tree"] });
  await page.locator('#labels [data-label="tree"]').waitFor();
  if (!real) {
    await server.happen({ label: "dog" });
    await page.locator("#events li", { hasText: "dog appeared" }).waitFor();
  }
});

check("a refused connection says why", { mockOnly: true, expected: /503|ERR_/ }, async (page, server) => {
  await live(page);
  await server.refuse("api/v1/live", 503, "x");
  await server.refuse("api/v1/status", 503, "32 readers listen already, expected fewer");
  await page.reload();
  await page.locator("#link", { hasText: "32 readers listen already" }).waitFor();
  await live(page);
  await page.locator("#overlay .box").first().waitFor();
});
