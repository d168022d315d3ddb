// Strip charts of rate, latency and temperature, from what each camera says every two seconds.

import { $, h, s } from "./dom.js";
import { on, state } from "./state.js";

const KEPT = 150;
const HEIGHT = 32;
const past = new Map();

const strips = [
	{ name: "Looks", unit: "/s", digits: 1, floor: 1, of: (status) => status.fps_looked },
	{ name: "Latency", unit: "ms", digits: 0, floor: 50, of: (status) => status.latency_ms?.p50 },
	{ name: "Temperature", unit: "°C", digits: 0, floor: 60, of: (status) => status.temperature },
];
for (const strip of strips) {
	strip.value = h("strong");
	strip.line = s("polyline");
	strip.chart = s("svg", { viewBox: `0 0 ${KEPT} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" }, strip.line);
	$("charts").append(h("figure", {}, h("figcaption", {}, `${strip.name} `, strip.value), strip.chart));
}
const warning = h("p", { className: "warning" });
$("charts").append(warning);

function draw() {
	const all = past.get(state.camera) ?? [];
	for (const { name, unit, digits, floor, of, value, line, chart } of strips) {
		const values = all.map(of).filter((one) => one !== null && one !== undefined);
		const most = Math.max(floor, ...values);
		const points = values.map((one, i) => `${KEPT - values.length + i},${HEIGHT - (one / most) * HEIGHT * 0.9}`);
		line.setAttribute("points", points.join(" "));
		value.textContent = values.length ? `${values.at(-1).toFixed(digits)} ${unit}` : "–";
		chart.ariaLabel = `${name} now ${value.textContent}`;
	}
	const { throttled = [], behind } = all.at(-1) ?? {};
	warning.textContent = [...throttled, ...(behind ? ["slower than the rate that was asked for"] : [])].join(", ");
}

function take(camera, status) {
	past.set(camera, [...(past.get(camera) ?? []).slice(1 - KEPT), status]);
	if (camera === state.camera) draw();
}

on("status", (status) => take(status.camera, status));
on("camera", () => {
	for (const { id, status } of state.status.cameras) if (status && !past.has(id)) take(id, status);
	draw();
});
