// Elements and messages. What a server or a camera says only ever becomes text, never markup.

export const $ = (id) => document.getElementById(id);

function fill(element, properties, children, own) {
	for (const [key, value] of Object.entries(properties)) {
		if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
		else if (own && key in element) element[key] = value;
		else element.setAttribute(key, value);
	}
	element.append(...children.filter((child) => child !== null));
	return element;
}

/** An HTML element with properties, attributes and listeners (`onclick`). */
export const h = (tag, properties = {}, ...children) => fill(document.createElement(tag), properties, children, true);

export const s = (tag, attributes = {}, ...children) =>
	fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children, false);

export const button = (text, onclick, more) => h("button", { type: "button", onclick, ...more }, text);
export const cross = (label, onclick) => button("×", onclick, { className: "plain", ariaLabel: label });

export const clamp = (value) => Math.min(1, Math.max(0, value));
export const round = (value, digits = 4) => Number(value.toFixed(digits));
export const list = (text) => text.split(",").map((word) => word.trim()).filter(Boolean);

export function clock(seconds) {
	const date = new Date(seconds * 1000);
	return date.toDateString() === new Date().toDateString() ? date.toLocaleTimeString() : date.toLocaleString();
}

/** "12.3 s", "3 min", "2.5 h". */
export function span(seconds) {
	if (seconds < 100) return `${round(seconds, 1)} s`;
	return seconds < 5400 ? `${round(seconds / 60, 0)} min` : `${round(seconds / 3600, 1)} h`;
}

let leaving;

export function say(text) {
	$("alarm").replaceChildren();
	$("told").replaceChildren(h("p", {}, text));
	clearTimeout(leaving);
	leaving = setTimeout(() => $("told").replaceChildren(), 6000);
}

/** Says what failed, perhaps with something to do about it. It stays until it is put away or something succeeds. */
export function complain(text, label, action) {
	const away = () => $("alarm").replaceChildren();
	$("told").replaceChildren();
	$("alarm").replaceChildren(h("p", {}, text), label ? button(label, () => (away(), action())) : "", cross("Put this message away", away));
}

/** Runs something that may fail, and says so; the button that began it waits meanwhile. */
export async function attempt(work, control = {}) {
	if (control.ariaBusy) return;
	control.ariaBusy = "true";
	await work().catch((error) => complain(error.message));
	control.ariaBusy = null;
}

export const click = (id, work) => ($(id).onclick = ({ target }) => attempt(work, target));
export const submit = (form, work) => (form.onsubmit = (event) => {
	event.preventDefault();
	attempt(work, event.submitter ?? {});
});
