// The mode in which a thing is shown to the program: a held picture, a box, a name.

import { call, camera } from "./api.js";
import { $, click, complain, h, round, submit } from "./dom.js";
import * as draw from "./draw.js";
import { edit } from "./overlay.js";
import { freeze, thaw } from "./picture.js";
import { state } from "./state.js";
import * as words from "./words.js";

let held = null;
let box = null;
const inputs = ["Left", "Top", "Right", "Bottom"].map((side) => {
	const input = h("input", { type: "number", step: "any", min: 0, oninput: typed });
	$("box").append(h("label", {}, side, input));
	return input;
});

/** The box in pixels of the held picture: left, top, right, bottom. */
function pixels() {
	const [a, b] = box.points.map(([x, y]) => [x * held.width, y * held.height]);
	return [Math.min, Math.max].flatMap((pick) => [0, 1].map((axis) => round(pick(a[axis], b[axis]), 1)));
}

function show() {
	edit([{ ...box, list: "lesson" }]);
	const values = box.points.length === 2 ? pixels() : [];
	inputs.forEach((input, i) => input !== document.activeElement && (input.value = values[i] ?? ""));
}

function typed() {
	const [x0, y0, x1, y1] = inputs.map((input) => input.valueAsNumber);
	if (Number.isNaN(x0 + y0 + x1 + y1)) return;
	box.points = [[x0 / held.width, y0 / held.height], [x1 / held.width, y1 / held.height]];
	draw.take(box);
	show();
}

function blank() {
	box = { type: "box", points: [] };
	draw.take(box);
	show();
}

async function hold() {
	held = await freeze();
	blank();
}

export async function enter() {
	await hold();
	draw.begin({ change: show, done: () => $("name").focus() });
	$("learnt").textContent = "";
	$("names").replaceChildren(...state.prompts.labels.map((label) => h("option", { value: label.name })));
}

export function leave() {
	draw.end();
	edit(null);
	thaw();
}

async function teach() {
	const body = { name: $("name").value.trim(), held: held.held, not: $("not").checked };
	const hints = $("hints").value.trim();
	if (hints) body.words = hints;
	if ($("whole").checked) body.whole = true;
	else if (box.points.length === 2) body.box = pixels();
	else return complain("Draw a box around the thing first, or say that it is the whole picture.");
	const { name, examples, prompts } = await call("POST", `${camera(state.camera)}/examples`, body);
	$("learnt").textContent = `${name}: ${examples} ${examples === 1 ? "example" : "examples"}. Looked for from now on.`;
	words.take(prompts);
	return blank();
}

submit($("lesson"), teach);
click("anew", hold);
$("whole").onchange = () => ($("box").disabled = $("whole").checked);
