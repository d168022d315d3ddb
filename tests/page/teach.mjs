// Teaching from a held picture.

import assert from "node:assert/strict";
import { check, drag, live, near, sends, until } from "./lib.mjs";

const size = (page) => page.locator("#overlay").getAttribute("viewBox").then((box) => box.split(" ").slice(2).map(Number));

async function begin(page) {
  await live(page);
  await page.locator("#overlay .box").first().waitFor();
  const hold = await sends(page, "POST", "/cameras/yard/hold", () => page.getByRole("button", { name: "Teach…" }).click());
  await page.getByRole("heading", { name: "Teach by example" }).waitFor();
  assert.equal(hold.status, 200);
}

const teach = (page) => sends(page, "POST", "/cameras/yard/examples", () => page.getByRole("button", { name: "Teach", exact: true }).click());

check("a box is drawn on the held picture and named", {}, async (page) => {
  await begin(page);
  const frame = await page.locator("#picture").getAttribute("data-frame");
  await drag(page, [0.25, 0.2], [0.75, 0.8]);
  await page.locator("#name").fill("our cat");
  await page.getByLabel("In other words, roughly").fill("tabby");
  assert.equal(await page.locator("#picture").getAttribute("data-frame"), frame, "the picture is held");
  const { body, status } = await teach(page);
  const [width, height] = await size(page);
  assert.equal(status, 200);
  near(body.box, [0.25 * width, 0.2 * height, 0.75 * width, 0.8 * height], 3);
  assert.deepEqual({ ...body, box: 0, held: typeof body.held }, { name: "our cat", words: "tabby", not: false, box: 0, held: "string" });
  await page.locator("#learnt", { hasText: "our cat: 1 example. Looked for from now on." }).waitFor();
  await page.getByRole("button", { name: "Done" }).click();
  await page.locator('#labels [data-label="our cat"]').waitFor();
  await until(page, (frame) => Number(document.getElementById("picture").dataset.frame) > Number(frame) + 2, frame);
});

check("a counter-example, of the whole picture", {}, async (page) => {
  await begin(page);
  await page.getByRole("radio", { name: "This is not" }).check();
  await page.locator("#name").fill("cat");
  await page.getByRole("checkbox", { name: "The whole picture" }).check();
  const { body, status } = await teach(page);
  assert.deepEqual([status, body.name, body.not, body.whole, "box" in body], [200, "cat", true, true, false]);
});

check("the box by numbers, without a mouse", {}, async (page) => {
  await live(page);
  await page.locator("#overlay .box").first().waitFor();
  await page.locator("#stage").focus();
  await page.keyboard.press("t");
  await page.getByRole("heading", { name: "Teach by example" }).waitFor();
  for (const [side, value] of [["Left", 20], ["Top", 30], ["Right", 220], ["Bottom", 180]]) await page.getByLabel(side, { exact: true }).fill(String(value));
  await page.locator("#overlay .lesson").waitFor();
  await page.locator("#name").fill("our cat");
  const { body } = await sends(page, "POST", "/cameras/yard/examples", () => page.keyboard.press("Enter"));
  near(body.box, [20, 30, 220, 180], 0.11);
});

check("without a box nothing is sent; a new picture is held", {}, async (page) => {
  await begin(page);
  await page.locator("#name").fill("our cat");
  await page.getByRole("button", { name: "Teach", exact: true }).click();
  await page.locator("#alarm", { hasText: "Draw a box around the thing first" }).waitFor();
  const hold = await sends(page, "POST", "/cameras/yard/hold", () => page.getByRole("button", { name: "New picture" }).click());
  assert.equal(hold.status, 200);
  await until(page, () => !document.querySelector("#anew[aria-busy]"));
  await drag(page, [0.25, 0.2], [0.75, 0.8]);
  await teach(page);
  await page.locator("#learnt", { hasText: "our cat: 1 example." }).waitFor();
});
