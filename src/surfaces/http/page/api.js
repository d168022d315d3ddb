// Requests to `api/v1`, relative to the page, so that a proxy may put it below a folder.

import { $ } from "./dom.js";

export const API = "api/v1/";
export const camera = (id) => `cameras/${encodeURIComponent(id)}`;

/** Settings that this page has changed since they were last saved, by path: a program that starts again has forgotten them. */
export const changes = new Map();

/** What the server refused: an error in its own words, with `status` (0: it cannot be reached) and `body`. */
export async function refusal(answer) {
	const body = await answer.json().catch(() => null);
	const message = body?.error?.message ?? `The server answered ${answer.status} ${answer.statusText}`;
	return Object.assign(new Error(message), { status: answer.status, body });
}

let signing = null;

/** Asks for the token until it is the right one. Everybody who needs it waits for the same dialog. */
function signIn() {
	const dialog = $("login");
	signing ??= new Promise((done) => {
		dialog.oncancel = (event) => event.preventDefault();
		dialog.firstElementChild.onsubmit = async (event) => {
			event.preventDefault();
			try {
				await call("POST", "login", { token: $("token").value.trim() });
				$("token").value = $("login-error").textContent = "";
				signing = null;
				dialog.close();
				done();
			} catch (error) {
				$("login-error").textContent = error.message;
				$("token").select();
			}
		};
		dialog.showModal();
	});
	return signing;
}

/** Sends a request and gives its JSON; signs in first where that is asked for. */
export async function call(method, path, body) {
	const options = { method, cache: "no-store" };
	if (body) Object.assign(options, { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
	const answer = await fetch(API + path, options).catch(() => null);
	if (!answer) throw Object.assign(new Error("edgeclip cannot be reached. This page tries again by itself."), { status: 0 });
	if (answer.status === 401 && path !== "login") {
		await signIn();
		return call(method, path, body);
	}
	if (!answer.ok) throw await refusal(answer);
	return answer.status === 204 ? null : answer.json();
}

export const get = (path) => call("GET", path);

export async function put(path, body) {
	const answer = await call("PUT", path, body);
	changes.set(path, path.endsWith("/places") ? { ...changes.get(path), ...body } : body);
	return answer;
}
