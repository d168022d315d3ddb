// The timeline, verdicts, search, saving.

import assert from "node:assert/strict";
import { check, live, real, sends, until } from "./lib.mjs";

const ids = (page) => page.locator("#events li").evaluateAll((all) => all.map((item) => item.dataset.id));

check("something that appears is listed with its picture, which opens", {}, async (page, server) => {
  await live(page);
  await server.happen({ label: "cat" });
  const item = page.locator("#events li", { hasText: "cat appeared" }).first();
  await item.waitFor();
  await until(page, () => document.querySelector("#events img")?.naturalWidth > 0);
  assert.match(await item.locator("time").getAttribute("datetime"), /^20\d\d-\d\d-\d\dT/);
  await item.getByRole("button", { name: "Picture: cat appeared" }).click();
  await until(page, () => document.getElementById("large").open && document.getElementById("large-picture").naturalWidth > 0);
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("#large").isVisible(), false);
});

check("events are told right, wrong, or what they are", {}, async (page, server) => {
  await live(page);
  await server.happen({ label: "cat" });
  const item = page.locator("#events li", { hasText: "cat appeared" }).first();
  // The program holds to the first meaning that an event was given.
  const verdicts = [["✗ wrong", { right: false }], ["✓ right", { right: true }]].slice(0, real ? 1 : 2);
  for (const [button, verdict] of verdicts) {
    const { body, status } = await sends(page, "POST", "/verdict", () => item.getByRole("button", { name: button }).click());
    assert.deepEqual([body, status], [verdict, 200]);
    await item.locator('button[aria-pressed="true"]', { hasText: button }).waitFor();
  }
  if (real) return;
  await item.getByRole("button", { name: "is …" }).click();
  await item.getByLabel("It is").fill("lorry");
  const { body } = await sends(page, "POST", "/verdict", () => page.keyboard.press("Enter"));
  assert.deepEqual(body, { is: "lorry" });
  await item.locator('button[aria-pressed="true"]', { hasText: "is lorry" }).waitFor();
});

check("every kind of event has its sentence, and names are text", { mockOnly: true }, async (page, server) => {
  await live(page);
  const all = [
    [{ event: "disappear", stayed: 12.3 }, "cat gone after 12.3 s"],
    [{ event: "enter", zone: "gate" }, "cat entered gate"],
    [{ event: "leave", zone: "gate", stayed: 600 }, "cat left gate after 10 min"],
    [{ event: "dwell", zone: "gate", stayed: 10 }, "cat in gate for 10 s"],
    [{ event: "cross", line: "door", direction: "forward", forwards: 3, backwards: 1 }, "cat crossed door forward (3 forward, 1 back)"],
    [{ event: "occupancy", zone: "gate", count: 2, before: 1 }, "gate: 2 × cat, 1 before"],
    [{ event: "state", zone: "gate", state: "open", before: null, probability: 0.9 }, "gate: open"],
    [{ event: "tag", label: "rain", present: true, score: 0.7 }, "rain began"],
    [{ event: "enter", zone: "<b>yard</b>", label: "<script>alert(1)</script>" }, "<script>alert(1)</script> entered <b>yard</b>"],
  ];
  for (const [event, sentence] of all) {
    await server.happen(event);
    await page.locator("#events li p", { hasText: sentence }).first().waitFor();
  }
  assert.equal(await page.locator("#events b, #events script").count(), 0);
  const [newest] = await page.locator("#events li .what p:first-child").allTextContents();
  assert.equal(newest, all.at(-1)[1], "newest first");
  // One kind alone.
  const { query } = await sends(page, "GET", "/events", () => page.getByLabel("Kind of event").selectOption("cross"));
  assert.equal(query.get("kind"), "cross");
  await until(page, () => document.querySelectorAll("#events li").length === 1);
  await server.happen({ event: "enter", zone: "gate" });
  await server.happen({ event: "cross", line: "door", direction: "backward", forwards: 3, backwards: 2 });
  await until(page, () => document.querySelectorAll("#events li").length === 2);
});

check("older events are got on request, none twice", { mockOnly: true }, async (page, server) => {
  for (let i = 0; i < 60; i++) await server.happen({ label: `thing ${i}` });
  await page.reload();
  await live(page);
  await until(page, () => document.querySelectorAll("#events li").length === 50);
  const last = (await ids(page)).at(-1);
  const { query } = await sends(page, "GET", "/events", () => page.getByRole("button", { name: "Older events" }).click());
  assert.equal(query.get("before"), last);
  await until(page, () => document.querySelectorAll("#events li").length === 60);
  const all = await ids(page);
  assert.equal(new Set(all).size, 60);
  assert.match(await page.locator("#events li").last().textContent(), /thing 0 appeared/);
  assert.equal(await page.locator("#older").isVisible(), false);
});

check("what was seen is found by words", {}, async (page, server) => {
  await live(page);
  await server.happen({ label: "cat" });
  await page.locator("#events li", { hasText: "cat appeared" }).first().waitFor();
  await page.getByLabel("Since").selectOption("yesterday");
  await page.getByLabel("Search what was seen").fill("a brown cat");
  const { query, status } = await sends(page, "GET", "/search", () => page.keyboard.press("Enter"));
  assert.equal(status, 200);
  assert.deepEqual([query.get("q"), query.get("since"), query.get("count")], ["a brown cat", "yesterday", "20"]);
  const found = page.locator("#results li", { hasText: "cat" }).first();
  await found.waitFor();
  assert.match(await found.locator(".score").textContent(), /^\d\.\d\d$/);
  await until(page, () => document.querySelector("#results img")?.naturalWidth > 0);
  assert.equal(await page.locator("#events").isVisible(), false);
  await page.getByRole("button", { name: "Back to events" }).click();
  assert.equal(await page.locator("#events").isVisible(), true);
});

check("saving asks before it replaces", { expected: /409/ }, async (page) => {
  await live(page);
  const save = page.getByRole("button", { name: "Save…" });
  await save.waitFor();
  assert.equal(await save.isDisabled(), true, "nothing has changed yet");
  await page.getByLabel("Words to look for").fill("tree");
  await page.keyboard.press("Enter");
  await until(page, () => !document.getElementById("save").disabled);
  const first = await sends(page, "POST", "/save", () => save.click());
  assert.deepEqual([first.body, first.status], [{ replace: false }, 409]);
  const dialog = page.getByRole("dialog", { name: /^Replace .*edgeclip\.toml\?$/ });
  await dialog.waitFor();
  assert.ok((await dialog.locator("li").allTextContents()).some((key) => key.includes("prompt")));
  await dialog.getByRole("button", { name: "Cancel" }).click();
  assert.equal(await dialog.isVisible(), false);
  await save.click();
  await dialog.waitFor();
  const second = await sends(page, "POST", "/save", () => dialog.getByRole("button", { name: "Replace", exact: true }).click());
  assert.deepEqual([second.body, second.status], [{ replace: true }, 200]);
  await page.locator("#told", { hasText: /^Saved: .*edgeclip\.toml/ }).waitFor();
  await until(page, () => document.getElementById("save").disabled);
});
