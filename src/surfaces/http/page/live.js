// One connection for all that happens: Server-Sent Events, opened again whenever it was lost.

import { API, get } from "./api.js";
import { state, tell } from "./state.js";

const SILENCE = 30000;
const TYPES = ["frame", "event", "status", "changed"];

let source = null;
let last = "";
let heard = 0;
let wait = 1000;
let timer;

function close() {
	clearTimeout(timer);
	source?.close();
	source = null;
}

/** Opens the connection. Asks for the state first: that says why there is none, and signs in where a token is asked for. */
export async function begin() {
	try {
		state.status = await get("status");
		open();
	} catch (error) {
		tell("down", error);
		timer = setTimeout(begin, wait);
		wait = Math.min(wait * 1.6, 10000);
	}
}

function open() {
	close();
	source = new EventSource(`${API}live${last && `?after=${encodeURIComponent(last)}`}`);
	heard = performance.now();
	source.onopen = () => {
		wait = 1000;
		tell("up");
	};
	source.onerror = () => {
		close();
		timer = setTimeout(begin, wait);
		tell("down");
	};
	for (const type of TYPES) {
		source.addEventListener(type, (message) => {
			heard = performance.now();
			if (type === "event") last = message.lastEventId;
			tell(type, JSON.parse(message.data));
		});
	}
}

// A connection may die without a word, as when a phone has slept.
setInterval(() => {
	if (source && performance.now() - heard > SILENCE) {
		close();
		begin();
	}
}, 5000);

// A page that nobody looks at costs nothing. What happened meanwhile is told when it is looked at again.
document.addEventListener("visibilitychange", () => (document.hidden ? close() : begin()));
