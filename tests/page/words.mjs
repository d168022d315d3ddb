// Words, thresholds.

import assert from "node:assert/strict";
import { check, live, sends, until } from "./lib.mjs";

const names = (page) => page.locator("#labels strong").allTextContents();

check("words that are typed are looked for and found at once", {}, async (page) => {
  await live(page);
  await page.locator('#labels [data-label="cat"]').waitFor();
  assert.deepEqual(await names(page), ["cat", "red bus"]);
  await page.getByLabel("Words to look for").fill("animal, blue car");
  const { body, status } = await sends(page, "PUT", "/prompts", () => page.keyboard.press("Enter"));
  assert.deepEqual([body, status], [{ prompts: ["cat", "red bus", "animal", "blue car"] }, 200]);
  await page.locator('#labels [data-label="blue car"]').waitFor();
  assert.deepEqual(await names(page), ["cat", "red bus", "animal", "blue car"]);
  assert.equal(await page.getByLabel("Words to look for").inputValue(), "");
  await page.locator("#told", { hasText: "Looking for animal, blue car." }).waitFor();
  await until(page, () => document.querySelector('#labels [data-label="cat"] .now').textContent.match(/^1 now, 0\.\d\d$/));
});

check("a new word is drawn on the picture", { mockOnly: true }, async (page) => {
  await live(page);
  await page.getByLabel("Words to look for").fill("blue car");
  await page.getByRole("button", { name: "Look", exact: true }).click();
  await page.locator('#overlay [data-label="blue car"] .box').waitFor();
  assert.match(await page.locator('#overlay [data-label="blue car"] text').textContent(), /^blue car 0\.\d\d$/);
});

check("a word is taken away, the last one remains", {}, async (page) => {
  await live(page);
  const { body } = await sends(page, "PUT", "/prompts", () => page.getByRole("button", { name: "Stop looking for red bus" }).click());
  assert.deepEqual(body, { prompts: ["cat"] });
  await until(page, () => document.querySelectorAll("#labels li").length === 1);
  await page.getByRole("button", { name: "Stop looking for cat" }).click();
  await page.locator("#alarm", { hasText: "One word must remain" }).waitFor();
  const back = await sends(page, "PUT", "/prompts", () => page.getByRole("button", { name: "Back to the configuration’s words" }).click());
  assert.deepEqual(back.body, { prompts: [] });
  await until(page, () => document.querySelectorAll("#labels li").length === 2);
});

check("what the server refuses is shown in its words, as text", { mockOnly: true, expected: /422/ }, async (page, server) => {
  await live(page);
  await server.refuse("api/v1/prompts", 422, "prompt 3: found <img src=x onerror=alert(1)>, expected words");
  await page.getByLabel("Words to look for").fill("dog");
  await page.keyboard.press("Enter");
  await page.locator("#alarm", { hasText: "found <img src=x onerror=alert(1)>, expected words" }).waitFor();
  assert.equal(await page.locator("#alarm img").count(), 0);
  assert.equal(await page.getByLabel("Words to look for").inputValue(), "dog", "what was typed is still there");
  await page.getByRole("button", { name: "Put this message away" }).click();
  assert.equal(await page.locator("#alarm p").count(), 0);
});

check("a threshold is set by slider and by number", {}, async (page) => {
  await live(page);
  const slider = page.getByLabel("Threshold of red bus, slider");
  const number = page.getByLabel("Threshold of red bus", { exact: true });
  await slider.focus();
  const before = Number(await slider.inputValue());
  const step = await sends(page, "PUT", "/thresholds/red%20bus", () => page.keyboard.press("ArrowRight"));
  assert.equal(step.status, 200);
  assert.ok(Math.abs(step.body.threshold - before - 0.01) < 0.0051, `${before} and then ${step.body.threshold}`);
  assert.equal(await number.inputValue(), step.body.threshold.toFixed(2));
  const set = await sends(page, "PUT", "/thresholds/red%20bus", () => number.fill("0.95"));
  assert.deepEqual([set.body, set.status], [{ threshold: 0.95 }, 200]);
  assert.equal(await slider.inputValue(), "0.95");
  // Nonsense is not sent.
  await number.fill("7");
  assert.equal(await number.evaluate((input) => input.validity.valid), false);
});

check("above its threshold a word is not drawn any more", { mockOnly: true }, async (page) => {
  await live(page);
  await page.locator('#overlay [data-label="red bus"] .box').waitFor();
  await page.getByLabel("Threshold of red bus", { exact: true }).fill("0.99");
  await until(page, () => !document.querySelector('#overlay [data-label="red bus"]'));
  await page.locator('#overlay [data-label="cat"] .box').waitFor();
});

check("what changes elsewhere shows here", {}, async (page, server) => {
  await live(page);
  await page.locator('#labels [data-label="cat"]').waitFor();
  await fetch(`${server.url}api/v1/prompts`, { method: "PUT", headers: { "Content-Type": "application/json" }, body: '{"prompts":["cat","tree"]}' });
  await page.locator('#labels [data-label="tree"]').waitFor();
  assert.deepEqual(await names(page), ["cat", "tree"]);
});
