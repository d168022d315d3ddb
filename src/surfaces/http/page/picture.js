// The live picture. The stream is read by hand rather than by an <img>: each part says which frame it shows, so boxes lie on the frame that they
// were found in, and a stream that ends or is refused is noticed.

import { API, call, camera, refusal } from "./api.js";
import { $ } from "./dom.js";
import { on, shown, state, tell } from "./state.js";

const HEAD = 400;
/** Milliseconds after which a stream that ends has worked. */
const LASTING = 5000;
const canvas = $("picture");
let stopping;
let frozen = false;

async function draw(content, frame) {
	const bitmap = await createImageBitmap(new Blob([content], { type: "image/jpeg" }));
	canvas.width = bitmap.width;
	canvas.height = bitmap.height;
	canvas.getContext("2d").drawImage(bitmap, 0, 0);
	bitmap.close();
	canvas.dataset.frame = frame;
	tell("picture");
}

async function ask(path, signal) {
	const answer = await fetch(API + path, { signal, cache: "no-store" });
	if (!answer.ok) throw await refusal(answer);
	return answer;
}

/** The first part of a stream's bytes, or null if there is no whole one. */
function part(bytes) {
	const text = new TextDecoder("latin1").decode(bytes.subarray(0, HEAD));
	const start = text.indexOf("\r\n\r\n") + 4;
	if (start < 4) return null;
	const value = (name) => Number(text.slice(0, start).match(new RegExp(`^${name}: *(\\d+)`, "im"))?.[1]);
	const end = start + value("content-length");
	if (Number.isNaN(end)) throw new Error("The stream has a part without a length.");
	return bytes.length < end ? null : { content: bytes.slice(start, end), frame: value("x-frame"), end };
}

/** Draws the parts as they come. While one is drawn nothing is read, so a slow reader is sent fewer. */
async function stream(id, signal) {
	const reader = (await ask(`${camera(id)}/stream.mjpeg`, signal)).body.getReader();
	let bytes = new Uint8Array();
	for (;;) {
		const { done, value } = await reader.read();
		if (done) return;
		const whole = new Uint8Array(bytes.length + value.length);
		whole.set(bytes);
		whole.set(value, bytes.length);
		bytes = whole;
		let newest = null;
		for (let next; (next = part(bytes)); newest = next) bytes = bytes.subarray(next.end);
		if (newest && !signal.aborted) await draw(newest.content, newest.frame);
	}
}

async function keep(id, signal) {
	for (let wait = 500; !signal.aborted; wait = Math.min(wait * 2, 8000)) {
		const begun = performance.now();
		try {
			await stream(id, signal);
		} catch (error) {
			if (!signal.aborted) tell("blind", error.message);
		}
		if (performance.now() - begun > LASTING) wait = 500;
		await new Promise((done) => setTimeout(done, wait));
	}
}

const stop = () => stopping?.abort();

export function start() {
	stop();
	if (!state.status?.pictures || !shown()?.on || document.hidden || frozen) return;
	stopping = new AbortController();
	keep(state.camera, stopping.signal);
}

/** Holds the newest picture: gives `held`, `width` and `height`. */
export async function freeze() {
	const held = await call("POST", `${camera(state.camera)}/hold`);
	const answer = await ask(`${camera(state.camera)}/frame.jpg?held=${held.held}`);
	frozen = true;
	stop();
	await draw(await answer.blob(), held.frame);
	return held;
}

export function thaw() {
	frozen = false;
	start();
}

document.addEventListener("visibilitychange", start);
on("down", stop);
on("blank", () => {
	canvas.width = canvas.width;
	delete canvas.dataset.frame;
});
