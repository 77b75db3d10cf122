/**
 * The browser's side of EventLog: a window onto rows that the kernel keeps. It asks for the pages in sight, and writes
 * every word with textContent.
 *
 * @typedef {[number, string, number|null, boolean, string, number, string, string, boolean]} Row
 *   seq, direction's letter, seconds, time in doubt, type, bytes, audio, content, wrong
 */

const HEIGHT = 22; // of a row, in pixels
const PAGE = 100; // rows; as in event_log.py
const KEPT = 40; // pages
const TALLEST = 8e6; // pixels that every browser scrolls; a longer log is scrolled in proportion
const ARROWS = { s: "→", r: "←", l: "•" };
const UNPRINTABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]/gu;

/** Make what hides or reorders visible; pairs of surrogates are characters, and stay. */
const printable = (/** @type {unknown} */ text) =>
  String(text).replace(UNPRINTABLE, (each) => "\\u" + each.charCodeAt(0).toString(16).padStart(4, "0"));

function size(/** @type {number} */ bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Show a JSON value as a tree; what is long or deep begins folded. @param {any} value */
function tree(value, key = "", depth = 0) {
  const name = make("span", { className: "key", textContent: key === "" ? "" : `${printable(key)}: ` });
  if (value === null || typeof value !== "object") {
    const kind = typeof value === "string" ? "text" : "other";
    const words = typeof value === "string" ? `"${printable(value)}"` : String(value);
    return make("div", {}, name, make("span", { className: kind, textContent: words }));
  }
  const entries = Object.entries(value);
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  if (!entries.length) return make("div", {}, name, open + close);
  const count = `${open} ${entries.length} ${close}`;
  const box = make("details", { open: depth === 0 }, make("summary", {}, name, count));
  const fill = () => {
    if (box.open && box.childElementCount === 1) {
      const shown = entries.slice(0, 2000);
      box.append(...shown.map(([each, inner]) => tree(inner, Array.isArray(value) ? `${each}` : each, depth + 1)));
      if (entries.length > shown.length) box.append(make("div", { textContent: `… ${entries.length - shown.length} more` }));
    }
  };
  box.addEventListener("toggle", fill); // children are made when they are to be seen
  fill();
  return box;
}

async function copy(/** @type {string} */ text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = make("textarea", { value: text }); // a page from plain http has no clipboard
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

class LogView {
  /** @param {Object} kept what a view that was shown again takes over from the one before it */
  constructor(model, el, kept) {
    this.model = model;
    this.kept = kept;
    /** @type {Map<number, Row[]>} */ this.pages = new Map();
    this.asked = new Map();
    this.atEnd = kept.atEnd ?? true;
    this.lines = [];
    this.jumps = null;
    this.build(el);
    this.onState = () => this.take();
    this.onMessage = (message) => this.hear(message);
    model.on("change:_state", this.onState);
    model.on("msg:custom", this.onMessage);
    this.watch = new ResizeObserver(() => this.later());
    this.watch.observe(this.body);
    this.take();
    if (kept.row) this.showDetails(kept.row);
    this.restored = this.atEnd ? undefined : kept.top;
  }

  close() {
    this.model.off("change:_state", this.onState);
    this.model.off("msg:custom", this.onMessage);
    this.watch.disconnect();
    cancelAnimationFrame(this.frame);
  }

  build(el) {
    const ask = () =>
      this.send({ ask: "filter", text: this.find.value, direction: this.way.value, deltas: !this.hide.checked });
    this.find = make("input", { type: "search", placeholder: "Filter: words, response.*, -word", "aria-label": "Filter rows" });
    this.find.title = "Words in type or content; a word with * is a glob for the type; -word excludes; \"two words\" stay together";
    this.find.addEventListener("input", () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(ask, 150);
    });
    this.way = make("select", { "aria-label": "Direction" });
    for (const [value, words] of [["", "all directions"], ["sent", "→ sent"], ["received", "← received"], ["local", "• local"]])
      this.way.append(make("option", { value, textContent: words }));
    this.hide = make("input", { type: "checkbox" });
    this.way.addEventListener("change", ask);
    this.hide.addEventListener("change", ask);
    this.pause = make("button", { textContent: "Pause", title: "Stop taking in rows (p)" });
    this.pause.addEventListener("click", () => this.send({ ask: "pause", on: !this.state.paused }));
    this.end = make("button", { textContent: "Follow the end", title: "Keep the newest row in sight (End)" });
    this.end.addEventListener("click", () => this.follow(!this.atEnd));
    this.count = make("span", { className: "rtnb-log-count", role: "status" });
    const bar = make("div", { className: "rtnb-log-bar" });
    bar.append(this.find, this.way, make("label", {}, this.hide, "hide deltas"), this.pause, this.end, this.count);
    this.back = make("button", { textContent: "Back to all" });
    this.back.addEventListener("click", () => this.send({ ask: "filter", follow: "" }));
    this.followed = make("code");
    this.following = make("div", { className: "rtnb-log-following", hidden: true }, "Only what belongs to ", this.followed, this.back);
    const head = make("div", { className: "rtnb-log-head", "aria-hidden": "true" });
    for (const [words, style] of [["seq", "number"], ["", ""], ["t / s", "number"], ["type", "type"], ["size", "number rtnb-log-size"], ["content", ""]])
      head.append(make("span", { textContent: words, className: `rtnb-log-${style}` }));
    this.space = make("div", { className: "rtnb-log-space" });
    this.none = make("div", { className: "rtnb-log-none", hidden: true });
    this.body = make("div", { className: "rtnb-log-body", tabIndex: 0, role: "grid", "aria-label": "Events" }, this.space, this.none);
    this.body.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.body.addEventListener("keydown", (event) => this.key(event));
    this.space.addEventListener("click", (event) => {
      const line = event.target.closest(".rtnb-log-row");
      if (line) this.choose(line.place);
    });
    this.details = make("div", { className: "rtnb-log-details", hidden: true, role: "region", "aria-label": "Selected event" });
    this.details.addEventListener("keydown", (event) => event.key === "Escape" && this.hideDetails());
    el.append(make("div", { className: "rtnb-log" }, bar, this.following, head, this.body, this.details));
  }

  send(message) {
    this.model.send(message);
  }

  /** Take in what Python has to say. */
  take() {
    const before = this.state;
    const state = (this.state = this.model.get("_state"));
    if (!before || before.version !== state.version) {
      this.pages.clear();
      this.asked.clear();
      if (before) this.atEnd = this.atEnd || state.rows * HEIGHT < this.body.clientHeight;
      this.place = this.wanted = undefined;
    }
    const { text, direction, deltas, follow } = state.filter;
    if (document.activeElement !== this.find) this.find.value = text;
    this.way.value = direction;
    this.hide.checked = !deltas;
    this.following.hidden = !follow;
    this.followed.textContent = printable(follow);
    this.pause.textContent = state.paused ? "Go on" : "Pause";
    this.pause.setAttribute("aria-pressed", state.paused);
    const all = state.rows === state.total ? "" : ` of ${state.total.toLocaleString("en")}`;
    const plus = state.paused ? (state.waiting ? " · paused, more wait" : " · paused") : "";
    this.count.textContent = `${state.rows.toLocaleString("en")}${all} rows${plus}`;
    this.none.hidden = state.rows > 0;
    this.none.textContent = state.total ? "No row fits the filter." : "No events yet.";
    this.body.setAttribute("aria-rowcount", state.rows);
    // A jump that Python asks for counts in a new view too, unless that view goes on where an older one was.
    const jumped = this.jumps === null ? state.jumps > 0 && this.kept.atEnd === undefined : this.jumps !== state.jumps;
    if (jumped) this.awaited = undefined;
    // What Python says of the selection may be older than a click that it has yet to hear of.
    if (this.awaited === undefined) this.selected = state.selected ?? undefined;
    if (jumped && state.place >= 0) {
      this.atEnd = false;
      this.place = this.centre = state.place;
    }
    this.jumps = state.jumps;
    this.later();
  }

  hear(message) {
    if ("page" in message) {
      this.asked.delete(message.page);
      if (message.version !== this.state.version) return;
      this.pages.delete(message.page);
      this.pages.set(message.page, message.rows);
      if (this.pages.size > KEPT) this.pages.delete(this.pages.keys().next().value);
      if (this.wanted !== undefined && this.row(this.wanted)) this.choose(this.wanted);
      this.later();
    } else if ("row" in message) {
      if (message.row.seq === this.awaited) this.awaited = undefined;
      this.showDetails(message.row);
    }
  }

  // Where things are. A log that is taller than browsers can scroll is scrolled in proportion.
  get tall() { return Math.min(this.state.rows * HEIGHT, TALLEST); }
  get top() {
    const way = this.tall - this.body.clientHeight, rows = this.state.rows - this.body.clientHeight / HEIGHT;
    return way > 0 ? (this.body.scrollTop / way) * rows : 0;
  }
  set top(row) {
    const way = this.tall - this.body.clientHeight, rows = this.state.rows - this.body.clientHeight / HEIGHT;
    this.body.scrollTop = rows > 0 ? Math.round((row / rows) * way) : 0;
  }

  scrolled() {
    const { scrollTop, clientHeight, scrollHeight } = this.body;
    if (scrollTop !== this.put) this.atEnd = scrollTop + clientHeight >= scrollHeight - 4;
    this.put = undefined;
    this.later();
  }

  follow(on) {
    this.atEnd = on;
    this.later();
  }

  later() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.draw();
    });
  }

  /** @returns {Row|undefined} */
  row(place) {
    const page = this.pages.get(Math.floor(place / PAGE));
    return this.state.tail[place - this.state.first] ?? page?.[place % PAGE];
  }

  draw() {
    if (!this.state || !this.body.clientHeight) return; // not in the page yet, or no more
    this.space.style.height = `${this.tall}px`;
    if (this.atEnd) {
      this.body.scrollTop = this.body.scrollHeight;
      this.put = this.body.scrollTop;
    }
    if (this.restored !== undefined) this.top = this.restored;
    this.restored = undefined;
    // Only here is the log as tall as its rows, so that it can be scrolled to any of them.
    if (this.centre !== undefined) this.top = Math.max(0, this.centre - this.body.clientHeight / HEIGHT / 2);
    this.centre = undefined;
    this.end.setAttribute("aria-pressed", this.atEnd);
    const top = this.top, first = Math.max(0, Math.floor(top) - 2);
    const wanted = Math.min(Math.ceil(this.body.clientHeight / HEIGHT) + 5, this.state.rows - first);
    while (this.lines.length < wanted) this.lines.push(this.newLine());
    Object.assign(this.kept, { atEnd: this.atEnd, top }); // at every time: the next view may come before this one goes
    const missing = new Set();
    this.lines.forEach((line, index) => {
      line.hidden = index >= wanted;
      if (line.hidden) return;
      const place = first + index;
      line.style.transform = `translateY(${Math.round(this.body.scrollTop + (place - top) * HEIGHT)}px)`;
      line.place = place;
      const row = this.row(place);
      if (!row) missing.add(Math.floor(place / PAGE));
      this.fill(line, row);
    });
    if (missing.size) this.request(missing);
  }

  newLine() {
    const line = make("div", { className: "rtnb-log-row", role: "row" });
    for (const name of ["number", "coloured", "number", "type rtnb-log-coloured", "number rtnb-log-size", "content"])
      line.append(make("span", { className: `rtnb-log-${name}`, role: "gridcell" }));
    this.space.append(line);
    return line;
  }

  fill(line, row) {
    line.setAttribute("aria-rowindex", line.place + 1);
    line.setAttribute("aria-selected", row !== undefined && row[0] === this.selected);
    if (line.row === row && row) return;
    line.row = row;
    const [seq, direction, t, late, type, bytes, audio, content, wrong] = row ?? ["", "", null, false, "…", 0, "", "", false];
    line.dataset.direction = direction;
    line.classList.toggle("wrong", wrong);
    const time = !row ? "" : (late ? "≈ " : "") + (t === null ? "?" : t.toFixed(3));
    const words = [seq, ARROWS[direction] ?? "", time, type, row ? audio || size(bytes) : "", content];
    words.forEach((each, index) => (line.children[index].textContent = each));
    line.title = late ? "This time may be too late: the reading thread was kept waiting." : "";
  }

  request(pages) {
    for (const page of pages) {
      const asked = this.asked.get(page);
      if (asked && performance.now() - asked < 1500) continue; // the kernel may be busy; asking again costs little
      this.asked.set(page, performance.now());
      this.send({ ask: "page", page, version: this.state.version });
    }
  }

  show(place) {
    const visible = this.body.clientHeight / HEIGHT, top = this.top;
    this.place = place;
    this.atEnd = false;
    if (place < top) this.top = Math.max(0, place);
    else if (place + 1 > top + visible) this.top = place + 1 - visible;
    this.later();
  }

  choose(place) {
    const row = this.row(place);
    this.show(place);
    this.wanted = row ? undefined : place; // a key may be faster than the page of the row that it goes to
    if (!row) return;
    this.selected = this.awaited = row[0];
    this.send({ ask: "row", seq: row[0] });
  }

  key(event) {
    const last = this.state.rows - 1, screen = Math.floor(this.body.clientHeight / HEIGHT) - 1;
    const place = this.place ?? Math.round(this.top);
    const moves = { ArrowDown: place + 1, ArrowUp: place - 1, PageDown: place + screen, PageUp: place - screen, Home: 0 };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in moves) this.choose(Math.max(0, Math.min(last, this.place === undefined && event.key !== "Home" ? place : moves[event.key])));
    else if (event.key === "End") this.follow(true);
    else if (event.key === "Enter") this.choose(place);
    else if (event.key === "Escape") this.hideDetails();
    else if (event.key === "p") this.pause.click();
    else if (event.key === "/") this.find.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  hideDetails() {
    this.kept.row = undefined;
    this.details.hidden = true;
    this.body.focus();
  }

  showDetails(row) {
    if (row.seq !== this.selected && this.selected !== undefined) return; // the next row has been chosen meanwhile
    this.kept.row = row;
    const t = row.t === null ? "" : ` · ${row.t.toFixed(3)} s`;
    const title = make("div", { className: "rtnb-log-title" });
    title.append(make("strong", { textContent: `${row.seq} ${ARROWS[row.direction[0]]} ${row.type}` }), `${size(row.bytes)}${t}`);
    for (const [noun, id, short] of row.follow) {
      const button = make("button", { textContent: `Follow ${noun}`, title: short });
      button.addEventListener("click", () => this.send({ ask: "filter", follow: id }));
      title.append(button);
    }
    const value = row.json === undefined ? undefined : JSON.parse(row.json);
    const button = make("button", { textContent: "Copy" });
    button.addEventListener("click", async () => {
      await copy(value === undefined ? row.words : JSON.stringify(value, null, 2));
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
    const close = make("button", { textContent: "✕", "aria-label": "Close" });
    close.addEventListener("click", () => this.hideDetails());
    title.append(button, close);
    const body = value === undefined
      ? make("pre", { className: "rtnb-log-words", textContent: printable(row.words) })
      : make("div", { className: "rtnb-log-tree" }, tree(value));
    const problem = row.problem ? [make("div", { textContent: `⚠ ${row.problem}`, className: "rtnb-log-content" })] : [];
    this.details.replaceChildren(title, ...problem, body);
    this.details.hidden = false;
    this.later();
  }
}

export default () => {
  const kept = {};
  return {
    render({ model, el }) {
      const view = new LogView(model, el, kept);
      return () => view.close();
    },
  };
};
