// Zones, lines and masks: by mouse, finger, keys and numbers.

import assert from "node:assert/strict";
import { at, check, drag, live, near, real, sends } from "./lib.mjs";

const begin = async (page) => {
  await live(page);
  await page.locator("#overlay .box").first().waitFor();
  await page.getByRole("button", { name: "Zones…" }).click();
  await page.getByRole("heading", { name: /^Zones, lines and masks/ }).waitFor();
};
const apply = (page) => sends(page, "PUT", "/cameras/yard/places", () => page.getByRole("button", { name: "Apply" }).click());
const watching = (page) => page.locator('[data-mode="watch"]').waitFor();

check("a zone is dragged with the mouse, gets a name and labels, and stays on the picture", {}, async (page) => {
  await begin(page);
  await page.getByRole("button", { name: "+ Zone" }).click();
  await drag(page, [0.2, 0.3], [0.6, 0.8]);
  assert.equal(await page.locator("#shape").getByLabel("Name").inputValue(), "zone 1");
  await page.locator("#shape").getByLabel("Name").fill("drive");
  await page.getByLabel("Only these").fill("cat, red bus");
  await page.getByLabel("Tell a stay after, seconds").fill("10");
  const { body, status } = await apply(page);
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(body), ["zones"], "lists that have not changed are not sent");
  const [zone] = body.zones;
  near(zone.box, [0.2, 0.3, 0.6, 0.8]);
  assert.deepEqual({ ...zone, box: 0 }, { name: "drive", labels: ["cat", "red bus"], dwell: 10, box: 0 });
  await watching(page);
  await page.locator('#overlay .zones[data-name="drive"]').waitFor();
});

check("an outline is tapped with a finger", { hasTouch: true, viewport: { width: 360, height: 740 } }, async (page) => {
  await begin(page);
  await page.getByRole("button", { name: "+ Zone" }).tap();
  for (const point of [[0.2, 0.2], [0.8, 0.25], [0.5, 0.85], [0.2, 0.2]]) await page.touchscreen.tap(...(await at(page, ...point)));
  await page.getByRole("list", { name: /^Points of zone 1/ }).waitFor();
  const { body } = await apply(page);
  near(body.zones[0].points, [[0.2, 0.2], [0.8, 0.25], [0.5, 0.85]], 0.02);
  await watching(page);
});

check("a line is dragged and turned round", {}, async (page) => {
  await begin(page);
  await page.getByRole("button", { name: "+ Line" }).click();
  await drag(page, [0.1, 0.7], [0.9, 0.6]);
  await page.getByRole("button", { name: "Turn round" }).click();
  const { body } = await apply(page);
  near([body.lines[0].from, body.lines[0].to], [[0.9, 0.6], [0.1, 0.7]]);
  assert.equal(body.lines[0].name, "line 1");
  await page.locator('#overlay .lines[data-name="line 1"]').waitFor();
});

