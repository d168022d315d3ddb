// The timeline of events, newest first, with pictures and verdicts.

import { call, get } from "./api.js";
import { $, attempt, button, click, clock, h, span, submit } from "./dom.js";
import { nameOf, on, several } from "./state.js";

const PAGE = 50;
const MOST = 400;
const order = $("events");
export const known = new Map();

function sentence(e) {
	switch (e.event) {
		case "appear": return `${e.label} appeared`;
		case "disappear": return `${e.label} gone after ${span(e.stayed)}`;
		case "enter": return `${e.label} entered ${e.zone}`;
		case "leave": return `${e.label} left ${e.zone} after ${span(e.stayed)}`;
		case "dwell": return `${e.label} in ${e.zone} for ${span(e.stayed)}`;
		case "cross": return `${e.label} crossed ${e.line} ${e.direction} (${e.forwards} forward, ${e.backwards} back)`;
		case "occupancy": return `${e.zone}: ${e.count} × ${e.label}, ${e.before} before`;
		case "state": return `${e.zone}: ${e.state}${e.before ? `, ${e.before} before` : ""}`;
		case "tag": return `${e.label} ${e.present ? "began" : "ended"}`;
		default: return `${e.event} ${e.label ?? ""}`;
	}
}

/** A small picture that opens in large, and what and when beside it. */
export function entry(address, what, camera, time) {
	const none = h("span", { className: "thumb" });
	const large = () => {
		Object.assign($("large-picture"), { src: address, alt: what });
		$("large").showModal();
	};
	const picture = address ? button("", large, { className: "thumb", ariaLabel: `Picture: ${what}` }) : none;
	if (address) picture.append(h("img", { src: address, alt: "", loading: "lazy", onerror: () => picture.replaceWith(none) }));
	const when = h("time", { dateTime: new Date(time * 1000).toISOString() }, clock(time));
	return [picture, h("div", { className: "what" }, h("p", {}, what), h("small", {}, several() ? `${nameOf(camera)}, ` : "", when))];
}

function verdicts(e, element) {
	const judge = async (verdict) => {
		Object.assign(e, await call("POST", `events/${encodeURIComponent(e.id)}/verdict`, verdict));
		const next = item(e);
		element.replaceWith(next);
		next.querySelector(".verdicts button").focus();
	};
	const verdict = (text, pressed, work) => button(text, ({ target }) => attempt(work, target), { ariaPressed: String(Boolean(pressed)) });
	const other = e.verdict && !["right", "wrong"].includes(e.verdict);
	const name = h("input", { ariaLabel: "It is", required: true, autocomplete: "off", value: other ? e.verdict : "" });
	const form = h("form", { hidden: true }, name, h("button", {}, "OK"));
	submit(form, () => judge({ is: name.value.trim() }));
	return h("div", { className: "verdicts", role: "group", ariaLabel: `Is “${e.label}” right?` },
		verdict("✓ right", e.verdict === "right", () => judge({ right: true })),
		verdict("✗ wrong", e.verdict === "wrong", () => judge({ right: false })),
		verdict(other ? `is ${e.verdict}` : "is …", other, async () => {
			form.hidden = !form.hidden;
			name.focus();
		}), form);
}

function item(e) {
	const element = h("li", { "data-id": e.id }, ...entry(e.picture, sentence(e), e.camera, e.time));
	if (e.object && e.label) element.append(verdicts(e, element));
	return element;
}

/** Puts events where their time says; those that are there already stay. */
function add(events) {
	const kind = $("kind").value;
	for (const e of events.toReversed()) {
		if (known.has(e.id) || (kind && e.event !== kind)) continue;
		known.set(e.id, e);
		const next = [...order.children].find((child) => known.get(child.dataset.id).time <= e.time);
		order.insertBefore(item(e), next ?? null);
	}
	while (order.children.length > MOST) {
		known.delete(order.lastChild.dataset.id);
		order.lastChild.remove();
	}
	$("none").hidden = known.size > 0;
}

async function ask(more = "") {
	const kind = $("kind").value && `&kind=${$("kind").value}`;
	const { events } = await get(`events?limit=${PAGE}${kind}${more}`);
	add(events);
	return events.length === PAGE;
}

/** Asks for the newest; what was there before stays, even if the program has forgotten it. */
export async function load() {
	if (await ask()) $("older").hidden = false;
}

click("older", async () => {
	$("older").hidden = !(await ask(`&before=${encodeURIComponent(order.lastChild.dataset.id)}`));
});
$("kind").onchange = () => {
	known.clear();
	order.replaceChildren();
	$("older").hidden = true;
	add([]);
	attempt(load);
};
$("large-close").onclick = () => $("large").close();
on("event", (e) => add([e]));
