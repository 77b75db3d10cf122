/**
 * The browser's side of TimelineView: lanes on a canvas. Python sends the layout of the part of the axis that is in sight,
 * as many values as there are pixels; until it comes, what is there is stretched.
 *
 * @typedef {[number, number|null, number, string, string]} Span  start, end, seq, label, status
 */

const RULER = 22;
const SENT = "#3b82c4", RECEIVED = "#2f9e62", AUDIO = "#8a63d2", WRONG = "#d64545", LOCAL = "#b7791f";
const STATUSES = { completed: RECEIVED, in_progress: RECEIVED, cancelled: LOCAL, incomplete: LOCAL, failed: WRONG, error: WRONG,
  speech: SENT, called: AUDIO, answered: AUDIO };
const LANES = [ // key, name, height, gap below
  ["user", "user speech", 46], ["speech", "speech detected", 18], ["sent", "sent", 16], ["received", "received", 16],
  ["responses", "responses", 20], ["text", "text arriving", 40], ["arrived", "audio arriving", 40],
  ["heard", "audio heard", 52], ["words", "words", 30], ["tools", "tools", 18], ["errors", "errors", 18],
].reduce((lanes, [key, name, height]) => {
  const top = lanes.length ? lanes.at(-1).top + lanes.at(-1).height + 6 : RULER + 4;
  return [...lanes, { key, name, height, top }];
}, []);
const HEIGHT = LANES.at(-1).top + LANES.at(-1).height + 6;

const clock = (/** @type {number} */ t, digits = 3) => `${t.toFixed(digits)} s`;

class LanesView {
  /** @param {{cursor?: number}} kept what a view keeps when it is shown again */
  constructor(model, el, kept) {
    this.model = model;
    this.kept = kept;
    this.cursor = kept.cursor ?? 0;
    this.player = new MixPlayer((message) => model.send(message), () => this.playing(false));
    this.build(el);
    this.onLayout = () => this.take();
    this.onMessage = (message, buffers) => message.sound && this.player.hear(message.sound, buffers?.[0]);
    model.on("change:_visible", this.onLayout);
    model.on("msg:custom", this.onMessage);
    this.watch = new ResizeObserver(() => this.resized());
    this.watch.observe(this.canvas);
    this.take();
  }

  close() {
    this.model.off("change:_visible", this.onLayout);
    this.model.off("msg:custom", this.onMessage);
    this.watch.disconnect();
    this.player.stop();
    this.player.context?.close();
    clearTimeout(this.asking);
    cancelAnimationFrame(this.frame);
  }

