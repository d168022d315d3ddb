// The search box: what was seen, by words that nobody thought of then.

import { get } from "./api.js";
import { $, h, submit } from "./dom.js";
import { entry, known } from "./events.js";
import { on, state } from "./state.js";

const NEAR = 60;

/** The picture of an event that tells of the same thing, if one is listed. */
function picture({ track, camera, time }) {
	const same = (e) => e.picture && e.track === track && e.camera === camera && Math.abs(e.time - time) < NEAR;
	return [...known.values()].find(same)?.picture;
}

function item(result) {
	const score = (result.score ?? result.cosine).toFixed(2);
	return h("li", {}, ...entry(picture(result), result.label, result.camera, result.time), h("span", { className: "score", title: "How likely it is" }, score));
}

function show(results) {
	$("found").hidden = !results;
	$("events").hidden = results;
}

async function search() {
	const q = $("query").value.trim();
	const query = new URLSearchParams({ q, count: 20, since: $("since").value });
	const { results, compared, other_networks } = await get(`search?${query}`);
	const others = other_networks.length ? `, without those of another model (${other_networks.join(", ")})` : "";
	$("compared").textContent = `${results.length} most like “${q}” of ${compared}${others}`;
	$("results").replaceChildren(...results.map(item));
	show(true);
}

submit($("search"), search);
$("unsearch").onclick = () => {
	show(false);
	$("query").select();
};
on("camera", () => ($("search").hidden = !state.status.history));
