// The picture, what lies on it, the charts, several cameras.

import assert from "node:assert/strict";
import { check, live, sends, until } from "./lib.mjs";

const frame = (page) => page.locator("#picture").getAttribute("data-frame").then(Number);

check("the picture moves, and boxes lie on the frame that they were found in", {}, async (page) => {
  await live(page);
  await page.locator('#overlay [data-label="cat"] .box').waitFor();
  const first = await frame(page);
  await until(page, (first) => Number(document.getElementById("picture").dataset.frame) > first + 3, first);
  for (let i = 0; i < 10; i++) {
    const [picture, overlay] = await page.evaluate(() => ["picture", "overlay"].map((id) => Number(document.getElementById(id).dataset.frame)));
    assert.ok(overlay <= picture && picture - overlay < 30, `boxes of frame ${overlay} on picture ${picture}`);
  }
  const colours = await page.evaluate(() => {
    const canvas = document.getElementById("picture");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Set(data).size;
  });
  assert.ok(colours > 100, "the canvas shows a photo");
  assert.match(await page.locator("#picture").getAttribute("aria-label"), /^yard: .*1 cat/);
  assert.equal(await page.locator("#veil").isVisible(), false);
});

check("boxes and outlines are switched off and on, by button and by key", {}, async (page) => {
  await live(page);
  const boxes = page.locator("#overlay .box");
  await boxes.first().waitFor();
  await page.getByRole("button", { name: "Boxes" }).click();
  await until(page, () => !document.querySelector("#overlay .box"));
  assert.equal(await page.locator("#boxes").getAttribute("aria-pressed"), "false");
  await page.locator("#stage").focus();
  await page.keyboard.press("b");
  await boxes.first().waitFor();
  await page.keyboard.press("o");
  assert.equal(await page.locator("#outlines").getAttribute("aria-pressed"), "false");
  // Letters are letters where words are typed.
  await page.locator("#word").focus();
  await page.keyboard.type("bo");
  assert.equal(await page.locator("#word").inputValue(), "bo");
  assert.equal(await page.locator("#boxes").getAttribute("aria-pressed"), "true");
});

check("a camera is paused and looks again", {}, async (page) => {
  await live(page);
  const pause = page.getByRole("button", { name: "Pause" });
  const off = await sends(page, "PUT", "/cameras/yard", () => pause.click());
  assert.deepEqual([off.body, off.status], [{ on: false }, 200]);
  await page.locator("#veil", { hasText: "Paused" }).waitFor();
  assert.equal(await pause.getAttribute("aria-pressed"), "true");
  const back = await sends(page, "PUT", "/cameras/yard", () => pause.click());
  assert.deepEqual(back.body, { on: true });
  const before = await frame(page);
  await until(page, (before) => Number(document.getElementById("picture").dataset.frame) > before + 2, before);
});

check("the snapshot is a picture", {}, async (page, server) => {
  await live(page);
  const answer = await page.request.get(new URL(await page.locator("#snapshot").getAttribute("href"), server.url).href);
  assert.deepEqual([answer.status(), answer.headers()["content-type"]], [200, "image/jpeg"]);
});

check("rate, latency and temperature are charted", {}, async (page) => {
  await live(page);
  await until(page, () => document.querySelector("#charts polyline").getAttribute("points").split(" ").length >= 2);
  const figures = await page.locator("#charts figure").evaluateAll((all) => all.map((figure) => [figure.textContent, figure.querySelector("svg").ariaLabel ?? figure.querySelector("svg").getAttribute("aria-label")]));
  assert.match(figures[0][0], /^Looks \d+\.\d \/s/);
  assert.match(figures[0][1], /^Looks now \d+\.\d \/s$/);
  assert.match(figures[1][0], /^Latency \d+ ms/);
  assert.match(figures[2][0], /^Temperature (\d+ °C|–)/);
});

check("cameras are chosen by name, and the address remembers which", { server: ["--cameras", "2"] }, async (page, server) => {
  await live(page);
  const stream = page.waitForRequest((request) => request.url().includes("/gate_s%C3%BCd%20door/stream.mjpeg"));
  await page.getByRole("radio", { name: "gate/süd door" }).check();
  await stream;
  assert.match(page.url(), /#gate_s%C3%BCd%20door$/);
  await until(page, () => document.getElementById("picture").dataset.frame && document.getElementById("overlay").getAttribute("viewBox") === "0 0 600 400");
  assert.match(await page.locator("#stage").getAttribute("aria-label"), /gate\/süd door/);
  await page.reload();
  await live(page);
  assert.equal(await page.getByRole("radio", { name: "gate/süd door" }).isChecked(), true);
  // Arrow keys go on to the next one.
  await page.getByRole("radio", { name: "gate/süd door" }).focus();
  await page.keyboard.press("ArrowUp");
  assert.equal(await page.getByRole("radio", { name: "yard" }).isChecked(), true);
  assert.equal(page.url(), `${server.url}#yard`);
});

check("a stream that is refused says why and is asked for again", { mockOnly: true, expected: /503/ }, async (page, server) => {
  await live(page);
  for (let i = 0; i < 3; i++) await server.refuse("api/v1/cameras/yard/stream.mjpeg", 503, "32 readers watch already, expected fewer");
  await page.reload();
  await page.locator("#veil", { hasText: "32 readers watch already" }).waitFor();
  await until(page, () => Number(document.getElementById("picture").dataset.frame) > 0 && !document.getElementById("veil").textContent);
});

check("a page that nobody looks at takes nothing, and catches up", { mockOnly: true }, async (page, server) => {
  await live(page);
  await server.happen({ label: "bird" });
  await page.locator("#events li", { hasText: "bird appeared" }).waitFor();
  const last = await page.locator("#events li").first().getAttribute("data-id");
  const ended = [];
  page.on("requestfailed", (request) => ended.push(new URL(request.url()).pathname.split("/").at(-1)));
  await page.evaluate(() => {
    Object.defineProperty(document, "hidden", { value: true, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await server.happen({ label: "dog" });
  const before = await frame(page);
  await new Promise((done) => setTimeout(done, 600));
  assert.equal(await frame(page), before);
  assert.deepEqual(ended.sort(), ["live", "stream.mjpeg"]);
  assert.equal(await page.locator("#events li", { hasText: "dog appeared" }).count(), 0);
  const { query } = await sends(page, "GET", "/live", () => page.evaluate(() => {
    delete document.hidden;
    document.dispatchEvent(new Event("visibilitychange"));
  }));
  assert.equal(query.get("after"), last);
  await page.locator("#events li", { hasText: "dog appeared" }).waitFor();
  await until(page, (before) => Number(document.getElementById("picture").dataset.frame) > before + 2, before);
});
