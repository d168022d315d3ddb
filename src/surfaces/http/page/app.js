// The page as a whole: which camera is shown, which mode it is in, and what the connection is like.

import { API, camera, get, put } from "./api.js";
import { $, attempt, click, h } from "./dom.js";
import * as draw from "./draw.js";
import * as events from "./events.js";
import * as live from "./live.js";
import { toggle } from "./overlay.js";
import * as picture from "./picture.js";
import * as places from "./places.js";
import { nameOf, on, several, shown, state, tell, things } from "./state.js";
import * as teach from "./teach.js";
import * as words from "./words.js";
import "./charts.js";
import "./save.js";
import "./search.js";

const { body } = document;
const MODES = { places: [places, $("edit")], teach: [teach, $("show")] };
const KEYS = { b: "boxes", o: "outlines", z: "edit", t: "show", f: "full" };
let blind = "";

/** Says over the picture why there is none. */
function veil() {
	const it = shown();
	let text = blind;
	if (body.dataset.link !== "live") text = $("link").textContent;
	else if (!it) text = "No camera";
	else if (!it.on) text = "Paused";
	else if (!it.width) text = "Waiting for the first frame";
	else if (!state.status.pictures) text = "Boxes only: pictures = true in [http] shows pictures";
	if ($("veil").textContent !== text) $("veil").textContent = text;
}

function link(name, text) {
	body.dataset.link = name;
	$("link").textContent = text;
	veil();
}

function show() {
	const { version, model, cameras, commands, pictures, unsaved } = state.status;
	const it = shown();
	const radio = ({ id, name }) => h("label", {}, h("input", { type: "radio", name: "camera", value: id, checked: id === it?.id, onchange: () => choose(id) }), name);
	$("cameras").hidden = !several();
	const focus = document.activeElement.name === "camera";
	$("cameras").replaceChildren($("cameras").firstElementChild, ...cameras.map(radio));
	if (focus) $("cameras").querySelector(":checked")?.focus();
	body.dataset.commands = commands;
	$("labels").inert = !commands;
	$("back").hidden = !unsaved;
	$("show").disabled = $("snapshot").hidden = !pictures;
	$("snapshot").href = `${API}${camera(state.camera)}/snapshot.jpg`;
	$("pause").ariaPressed = String(it?.on === false);
	$("stage").ariaLabel = `Picture of ${it?.name}`;
	$("about").firstChild.data = `edgeclip ${version}, ${model}${commands ? "" : ", looking only (commands = false in [http])"} · `;
	veil();
}

async function choose(id) {
	await mode("watch");
	state.camera = id;
	history.replaceState(null, "", `#${encodeURIComponent(id)}`);
	blind = "";
	tell("blank");
	tell("camera");
	picture.start();
	await attempt(places.load);
}

/** Gets everything anew, at the start, after a lost connection, and when something was changed somewhere; `more` with it. */
async function refresh(more) {
	state.status = await get("status");
	if (!shown()) {
		const { cameras } = state.status;
		state.camera = (cameras.find(({ id }) => id === decodeURIComponent(location.hash.slice(1))) ?? cameras[0])?.id;
	}
	tell("camera");
	await Promise.all([words.load(), shown() && places.load(), more?.()]);
	show();
}

async function mode(name) {
	const before = state.mode;
	if (before === name) return;
	MODES[before]?.[0].leave();
	state.mode = "watch";
	await attempt(async () => {
		await MODES[name]?.[0].enter();
		state.mode = name;
	});
	body.dataset.mode = state.mode;
	for (const [id, [, button]] of Object.entries(MODES)) {
		$(id).hidden = state.mode !== id;
		button.ariaExpanded = String(state.mode === id);
	}
	for (const card of document.querySelectorAll(".watch")) card.hidden = state.mode !== "watch";
	tell("mode");
	($(`${state.mode}-title`) ?? MODES[before]?.[1])?.focus({ preventScroll: true });
}

for (const [id, [, button]] of Object.entries(MODES)) button.onclick = () => mode(state.mode === id ? "watch" : id);
for (const id of ["boxes", "outlines"]) $(id).onclick = () => ($(id).ariaPressed = String(toggle(id)));
$("teach-cancel").onclick = () => mode("watch");
$("full").onclick = () => (document.fullscreenElement ? document.exitFullscreen() : $("stage").requestFullscreen());
click("pause", async () => {
	Object.assign(shown(), await put(camera(state.camera), { on: !shown().on }));
	tell("camera");
	picture.start();
});

$("stage").onkeydown = (event) => {
	if (draw.key(event) || event.ctrlKey || event.altKey || event.metaKey) return;
	const target = $(KEYS[event.key]);
	if (event.key === "Escape") mode("watch");
	else if (target?.checkVisibility()) target.click();
};

on("camera", show);
on("leave", () => mode("watch"));
on("changed", () => attempt(() => refresh()));
on("up", () => {
	link("live", "Live");
	attempt(() => refresh(events.load)).then(picture.start);
});
on("down", (error) => link("lost", error?.status ? error.message : "Reconnecting…"));
on("blind", (message) => {
	blind = message;
	veil();
});
on("picture", () => {
	blind = "";
	veil();
});
on("frame", (result) => {
	if (result.camera !== state.camera) return;
	veil();
	const labels = things(result).map((thing) => thing.label);
	const counts = [...new Set(labels)].map((label) => `${labels.filter((other) => other === label).length} ${label}`);
	$("picture").ariaLabel = `${nameOf(result.camera)}: ${counts.join(", ") || "nothing found"}`;
});
live.begin();
