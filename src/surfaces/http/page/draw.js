// Drawing on the picture with mouse, finger or keys. One shape at a time: points are added until it is whole, then moved by its handles.

import { $, clamp, round, s } from "./dom.js";
import { hands, size, unit } from "./overlay.js";
import { inside, outline, whole } from "./shapes.js";

const REACH = 18;
const STROKE = 8;
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const svg = $("overlay");
const stage = $("stage");

let hooks = null;
let shape = null;
let adding = false;
let cursor = null;
let grip = null;

function at(event) {
	const frame = svg.getBoundingClientRect();
	return [clamp((event.clientX - frame.left) / frame.width), clamp((event.clientY - frame.top) / frame.height)];
}

const close = (a, b, pixels) => Math.hypot((a[0] - b[0]) * svg.clientWidth, (a[1] - b[1]) * svg.clientHeight) < pixels;

export function refresh() {
	const { width, height } = size();
	const u = unit();
	const scale = ([x, y]) => [x * width, y * height];
	const points = shape?.points.map(scale) ?? [];
	const marks = points.map(([cx, cy], i) => s("circle", { cx, cy, r: 7 * u, class: adding && !i && points.length > 2 ? "knob first" : "knob" }));
	if (adding) marks.unshift(s("polyline", { points: [...points, ...(cursor && points.length ? [scale(cursor)] : [])].join(" "), class: "pending" }));
	if (cursor) {
		const [x, y] = scale(cursor);
		marks.push(s("path", { d: `M${x - 14 * u} ${y}h${28 * u}M${x} ${y - 14 * u}v${28 * u}`, class: "cursor" }));
	}
	hands.replaceChildren(...marks);
}

function changed() {
	refresh();
	hooks.change();
}

function finish() {
	if (!whole(shape)) return;
	adding = false;
	cursor = null;
	changed();
	hooks.done(shape);
}

function add(point) {
	const { points } = shape;
	if (points.length > 2 && close(point, points[0], REACH)) return finish();
	if (points.length && close(point, points.at(-1), STROKE)) return null;
	points.push(point);
	return shape.type !== "polygon" && whole(shape) ? finish() : changed();
}

function press(event) {
	if (event.button || !hooks) return;
	event.preventDefault();
	stage.focus({ preventScroll: true });
	svg.setPointerCapture(event.pointerId);
	const point = at(event);
	cursor = null;
	if (adding) {
		grip = { from: point };
		return;
	}
	const corner = shape?.points.findIndex((one) => close(one, point, REACH)) ?? -1;
	if (corner >= 0) grip = { corner };
	else {
		hooks.pick?.(point);
		if (shape && inside(point, shape)) grip = { last: point };
	}
}

function move(event) {
	if (!grip) return;
	const point = at(event);
	if (grip.corner >= 0) shape.points[grip.corner] = point;
	else if (grip.last) {
		const moved = shape.points.map((one) => one.map((value, axis) => value + point[axis] - grip.last[axis]));
		if (moved.flat().some((value) => value !== clamp(value))) return;
		shape.points = moved;
		grip.last = point;
	} else if (grip.drawn || (!shape.points.length && !close(grip.from, point, STROKE))) {
		// A first stroke draws a box, or a line from its beginning to its end.
		grip.drawn = true;
		if (shape.type === "polygon") shape.type = "box";
		shape.points = [grip.from, point];
	}
	changed();
}

function release() {
	const { from, drawn } = grip ?? {};
	grip = null;
	if (drawn) finish();
	else if (from) add(from);
}

/** Whether the key meant the drawing. */
export function key(event) {
	if (!adding) return false;
	const step = STEPS[event.key];
	const last = shape.points.at(-1);
	if (step) {
		cursor = (cursor ?? [0.5, 0.5]).map((value, axis) => round(clamp(value + step[axis] * (event.shiftKey ? 0.05 : 0.01))));
		hooks.cursor?.(cursor);
		refresh();
	} else if (event.key === "Enter") {
		const point = cursor ?? [0.5, 0.5];
		if (last && close(last, point, 1)) finish();
		else add(point);
	} else if (event.key === "Escape" && last) {
		shape.points.pop();
		changed();
	} else return false;
	event.preventDefault();
	return true;
}

/** `change`: points have moved; `done`: the shape is whole; `pick`: a place beside it was pressed; `cursor`: where the keys are. */
export function begin(wanted) {
	hooks = wanted;
	stage.classList.add("drawing");
}

/** The shape to work on, or null; a new one is given without points. */
export function take(next) {
	shape = next;
	adding = Boolean(next) && !whole(next);
	cursor = grip = null;
	refresh();
}

export function end() {
	take(null);
	hooks = null;
	stage.classList.remove("drawing");
}

svg.onpointerdown = press;
svg.onpointermove = move;
svg.onpointerup = release;
svg.onpointercancel = () => (grip = null);
svg.ondblclick = () => adding && finish();
