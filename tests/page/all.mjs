// Every test, in one process and one browser.

import "./watch.mjs";
import "./words.mjs";
import "./places.mjs";
import "./teach.mjs";
import "./events.mjs";
import "./states.mjs";
import "./access.mjs";
