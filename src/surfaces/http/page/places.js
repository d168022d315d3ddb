// The mode in which zones, lines and masks are drawn, by hand on the picture or by numbers in the list.

import { camera, get, put } from "./api.js";
import { $, button, clamp, click, cross, h, list, round, say, submit } from "./dom.js";
import * as draw from "./draw.js";
import { edit } from "./overlay.js";
import { allFrom, freeName, inside, LISTS, outline, toServer, whole } from "./shapes.js";
import { state, tell } from "./state.js";

const AREA = "Drag a box, or tap the corners of an outline and the first one again.";
const HINTS = { zones: AREA, masks: AREA, lines: "Drag from one end to the other. The arrow shows what counts as forward." };
const START = { line: [[0.2, 0.5], [0.8, 0.5]], polygon: outline({ type: "box", points: [[0.25, 0.25], [0.75, 0.75]] }) };
const ENDS = { line: ["From", "To"], box: ["Corner", "Opposite"] };

let shapes = [];
let chosen = null;

function take(places) {
	state.places = places;
	state.shapes = allFrom(places);
	tell("places");
}

export async function load() {
	const id = state.camera;
	const places = await get(`${camera(id)}/places`);
	if (id === state.camera) take(places);
}

const title = (shape) => shape.name || `${LISTS[shape.list]} without a name`;

function choose(shape) {
	shapes = shapes.filter((other) => other === shape || whole(other));
	chosen = shape;
	for (const other of shapes) other.chosen = other === shape;
	draw.take(shape);
	edit(shapes);
	rows();
	$("shape").hidden = !shape;
	if (shape) $("shape").replaceChildren(...fields(shape), points(shape), ...actions(shape));
	$("hint").textContent = shape && !whole(shape) ? HINTS[shape.list] : "";
}

function rows() {
	$("shapes").replaceChildren(...shapes.map((shape) => {
		const pick = button(title(shape), () => choose(shape), { className: "pick", ariaPressed: String(shape === chosen) });
		pick.append(h("small", {}, LISTS[shape.list]));
		return h("li", {}, pick, cross(`Remove ${title(shape)}`, () => {
			shapes = shapes.filter((other) => other !== shape);
			choose(chosen === shape ? null : chosen);
		}));
	}));
}

function text(label, value, set, more) {
	return h("label", {}, h("span", {}, label), h("input", { value: value ?? "", autocomplete: "off", oninput: (event) => set(event.target.value), ...more }));
}

function fields(shape) {
	const { raw } = shape;
	const words = (label, key, placeholder) => text(label, raw[key]?.join(", "), (value) => (raw[key] = list(value)), { placeholder });
	const all = [text("Name", shape.name, (value) => {
		shape.name = value.trim();
		edit(shapes);
		rows();
	})];
	if (shape.list !== "masks") all.push(words("Only these", "labels", "all names, or: person, car"));
	if (shape.list === "zones") {
		const dwell = (value) => (raw.dwell = value ? Number(value) : undefined);
		all.push(text("Tell a stay after, seconds", raw.dwell, dwell, { type: "number", min: 0, step: "any" }),
			words("Which of these does it show?", "prompts", "open = open gate, closed = closed gate"));
	}
	return all;
}

function points(shape) {
	const number = (i, axis, label) => h("input", { type: "number", min: 0, max: 1, step: 0.01, value: round(shape.points[i][axis], 3), ariaLabel: label, oninput: (event) => {
		if (event.target.value === "") return;
		shape.points[i][axis] = clamp(event.target.valueAsNumber);
		draw.refresh();
		edit(shapes);
	} });
	return h("ol", { id: "points", ariaLabel: `Points of ${title(shape)}, as fractions of the picture` }, ...shape.points.map((_, i) => {
		const label = ENDS[shape.type]?.[i] ?? `Point ${i + 1}`;
		return h("li", {}, h("span", {}, label), number(i, 0, `${label}, x`), number(i, 1, `${label}, y`),
			shape.type === "polygon" && shape.points.length > 3 ? cross(`Remove ${label}`, () => {
				shape.points.splice(i, 1);
				choose(shape);
			}) : null);
	}));
}

function actions(shape) {
	const action = (label, work) => [button(label, () => {
		work();
		choose(shape);
	})];
	if (!whole(shape)) return action("Set by numbers", () => (shape.points = structuredClone(START[shape.type])));
	if (shape.type === "line") return action("Turn round", () => shape.points.reverse());
	if (shape.type === "box") return action("Make it an outline", () => Object.assign(shape, { points: outline(shape), type: "polygon" }));
	return action("Add a point", () => {
		const [first, last] = [shape.points[0], shape.points.at(-1)];
		shape.points.push(first.map((value, axis) => (value + last[axis]) / 2));
	});
}

export function enter() {
	shapes = allFrom(state.places);
	draw.begin({
		change: () => {
			edit(shapes);
			const inputs = $("points").querySelectorAll("input");
			chosen.points.flat().forEach((value, i) => inputs[i] && (inputs[i].value = round(value, 3)));
		},
		done: choose,
		pick: (point) => {
			const hit = shapes.findLast((shape) => inside(point, shape));
			if (hit && hit !== chosen) choose(hit);
		},
		cursor: ([x, y]) => ($("hint").textContent = `Cross at ${x}, ${y}`),
	});
	choose(null);
}

export function leave() {
	draw.end();
	edit(null);
}

async function apply() {
	const body = {};
	for (const kind of Object.keys(LISTS)) {
		const entries = shapes.filter((shape) => shape.list === kind && whole(shape)).map(toServer);
		const before = state.shapes.filter((shape) => shape.list === kind).map(toServer);
		if (JSON.stringify(entries) !== JSON.stringify(before)) body[kind] = entries;
	}
	if (Object.keys(body).length) {
		take(await put(`${camera(state.camera)}/places`, body));
		say("Zones, lines and masks hold from now on.");
	}
	tell("leave");
}

for (const add of document.querySelectorAll("[data-add]")) {
	add.onclick = () => {
		const kind = add.dataset.add;
		const shape = { list: kind, raw: {}, name: kind === "masks" ? "" : freeName(kind, shapes), type: kind === "lines" ? "line" : "polygon", points: [] };
		shapes.push(shape);
		choose(shape);
		$("stage").focus();
	};
}
submit($("shape"), apply);
click("places-apply", apply);
$("places-cancel").onclick = () => tell("leave");
