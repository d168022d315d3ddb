// What is looked for: words are added and taken away, and each has its threshold.

import { get, put } from "./api.js";
import { $, attempt, click, complain, cross, h, list, say, submit } from "./dom.js";
import { colour, on, state, tell, things } from "./state.js";

const DELAY = 200;
const rows = new Map();

export function take(prompts) {
	state.prompts = prompts;
	draw();
	tell("prompts");
}

export const load = async () => take(await get("prompts"));
const look = async (prompts) => take(await put("prompts", { prompts }));

async function remove(name) {
	const left = state.prompts.prompts.filter((prompt) => prompt.split("=")[0].trim() !== name);
	if (!left.length) return complain("One word must remain. Add another first, or go back to the configuration’s words.");
	await look(left);
	return say(`No longer looking for ${name}.`);
}

function row(name) {
	const input = (type, label) => h("input", { type, min: 0, max: 1, step: 0.01, ariaLabel: label, oninput: follow });
	const range = input("range", `Threshold of ${name}, slider`);
	const number = input("number", `Threshold of ${name}`);
	const [kind, now] = [h("small"), h("span", { className: "now" })];
	const away = cross(`Stop looking for ${name}`, (event) => attempt(() => remove(name), event.target));
	let timer;
	function follow({ target }) {
		if (!target.value || !target.validity.valid) return;
		(target === range ? number : range).value = Number(target.value).toFixed(2);
		clearTimeout(timer);
		timer = setTimeout(() => attempt(async () => take(await put(`thresholds/${encodeURIComponent(name)}`, { threshold: target.valueAsNumber }))), DELAY);
	}
	const element = h("li", { "data-label": name }, h("span", { className: "swatch" }), h("strong", {}, name), kind, now, away, range, number);
	return { element, now, show({ boxes, examples, threshold }) {
		element.className = colour(name);
		kind.textContent = [boxes ? "" : "tag", examples ? `${examples} taught` : ""].filter(Boolean).join(", ");
		away.hidden = !state.prompts.prompts;
		// What somebody is just setting stays as it is.
		if ([range, number].includes(document.activeElement)) return;
		range.value = threshold;
		number.value = threshold.toFixed(2);
	} };
}

function draw() {
	const { labels, prompts, vocabulary } = state.prompts;
	const names = labels.map((label) => label.name);
	for (const name of rows.keys()) if (!names.includes(name)) rows.delete(name);
	for (const name of names) if (!rows.has(name)) rows.set(name, row(name));
	const wanted = names.map((name) => rows.get(name).element);
	// Replacing them takes the focus away.
	if (wanted.some((element, i) => $("labels").children[i] !== element) || wanted.length !== $("labels").children.length) $("labels").replaceChildren(...wanted);
	for (const label of labels) rows.get(label.name).show(label);
	$("words-note").textContent = prompts ? "" : `The names of ${vocabulary}. Words that you add are looked for instead.`;
}

submit($("add"), async () => {
	const words = list($("word").value);
	if (!words.length) return;
	await look([...new Set([...(state.prompts.prompts ?? []), ...words])]);
	$("word").value = "";
	say(`Looking for ${words.join(", ")}.`);
});

click("back", async () => {
	await look([]);
	say("Looking for the configuration’s words again.");
});

on("frame", (result) => {
	if (result.camera !== state.camera) return;
	for (const [name, { now }] of rows) {
		const scores = (all) => all.filter((thing) => thing.label === name).map((thing) => thing.score.toFixed(2));
		const boxes = scores(things(result)).sort();
		now.textContent = boxes.length ? `${boxes.length} now, ${boxes.at(-1)}` : scores(result.tags)[0] ?? "";
	}
});
