// What lies on the picture: boxes, names and tags of the frame that is shown; outlines of zones, lines and masks.

import { $, s } from "./dom.js";
import { outline } from "./shapes.js";
import { colour, on, shown, state, things } from "./state.js";

const KEPT = 40;
const svg = $("overlay");
const [outlines, boxes] = [s("g"), s("g")];
export const hands = s("g");
svg.append(outlines, boxes, hands);

const visible = { boxes: true, outlines: true };
let results = [];
/** Shapes to show instead of the camera's own, while they are edited. */
let draft = null;
const pen = document.createElement("canvas").getContext("2d");
pen.font = "600 13px system-ui, sans-serif";

/** The frame's size, in whose pixels the overlay is drawn. */
export const size = () => ({ width: shown()?.width ?? 640, height: shown()?.height ?? 480 });
/** Units of the overlay in a pixel of the screen. */
export const unit = () => size().width / (svg.clientWidth || 640);

function chip(x, y, text, style) {
	const u = unit();
	const width = (pen.measureText(text).width + 10) * u;
	const left = Math.max(0, Math.min(x, size().width - width));
	const top = Math.max(0, y - 20 * u);
	return s("g", { class: style },
		s("rect", { x: left, y: top, width, height: 20 * u, class: "chip" }),
		s("text", { x: left + 5 * u, y: top + 14.5 * u, "font-size": 13 * u }, text));
}

const caption = (found) => `${found.label} ${found.score.toFixed(2)}`;

function thing(found) {
	const [x, y, right, bottom] = found.box;
	return s("g", { class: `${colour(found.label)} ${found.seen === false ? "predicted" : ""}`, "data-label": found.label },
		s("rect", { x, y, width: right - x, height: bottom - y, class: "box" }), chip(x, y, caption(found), ""));
}

/** Draws the result of the picture that is shown, or the newest before it. */
function drawResults() {
	const frame = state.status?.pictures ? Number($("picture").dataset.frame) : NaN;
	const result = results.findLast((one) => one.frame <= frame) ?? results.at(-1);
	const marks = [];
	if (result && visible.boxes && state.mode !== "teach") {
		svg.dataset.frame = result.frame;
		const found = things(result);
		const tags = result.tags.filter((tag) => !found.some((one) => one.label === tag.label));
		marks.push(...found.map(thing));
		tags.forEach((tag, i) => marks.push(chip(6 * unit(), size().height - (6 + 24 * i) * unit(), caption(tag), colour(tag.label))));
	}
	boxes.replaceChildren(...marks);
}

/** An arrow from the middle of a line to its right, seen from its first point: that is forward. */
function arrow([[ax, ay], [bx, by]]) {
	const long = Math.hypot(bx - ax, by - ay) || 1;
	const [x, y] = [(ay - by) / long, (bx - ax) / long].map((value) => value * 8 * unit());
	return `M${(ax + bx) / 2} ${(ay + by) / 2}l${3 * x} ${3 * y}m${-x - y} ${x - y}l${x + y} ${y - x}l${y - x} ${-x - y}`;
}

function drawShape(shape) {
	const { width, height } = size();
	const points = outline(shape).map(([x, y]) => [x * width, y * height]);
	let d = `M${points.join("L")}`;
	if (points.length < 2) d = "";
	else d += shape.type === "line" ? arrow(points) : "Z";
	const [x, y] = [0, 1].map((axis) => Math.min(...points.map((point) => point[axis])));
	return s("g", { class: `${shape.list} ${shape.chosen ? "chosen" : ""}`, "data-name": shape.name ?? "" },
		s("path", { d, class: "halo" }), s("path", { d, class: "edge" }),
		shape.name && d ? chip(x + 4 * unit(), y + 24 * unit(), shape.name, "name") : null);
}

function drawOutlines() {
	const shapes = draft ?? (visible.outlines && state.mode === "watch" ? state.shapes : []);
	outlines.replaceChildren(...shapes.map(drawShape));
}

/** Shows shapes that are edited; null ends it. */
export function edit(shapes) {
	draft = shapes;
	drawOutlines();
}

export function redraw() {
	const { width, height } = size();
	svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
	$("stage").style.setProperty("--ratio", width / height);
	drawResults();
	drawOutlines();
}

/** Switches `boxes` or `outlines`; gives whether they are on now. */
export function toggle(what) {
	visible[what] = !visible[what];
	redraw();
	return visible[what];
}

on("frame", (result) => {
	const camera = shown();
	if (result.camera !== camera?.id) return;
	const { width, height } = result;
	results = [...results.slice(1 - KEPT), result];
	if (camera.width !== width || camera.height !== height) {
		Object.assign(camera, { width, height });
		redraw();
	} else if (!state.status.pictures) drawResults();
});
on("up", () => (results = []));
on("blank", () => (results = []));
for (const name of ["picture", "prompts"]) on(name, drawResults);
for (const name of ["places", "mode", "camera"]) on(name, redraw);
new ResizeObserver(redraw).observe(svg);
