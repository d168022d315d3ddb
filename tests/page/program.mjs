// The program instead of the mock: a cat and a cup of coffee as cameras.

import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FRAMES = 50;

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

const films = mkdtempSync(join(tmpdir(), "edgeclip-page-"));

/** A film in which nothing moves. */
function film(photo) {
  const path = join(films, `${photo}.mjpeg`);
  const picture = readFileSync(`tests/data/${photo}.jpg`);
  writeFileSync(path, Buffer.concat(Array(FRAMES).fill(picture)));
  return path;
}

/** Starts `edgeclip run`; `options` are those of the mock. */
export async function program(options) {
  const value = (name) => options[options.indexOf(name) + 1];
  const port = options.includes("--port") ? value("--port") : await freePort();
  // What was learnt or saved in another test is forgotten.
  const folder = join(films, String(port));
  mkdirSync(folder, { recursive: true });
  let token;
  const settings = join(folder, "edgeclip.toml");
  const sources = [["cat", "yard"], ["coffee", "gate/süd door"]].slice(0, options.includes("--cameras") ? 2 : 1);
  const tables = sources.map(([photo, name]) => `[[source]]\nurl = "${film(photo)}"\nname = "${name}"\ncamera_fps = 10\nreal_time = true\nrepeat = true\n`);
  const lines = [
    `prompt = ["cat", "red bus"]`, `history = "${join(folder, "history")}"`, `format = "none"`, `threads = 1`, `fps = 5`,
    `[http]`, `listen = "127.0.0.1:${port}"`, `pictures = ${!options.includes("--no-pictures")}`, `commands = ${!options.includes("--no-commands")}`, `save = true`,
  ];
  if (options.includes("--token")) {
    const file = join(folder, "tokens");
    token = execFileSync(process.env.EDGECLIP_PAGE_PROGRAM, ["token", "new", file, "--name", "page"], { encoding: "utf8" }).trim();
    lines.push(`token_file = "${file}"`);
  }
  writeFileSync(settings, [...lines, ...tables].join("\n"));
  const child = spawn(process.env.EDGECLIP_PAGE_PROGRAM, ["run", "--config", settings], { stdio: ["ignore", "ignore", "inherit"] });
  const url = `http://127.0.0.1:${port}/`;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`edgeclip ended with ${child.exitCode}`);
    const ready = await fetch(`${url}readyz`).catch(() => null);
    if (ready?.ok) return { child, url, token };
    await new Promise((done) => setTimeout(done, 100));
  }
}