check("the keyboard alone draws a mask, by a cross and by numbers", {}, async (page) => {
  await live(page);
  await page.locator("#overlay .box").first().waitFor();
  await page.locator("#stage").focus();
  await page.keyboard.press("z");
  await page.getByRole("button", { name: "+ Mask" }).focus();
  await page.keyboard.press("Enter");
  // The picture has the focus now: three corners, the last one set twice.
  const walk = async (keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  await walk(["Shift+ArrowLeft", "Shift+ArrowUp", "Enter", "Shift+ArrowRight", "Shift+ArrowRight", "Enter", "ArrowDown", "ArrowDown", "Enter", "Enter"]);
  const numbers = page.locator("#points input");
  assert.equal(await numbers.count(), 6);
  await numbers.nth(5).focus();
  await page.keyboard.press("Control+A");
  await page.keyboard.type("0.9");
  const { body } = await apply(page);
  near(body.masks[0].points, [[0.45, 0.45], [0.55, 0.45], [0.55, 0.9]], 0.0001);
  assert.equal("name" in body.masks[0], false);
  await page.locator("#overlay .masks").waitFor();
});

check("numbers begin a shape; points are added and removed", {}, async (page) => {
  await begin(page);
  await page.getByRole("button", { name: "+ Zone" }).click();
  await page.getByRole("button", { name: "Set by numbers" }).click();
  await page.getByLabel("Point 1, x").fill("0.1");
  await page.getByRole("button", { name: "Add a point" }).click();
  await page.getByLabel("Point 5, x").fill("0.05");
  await page.getByRole("button", { name: "Remove point 4" }).click();
  const { body } = await apply(page);
  near(body.zones[0].points, [[0.1, 0.25], [0.75, 0.25], [0.75, 0.75], [0.05, 0.5]], 0.001);
});

check("shapes are moved by hand, and keys that the page does not know stay", {}, async (page, server) => {
  const zones = [{ name: "gate", box: [0.2, 0.2, 0.5, 0.5], min_area: 0.003, debounce: 3.5 }];
  await fetch(`${server.url}api/v1/cameras/yard/places`, { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ zones }) });
  await begin(page);
  await drag(page, [0.3, 0.3], [0.4, 0.35]);
  await drag(page, [0.6, 0.55], [0.8, 0.9]);
  await page.getByRole("button", { name: "Make it an outline" }).click();
  const { body } = await apply(page);
  const [zone] = body.zones;
  near(zone.points, [[0.3, 0.25], [0.8, 0.25], [0.8, 0.9], [0.3, 0.9]]);
  assert.deepEqual([zone.name, zone.min_area, zone.debounce, "box" in zone], ["gate", 0.003, 3.5, false]);
});

check("a shape is removed; cancelling changes nothing", {}, async (page, server) => {
  const zones = [{ name: "gate", box: [0.2, 0.2, 0.5, 0.5] }, { name: "yard", box: [0.5, 0.5, 0.9, 0.9] }];
  await fetch(`${server.url}api/v1/cameras/yard/places`, { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ zones }) });
  await begin(page);
  await page.getByRole("button", { name: "Remove gate" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await watching(page);
  await page.locator('#overlay .zones[data-name="gate"]').waitFor();
  await page.getByRole("button", { name: "Zones…" }).click();
  await page.getByRole("button", { name: "Remove gate" }).click();
  const { body } = await apply(page);
  assert.deepEqual(body.zones.map((zone) => zone.name), ["yard"]);
});

check("what the server refuses keeps what was drawn", { expected: /422/ }, async (page, server) => {
  await begin(page);
  await page.getByRole("button", { name: "+ Zone" }).click();
  if (real) {
    // An outline that crosses itself.
    for (const point of [[0.2, 0.2], [0.8, 0.8], [0.8, 0.2], [0.2, 0.8]]) await page.mouse.click(...(await at(page, ...point)));
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
  } else {
    await drag(page, [0.2, 0.2], [0.4, 0.4]);
    await server.refuse("api/v1/cameras/yard/places", 422, "zone 1: found an outline that crosses itself, expected one that does not");
  }
  await page.waitForFunction(() => document.querySelector("#points"));
  await apply(page);
  await page.locator("#alarm", { hasText: "zone 1" }).waitFor();
  assert.equal(await page.locator("#places").isVisible(), true);
  assert.equal(await page.locator("#overlay .zones").count(), 1);
});

check("what changes elsewhere does not take away what is being drawn", { mockOnly: true }, async (page, server) => {
  await begin(page);
  await page.getByRole("button", { name: "+ Zone" }).click();
  await drag(page, [0.2, 0.2], [0.4, 0.4]);
  const refreshed = page.waitForResponse((answer) => answer.url().endsWith("/places"));
  await fetch(`${server.url}api/v1/prompts`, { method: "PUT", headers: { "Content-Type": "application/json" }, body: '{"prompts":["cat","tree"]}' });
  await refreshed;
  assert.equal(await page.locator('#overlay .zones[data-name="zone 1"]').count(), 1);
  assert.equal(await page.locator("#points input").count(), 4);
});