  build(el) {
    const button = (textContent, title, act) => {
      const made = make("button", { textContent, title, "aria-label": title });
      made.addEventListener("click", act);
      return made;
    };
    this.play = button("▶ Play", "Play from the cursor (space)", () => this.playing(!this.player.on));
    this.status = make("span", { className: "rtnb-lanes-status", role: "status" });
    const bar = make("div", { className: "rtnb-lanes-bar" }, this.play,
      button("−", "Zoom out (-)", () => this.zoom(2)), button("+", "Zoom in (+)", () => this.zoom(0.5)),
      button("All", "Show all (0)", () => this.all()), this.status);
    this.canvas = make("canvas", { tabIndex: 0, role: "img" });
    this.canvas.style.height = `${HEIGHT}px`;
    this.tip = make("div", { className: "rtnb-lanes-tip", hidden: true });
    this.root = make("div", { className: "rtnb-lanes" }, bar, make("div", { className: "rtnb-lanes-body" }, this.canvas, this.tip));
    el.append(this.root);
    const on = (name, act, options) => this.canvas.addEventListener(name, act, options);
    on("wheel", (event) => this.wheel(event), { passive: false });
    on("keydown", (event) => this.key(event));
    on("pointerdown", (event) => this.press(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.release(event));
    on("pointerleave", () => (this.tip.hidden = true));
  }

  /** Take in the layout that Python sent. */
  take() {
    const layout = this.model.get("_visible");
    const bytes = (view, Kind) => new Kind(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
    const each = (values, Kind) => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, bytes(value, Kind)]));
    this.layout = { ...layout, waves: each(layout.waves, Int8Array), ticks: each(layout.ticks, Uint16Array) };
    // While the user moves the axis, the user's range holds; afterwards all views of one object show the same again.
    if (!this.view || performance.now() - (this.touched ?? -1e9) > 700) this.view = [...layout.view];
    const [start, end] = layout.whole;
    this.canvas.setAttribute("aria-label", `${layout.events} events over ${clock(end - start, 1)}, ${layout.spans.responses.length} responses in sight`);
    this.later();
  }

  get width() { return this.canvas.clientWidth; }
  get gutter() { return this.width < 700 ? 78 : 112; }
  x(t) { return this.gutter + ((t - this.view[0]) / (this.view[1] - this.view[0])) * (this.width - this.gutter); }
  t(x) { return this.view[0] + ((x - this.gutter) / (this.width - this.gutter)) * (this.view[1] - this.view[0]); }

  // What is seen of the axis.

  resized() {
    const scale = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(this.width * scale);
    this.canvas.height = Math.round(HEIGHT * scale);
    if (this.width > this.gutter) this.ask();
    this.draw();
  }

  ask() {
    clearTimeout(this.asking);
    this.asking = setTimeout(() => {
      const pixels = Math.round(this.width - this.gutter);
      if (this.layout.all && !this.moved) return this.model.send({ ask: "all", pixels });
      const follow = this.view[1] >= this.layout.whole[1];
      this.model.send({ ask: "range", start: this.view[0], end: this.view[1], pixels, follow });
    }, 40);
  }

  show(start, end) {
    const whole = this.layout.whole, most = (whole[1] - whole[0]) * 1.1 + 0.1;
    const span = Math.min(Math.max(end - start, 0.005), most);
    const middle = Math.min(Math.max((start + end) / 2, whole[0] - span * 0.4), whole[1] + span * 0.4);
    this.view = [middle - span / 2, middle + span / 2];
    this.touched = performance.now();
    this.moved = true;
    this.ask();
    this.later();
  }

  zoom(factor, around = this.x(this.cursor)) {
    const inside = around >= this.gutter && around <= this.width;
    const t = inside ? this.t(around) : (this.view[0] + this.view[1]) / 2;
    this.show(t - (t - this.view[0]) * factor, t + (this.view[1] - t) * factor);
  }

  pan(share) {
    const by = share * (this.view[1] - this.view[0]);
    this.show(this.view[0] + by, this.view[1] + by);
  }

  all() {
    this.moved = false;
    this.touched = undefined;
    this.model.send({ ask: "all", pixels: Math.round(this.width - this.gutter) });
  }

  // Mouse and keyboard.

  wheel(event) {
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
    // The page scrolls as ever, unless the lanes have been clicked or a key is held.
    if (!(sideways || event.ctrlKey || event.metaKey || document.activeElement === this.canvas)) return;
    event.preventDefault();
    if (sideways) this.pan((event.deltaX || event.deltaY) / this.width);
    else this.zoom(Math.exp(Math.max(-1, Math.min(1, event.deltaY / 300))), event.offsetX);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const acts = {
      "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2), 0: () => this.all(), Home: () => this.all(),
      ArrowLeft: () => this.pan(-0.15), ArrowRight: () => this.pan(0.15), " ": () => this.playing(!this.player.on),
      Escape: () => this.playing(false),
    };
    if (!acts[event.key]) return;
    acts[event.key]();
    event.preventDefault();
    event.stopPropagation();
  }

  press(event) {
    this.held = { x: event.offsetX, view: [...this.view] };
    this.canvas.setPointerCapture(event.pointerId);
  }

  move(event) {
    if (!this.held) return this.hover(event.offsetX, event.offsetY);
    const by = event.offsetX - this.held.x;
    if (!this.held.dragged && Math.abs(by) < 4) return;
    this.held.dragged = true;
    this.tip.hidden = true;
    this.canvas.classList.add("dragged");
    const [start, end] = this.held.view, seconds = (by / (this.width - this.gutter)) * (end - start);
    this.show(start - seconds, end - seconds);
  }

  release(event) {
    const dragged = this.held?.dragged;
    this.held = undefined;
    this.canvas.classList.remove("dragged");
    if (dragged || event.offsetX < this.gutter) return;
    const t = this.t(event.offsetX);
    this.cursor = Math.max(0, t);
    if (this.player.on) this.playing(true);
    const lane = this.laneAt(event.offsetY), hit = lane && this.spanAt(lane.key, event.offsetX);
    const tick = lane && this.tickAt(lane.key, event.offsetX);
    if (hit) this.model.send({ ask: "select", seq: hit[2] });
    else if (lane && this.layout.waves[lane.key]) this.model.send({ ask: "pick", lane: lane.key, t });
    else if (tick) this.model.send({ ask: "pick", lane: tick.lane, t });
    this.later();
  }

  laneAt(y) { return LANES.find((lane) => y >= lane.top && y < lane.top + lane.height + 6); }

  /** @returns {Span|undefined} */
  spanAt(key, x) {
    const end = this.layout.whole[1];
    return this.layout.spans[key]?.findLast(([from, to]) => x >= this.x(from) - 3 && x <= Math.max(this.x(to ?? end), this.x(from)) + 3);
  }

  /** The ticks that a lane shows: what the client noted itself stands among what it received. */
  ticksOf(key) { return (key === "received" ? ["received", "local"] : [key]).filter((each) => this.layout.ticks[each]); }

  tickAt(key, x) {
    let best;
    for (const lane of this.ticksOf(key)) {
      const ticks = this.layout.ticks[lane], n = ticks.length / 4;
      for (let index = 0; index < n; index += 1) {
        const t = this.timeOf(ticks[index] + 0.5), far = Math.abs(this.x(t) - x);
        if (far < (best?.far ?? 5)) best = { t, far, lane, count: ticks[n + index], type: this.layout.types[ticks[2 * n + index]] };
      }
    }
    return best;
  }

  timeOf(pixel) { return this.layout.start + (pixel * (this.layout.end - this.layout.start)) / this.layout.pixels; }

  hover(x, y) {
    const lane = this.laneAt(y);
    this.tip.hidden = !lane || x < this.gutter;
    if (this.tip.hidden) return;
    const hit = this.spanAt(lane.key, x), tick = this.tickAt(lane.key, x);
    let words = `${lane.name} · ${clock(this.t(x))}`;
    if (hit) {
      const [start, end, seq, label, status] = hit;
      const state = status.replace("_", " "), how = state === label || !label ? "" : ` (${state})`;
      words = `${label || state}${how}\n${clock(start)}${end === null ? " …" : end > start ? ` – ${clock(end)} · ${clock(end - start)}` : ""}\nrow ${seq}`;
    } else if (tick) words = `${tick.type}${tick.count > 1 ? ` and ${tick.count - 1} more` : ""}\n${clock(tick.t)}`;
    this.tip.textContent = words;
    this.tip.style.top = `${lane.top + lane.height + 8}px`;
    this.tip.style.left = `${Math.max(4, Math.min(x + 10, this.width - this.tip.offsetWidth - 4))}px`;
  }

  playing(on) {
    if (on) this.player.start(Math.max(0, this.cursor));
    else if (this.player.on) {
      this.cursor = this.player.now() ?? this.cursor;
      this.player.stop();
    }
    this.play.textContent = this.player.on ? "■ Stop" : "▶ Play";
    this.play.setAttribute("aria-pressed", this.player.on);
    this.later();
  }

  // Drawing.

  later() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.draw();
    });
  }

  draw() {
    if (!this.layout || this.width <= this.gutter) return;
    if (this.player.on) {
      this.cursor = this.player.now() ?? this.cursor;
      if (this.player.on) this.later();
      const [start, end] = this.view;
      if (this.cursor > end - 0.05 * (end - start) && end < this.layout.whole[1]) this.show(this.cursor - 0.1 * (end - start), this.cursor + 0.9 * (end - start));
    }
    this.kept.cursor = this.cursor;
    const pen = (this.pen = this.canvas.getContext("2d"));
    const scale = window.devicePixelRatio || 1, style = getComputedStyle(this.root);
    this.ink = style.color;
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, this.width, HEIGHT);
    pen.font = `11px ${style.fontFamily}`;
    pen.textBaseline = "middle";
    this.drawNames();
    pen.save();
    pen.beginPath();
    pen.rect(this.gutter, 0, this.width - this.gutter, HEIGHT);
    pen.clip();
    this.drawRuler();
    for (const lane of LANES) this.drawLane(lane);
    this.line(this.layout.selected_t, WRONG, [3, 3]);
    this.line(this.cursor, this.player.on ? SENT : this.ink, this.player.on ? [] : [1, 4]);
    pen.restore();
    const [start, end] = this.view;
    this.status.textContent = `${clock(this.cursor, 2)} · ${clock(end - start, end - start < 1 ? 3 : 1)} in sight · ${this.layout.events.toLocaleString("en")} events`;
  }

  drawNames() {
    this.pen.fillStyle = this.ink;
    for (const { name, top, height } of LANES) {
      this.pen.globalAlpha = 0.12;
      this.pen.fillRect(0, top + height + 2.5, this.width, 1);
      this.pen.globalAlpha = 0.75;
      this.pen.fillText(this.gutter < 100 ? name.replace("speech detected", "detected").replace("audio ", "") : name, 8, top + height / 2, this.gutter - 12);
    }
    this.pen.globalAlpha = 1;
  }

  drawRuler() {
    const [start, end] = this.view, rough = ((end - start) / (this.width - this.gutter)) * 90;
    const power = 10 ** Math.floor(Math.log10(rough)), step = [1, 2, 5, 10].find((each) => each * power >= rough) * power;
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    this.pen.fillStyle = this.ink;
    for (let n = Math.ceil(start / step); n * step <= end; n += 1) {
      const x = this.x(n * step);
      this.pen.globalAlpha = 0.12;
      this.pen.fillRect(x, 14, 1, HEIGHT);
      this.pen.globalAlpha = 0.75;
      this.pen.fillText(`${(n * step).toFixed(digits)} s`, x + 3, 9);
    }
    this.pen.globalAlpha = 1;
  }

  drawLane({ key, top, height }) {
    const { waves, spans, labels } = this.layout;
    if (key === "heard") this.drawWave(waves.unheard, top, height, this.ink, 0.3);
    if (waves[key]) this.drawWave(waves[key], top, height, key === "user" ? SENT : AUDIO, 1);
    const colours = { sent: SENT, received: RECEIVED, local: LOCAL, text: this.ink };
    for (const lane of this.ticksOf(key)) this.drawTicks(this.layout.ticks[lane], top, key === "text" ? 8 : height, colours[lane]);
    if (labels[key]) this.drawLabels(labels[key], key === "text" ? top + 11 : top);
    for (const span of spans[key] ?? []) this.drawSpan(span, key, top, height);
  }

  drawWave(wave, top, height, colour, alpha) {
    const { pixels, peak } = this.layout, middle = top + height / 2, gain = (height / 2) / Math.max(peak, 1);
    const step = this.x(this.timeOf(1)) - this.x(this.timeOf(0)), origin = this.x(this.timeOf(0));
    this.pen.beginPath();
    for (let index = Math.max(0, Math.floor((this.gutter - origin) / step)); index < pixels; index += 1) {
      const low = wave[index], high = wave[pixels + index], x = origin + index * step;
      if (x > this.width) break;
      if (low <= high) this.pen.rect(x, middle - high * gain - 0.5, Math.max(step, 0.6), (high - low) * gain + 1);
    }
    this.pen.globalAlpha = alpha;
    this.pen.fillStyle = colour;
    this.pen.fill();
    this.pen.globalAlpha = 1;
  }

  drawTicks(ticks, top, height, colour) {
    const n = ticks.length / 4;
    for (let index = 0; index < n; index += 1) {
      this.pen.fillStyle = ticks[3 * n + index] ? WRONG : colour;
      this.pen.fillRect(this.x(this.timeOf(ticks[index])), top, 1.5, height);
    }
  }

  drawLabels(labels, top) {
    this.pen.fillStyle = this.ink;
    let free = -Infinity; // until labels come that are placed for this zoom, those that would run into others wait
    for (const [t, lines] of labels) {
      const x = this.x(t) + 2;
      if (x < free) continue;
      lines.forEach((line, row) => this.pen.fillText(line, x, top + 7 + 14 * row));
      free = x + Math.max(...lines.map((line) => this.pen.measureText(line).width)) - 3;
    }
  }

  drawSpan([start, end, seq, label, status], key, top, height) {
    const left = this.x(start), right = Math.max(this.x(end ?? Math.max(this.layout.whole[1], start)), left + 2.5);
    if (right < this.gutter || left > this.width) return;
    const colour = STATUSES[status] ?? LOCAL, chosen = seq === this.layout.selected;
    this.pen.fillStyle = colour;
    this.pen.globalAlpha = key === "errors" ? 1 : chosen ? 0.7 : 0.35;
    this.pen.fillRect(left, top, right - left, height);
    this.pen.globalAlpha = 1;
    this.pen.fillRect(left, top, 2, height);
    const from = Math.max(left, this.gutter) + 5, after = this.width - right - 6;
    this.pen.fillStyle = this.ink;
    if (key !== "errors") this.write(label, from, right - from, top + height / 2);
    else if (after > 160 || after > left - this.gutter) this.write(label, right + 4, after, top + height / 2);
    else {
      this.pen.textAlign = "right";
      this.write(label, left - 4, left - this.gutter - 8, top + height / 2);
      this.pen.textAlign = "left";
    }
  }

  /** Write as much of a text as there is room for. */
  write(text, x, room, y) {
    let words = text;
    while (words.length > 1 && this.pen.measureText(words).width > room) words = words.slice(0, -2).trimEnd() + "…";
    if (words.length > 3 || words === text) this.pen.fillText(words, x, y + 0.5, Math.max(room, 1));
  }

  line(t, colour, dashes) {
    if (t === null || t === undefined) return;
    this.pen.strokeStyle = colour;
    this.pen.setLineDash(dashes);
    this.pen.beginPath();
    this.pen.moveTo(this.x(t), 0);
    this.pen.lineTo(this.x(t), HEIGHT);
    this.pen.stroke();
    this.pen.setLineDash([]);
  }
}

export default () => {
  const kept = {};
  return {
    render({ model, el }) {
      const view = new LanesView(model, el, kept);
      return () => view.close();
    },
  };
};
