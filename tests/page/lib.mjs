// A browser, a server (the mock, or the program of EDGECLIP_PAGE_PROGRAM), and pages that may not complain.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { after, test } from "node:test";
import { createInterface } from "node:readline";
import { program } from "./program.mjs";

const require = createRequire(`${process.env.EDGECLIP_PAGE_MODULES}/`);
const { chromium } = require("playwright-core");
export const axe = require.resolve("axe-core/axe.min.js");
export const real = Boolean(process.env.EDGECLIP_PAGE_PROGRAM);

let browser;
after(() => browser?.close());

async function mock(options) {
  const child = spawn(process.env.PYTHON ?? "python3", ["tests/page/mock.py", ...options], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(createInterface(child.stdout), "line");
  return { child, url: line, token: options[options.indexOf("--token") + 1] };
}

/** Starts a server; `options` as the mock's. */
export async function serve(options = []) {
  const begin = real ? program : mock;
  const server = await begin(options);
  const tell = (path, body) =>
    fetch(`${server.url}mock/${path}`, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
  return {
    url: server.url,
    token: server.token,
    refuse: (path, status, message) => tell("refuse", { path, status, message }),
    happen: (event) => tell("event", { event: "appear", ...event }),
    async stop() {
      if (server.child.exitCode !== null || server.child.signalCode !== null) return;
      server.child.kill("SIGKILL");
      await once(server.child, "exit");
    },
    async start() {
      Object.assign(server, await begin([...options, "--port", new URL(server.url).port]));
    },
  };
}

/** Opens the page. What it says on the console counts as failure, but for answers that a test asks for. */
export async function open(server, { path = "", expected = /^$/, ...options } = {}) {
  browser ??= await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60000);
  page.troubles = [];
  const trouble = (text) => expected.test(text) || page.troubles.push(text);
  page.on("pageerror", (error) => trouble(String(error)));
  page.on("console", (message) => message.type() === "error" && trouble(message.text()));
  await page.goto(server.url + path);
  return page;
}

export const close = async (page) => {
  const { troubles } = page;
  await page.context().close();
  assert.deepEqual(troubles, []);
};

/** A test with a server and a page of its own. */
export function check(name, { server: options = [], mockOnly = false, ...page }, work) {
  test(name, { skip: mockOnly && real ? "only the mock can be asked to do this" : false, timeout: 300000 }, async () => {
    const server = await serve(options);
    let opened;
    try {
      opened = await open(server, page);
      await work(opened, server);
      await close(opened);
    } finally {
      await opened?.context().close();
      await server.stop();
    }
  });
}

/** Does something and gives the request that this sends: `body`, `query`, `status`. */
export async function sends(page, method, path, action) {
  const wanted = (request) => request.method() === method && new URL(request.url()).pathname.endsWith(path);
  const [request] = await Promise.all([page.waitForRequest(wanted), action()]);
  const response = await request.response();
  const text = request.postData();
  return { body: text ? JSON.parse(text) : null, status: response.status(), query: new URL(request.url()).searchParams };
}

/** Waits until a function of the page is true. */
export const until = (page, condition, argument) => page.waitForFunction(condition, argument, { polling: 50 });

export const live = (page) => page.locator("[data-link=live]").waitFor();

/** Where a fraction of the picture is on the screen. */
export async function at(page, x, y) {
  const box = await page.locator("#overlay").boundingBox();
  return [box.x + x * box.width, box.y + y * box.height];
}

export async function drag(page, from, to) {
  await page.mouse.move(...(await at(page, ...from)));
  await page.mouse.down();
  await page.mouse.move(...(await at(page, (from[0] + to[0]) / 2, (from[1] + to[1]) / 2)));
  await page.mouse.move(...(await at(page, ...to)));
  await page.mouse.up();
}

/** Whether numbers are the same but for pixels that the screen does not show. */
export function near(found, wanted, within = 0.01) {
  const [a, b] = [found, wanted].map((numbers) => numbers.flat());
  assert.equal(a.length, b.length, JSON.stringify(found));
  a.forEach((value, i) => assert.ok(Math.abs(value - b[i]) <= within, `found ${JSON.stringify(found)}, expected ${JSON.stringify(wanted)}`));
}
