// What the parts of the page share, and how they hear of it.

export const state = {
	/** The last answers of `status` and `prompts`. */
	status: null,
	prompts: null,
	/** Id of the camera that is shown. */
	camera: null,
	/** Its zones, lines and masks: as the server gave them, and as shapes. */
	places: {},
	shapes: [],
	/** `watch`, `places` or `teach`. */
	mode: "watch",
};

const bus = new EventTarget();

/**
 * `frame`, `event`, `status`, `changed`: as the server sends them. `up`, `down`: the connection. `camera`: another one is shown, or the status is new.
 * `prompts`, `places`, `mode`: those of `state`. `picture`: one was drawn; `blind`: none can be had; `blank`: another camera's follow.
 */
export const on = (name, work) => bus.addEventListener(name, (event) => work(event.detail));
export const tell = (name, detail) => bus.dispatchEvent(new CustomEvent(name, { detail }));

const find = (id) => state.status?.cameras.find((camera) => camera.id === id);
export const shown = () => find(state.camera);
export const nameOf = (id) => find(id)?.name ?? id;
export const several = () => state.status?.cameras.length > 1;

/** What a result shows: tracks, or boxes where nothing is tracked. */
export const things = (result) => (result.tracks?.length ? result.tracks : result.detections ?? []);

export function colour(label) {
	const known = state.prompts?.labels.findIndex((entry) => entry.name === label) ?? -1;
	return `c${(known < 0 ? label.length : known) % 8}`;
}
