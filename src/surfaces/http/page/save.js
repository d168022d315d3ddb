// Saves what was changed to the configuration; asks before anything is replaced. A program that started again without it is told anew on request.

import { call, changes, get, put } from "./api.js";
import { $, attempt, click, complain, h, say } from "./dom.js";
import { on, state, tell } from "./state.js";

let began = Infinity;

async function write(replace) {
	const { saved } = await call("POST", "save", { replace });
	changes.clear();
	say(`Saved: ${saved.join(", ") || "there was nothing to save"}`);
	state.status = await get("status");
	tell("camera");
}

click("save", async () => {
	try {
		await write(false);
	} catch (error) {
		if (error.status !== 409) throw error;
		const { would_replace, keys } = error.body;
		$("replace-title").textContent = `Replace ${would_replace.join(", ")}?`;
		$("replace-text").textContent = error.message;
		$("replace-keys").replaceChildren(...keys.map((key) => h("li", {}, key)));
		$("replace").showModal();
	}
});
$("keep").onclick = () => $("replace").close();
click("confirm", () => {
	$("replace").close();
	return write(true);
});

async function again() {
	for (const [path, body] of [...changes]) await put(path, body);
	say("Set again.");
}

on("camera", () => {
	const { save, unsaved, uptime } = state.status;
	$("save").hidden = !save;
	$("save").disabled = !unsaved;
	const start = performance.now() / 1000 - uptime;
	if (start - began > 5 && changes.size) {
		complain("edgeclip has started again. What was changed here and not saved is gone there.", "Set it again", () => attempt(again));
	}
	began = start;
});
