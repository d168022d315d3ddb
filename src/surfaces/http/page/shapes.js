// Zones, lines and masks: between the server's entries and what is drawn. Points are fractions of the picture.

import { clamp, round } from "./dom.js";

export const LISTS = { zones: "Zone", lines: "Line", masks: "Mask" };

/** An entry as a shape: `type` is `polygon`, `box` (two corners) or `line`; `raw` keeps keys that this page does not know. */
function fromServer(list, { points, box, from, to, ...raw }) {
	const name = raw.name ?? "";
	if (from) return { list, raw, name, type: "line", points: [from, to] };
	if (box) return { list, raw, name, type: "box", points: [box.slice(0, 2), box.slice(2)] };
	return { list, raw, name, type: "polygon", points };
}

export const allFrom = (places) =>
	Object.keys(LISTS).flatMap((list) => (structuredClone(places[list]) ?? []).map((entry) => fromServer(list, entry)));

export function toServer(shape) {
	const entry = { ...shape.raw };
	const points = shape.points.map((point) => point.map((value) => round(clamp(value))));
	if (shape.name) entry.name = shape.name;
	else delete entry.name;
	if (shape.type === "polygon") entry.points = points;
	else if (shape.type === "line") [entry.from, entry.to] = points;
	else {
		const [[ax, ay], [bx, by]] = points;
		entry.box = [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)];
	}
	return entry;
}

export function outline({ type, points }) {
	if (type !== "box" || points.length < 2) return points;
	const [[ax, ay], [bx, by]] = points;
	return [[ax, ay], [bx, ay], [bx, by], [ax, by]];
}

export const whole = (shape) => shape.points.length >= (shape.type === "polygon" ? 3 : 2);

export function inside([x, y], shape) {
	const corners = outline(shape);
	let within = false;
	corners.forEach(([ax, ay], i) => {
		const [bx, by] = corners.at(i - 1);
		if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) within = !within;
	});
	return within;
}

export function freeName(list, shapes) {
	for (let i = 1; ; i++) {
		const name = `${LISTS[list].toLowerCase()} ${i}`;
		if (!shapes.some((shape) => shape.name === name)) return name;
	}
}
