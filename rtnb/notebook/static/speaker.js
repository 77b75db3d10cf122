// The speaker: plays the samples that the kernel sends, without a gap, and reports how many of them have been played.
// Joined after shared.js.

/** Samples per second of the kernel's audio, and of the audio context, so that nothing is resampled before the device. */
const RATE = 24000;
/** Seconds of audio collected before playing starts: messages may be late by as much without a gap. */
const PREBUFFER = 0.15;
/** Seconds between two reports of what has been played. */
const REPORT = 0.2;

const WORKLET = `
class Player extends AudioWorkletProcessor {
  constructor() {
    super();
    this.queue = [];
    this.queued = 0;
    this.ended = false;
    this.playing = false;
    this.since = 0;
    this.reported = 0;
    this.counts = new Map();
    this.changed = new Set();
    this.current = "";
    this.gaps = 0;
    this.port.onmessage = ({ data }) => ("flush" in data ? this.flush(data.flush) : this.push(data));
  }
  push({ item, samples, last }) {
    if (!this.queued) this.since = currentTime;
    if (samples.length) this.queue.push({ item, samples, at: 0 });
    this.queued += samples.length;
    this.ended = last;
  }
  flush(id) {
    this.queue = [];
    this.queued = 0;
    this.playing = false;
    this.report(id);
  }
  process(inputs, [[out]]) {
    if (!this.playing && this.queued) {
      this.playing = this.ended || this.queued >= ${PREBUFFER} * sampleRate || currentTime - this.since >= ${PREBUFFER};
    }
    if (!this.playing) return true;
    let filled = 0;
    while (filled < out.length && this.queue.length) {
      const head = this.queue[0];
      const count = Math.min(out.length - filled, head.samples.length - head.at);
      for (let i = 0; i < count; i += 1) out[filled + i] = head.samples[head.at + i] / 32768;
      head.at += count;
      filled += count;
      this.queued -= count;
      this.counts.set(head.item, (this.counts.get(head.item) ?? 0) + count);
      this.changed.add(head.item);
      this.current = head.item;
      if (head.at === head.samples.length) this.queue.shift();
    }
    if (!this.queue.length) {
      this.playing = false;
      if (!this.ended) this.gaps += 1;
      this.report(null);
    } else if (currentTime - this.reported >= ${REPORT}) {
      this.report(null);
    }
    return true;
  }
  report(flushed) {
    this.reported = currentTime;
    const played = Object.fromEntries([...this.changed].map((item) => [item, this.counts.get(item)]));
    this.changed.clear();
    if (flushed === null && this.playing && this.current) this.changed.add(this.current);
    this.port.postMessage({ played, current: this.current, playing: this.playing, gaps: this.gaps, flushed });
  }
}
registerProcessor("rtnb-player", Player);
`;

/**
 * @typedef {{played: Record<string, number>, current: string, playing: boolean, gaps: number, flushed: number | null}} Report
 * @typedef {{push(item: string, samples: Int16Array, last: boolean): void, flush(id: number): void}} Engine
 */

/**
 * An engine in the audio thread.
 * @param {AudioContext} context
 * @param {AudioNode} output
 * @param {(report: Report) => void} sendReport
 * @returns {Promise<Engine>}
 */
async function workletEngine(context, output, sendReport) {
  const url = URL.createObjectURL(new Blob([WORKLET], { type: "text/javascript" }));
  try {
    await context.audioWorklet.addModule(url);
  } finally {
    URL.revokeObjectURL(url);
  }
  const node = new AudioWorkletNode(context, "rtnb-player", { numberOfInputs: 0, outputChannelCount: [1] });
  node.connect(output);
  node.port.onmessage = ({ data }) => sendReport(data);
  return {
    push: (item, samples, last) => node.port.postMessage({ item, samples, last }, [samples.buffer]),
    flush: (id) => node.port.postMessage({ flush: id }),
  };
}

/**
 * An engine for pages that have no AudioWorklet (plain http from another host): pieces are scheduled one behind the other,
 * each to begin at the very sample at which the one before it ends.
 * @param {AudioContext} context
 * @param {AudioNode} output
 * @param {(report: Report) => void} sendReport
 * @returns {Engine}
 */
function scheduledEngine(context, output, sendReport) {
  let pieces = []; // {item, source, start, length}: start and length in samples of the context's clock
  let next = 0;
  let timer = 0;
  const counts = new Map();
  let current = "";
  let gaps = 0;

  const report = (flushed) => {
    const now = Math.floor(context.currentTime * RATE);
    const played = {};
    for (const piece of pieces) {
      const done = Math.max(0, Math.min(piece.length, now - piece.start));
      if (done > piece.done) {
        counts.set(piece.item, (counts.get(piece.item) ?? 0) + done - piece.done);
        piece.done = done;
        current = piece.item;
        played[piece.item] = counts.get(piece.item);
      }
    }
    pieces = pieces.filter((piece) => piece.done < piece.length);
    if (flushed !== null) {
      for (const piece of pieces) piece.source.stop();
      pieces = [];
      next = 0;
    }
    if (!pieces.length) {
      clearInterval(timer);
      timer = 0;
    }
    sendReport({ played, current, playing: pieces.length > 0, gaps, flushed });
  };

  return {
    push(item, samples) {
      if (!samples.length) return;
      const buffer = context.createBuffer(1, samples.length, RATE);
      const values = buffer.getChannelData(0);
      for (let i = 0; i < samples.length; i += 1) values[i] = samples[i] / 32768;
      const soonest = Math.ceil(context.currentTime * RATE);
      if (next < soonest) {
        if (pieces.length) gaps += 1;
        next = soonest + Math.round(PREBUFFER * RATE);
      }
      const source = context.createBufferSource();
      source.buffer = buffer;
      source.connect(output);
      source.start(next / RATE);
      pieces.push({ item, source, start: next, length: samples.length, done: 0 });
      next += samples.length;
      timer ||= setInterval(() => report(null), REPORT * 1000);
    },
    flush: report,
  };
}

export default () => {
  /** This page's player among all that show the same widget: one of them plays. */
  const player = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
  /** @type {AudioContext | null} */
  let context = null;
  /** @type {Engine | null} */
  let engine = null;
  /** Audio that waits for the browser's permission to play. */
  let held = [];
  let chosen = false;
  let playing = false;
  let trouble = "";
  const faces = new Set();
  const redraw = () => faces.forEach((draw) => draw());
  const running = () => context?.state === "running";

  /** Report to the kernel what has been played; what is still in the device's buffer has not. */
  const sendReport = (model, { played, current, playing: goesOn, gaps, flushed }) => {
    if (current in played && (goesOn || flushed !== null)) {
      const latency = (context.outputLatency || 0) + (context.baseLatency || 0);
      played[current] = Math.max(0, played[current] - Math.round(latency * RATE));
    }
    model.send({ kind: flushed === null ? "played" : "flushed", id: flushed, player, played, playing: goesOn, gaps });
    if (playing !== goesOn) {
      playing = goesOn;
      redraw();
    }
  };

  const release = () => {
    if (!running() || !engine) return;
    for (const piece of held) engine.push(piece.item, piece.samples, piece.last);
    held = [];
  };

  /** Keep a piece until sound is allowed; of several answers only the newest is worth hearing then. */
  const hold = (model, piece) => {
    const stale = [...new Set(held.map((each) => each.item))].filter((item) => item !== piece.item);
    if (stale.length) model.send({ kind: "dropped", player, items: stale });
    held = [...held.filter((each) => each.item === piece.item), piece];
    context?.resume().catch(() => {});
    redraw();
  };

  const receive = (model, message, buffers) => {
    if (message.kind === "chosen") {
      chosen = message.player === player;
      if (!chosen) held = [];
      redraw();
    }
    if (message.player !== player) return;
    if (message.kind === "audio") {
      const bytes = buffers[0];
      const samples = new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
      const piece = { item: message.item, samples, last: message.last };
      if (running() && engine) engine.push(piece.item, piece.samples, piece.last);
      else hold(model, piece);
    } else if (message.kind === "flush") {
      held = [];
      if (running() && engine) engine.flush(message.id);
      else model.send({ kind: "flushed", id: message.id, player, played: {}, playing: false, gaps: 0 });
    }
  };

  const loudness = (model) => (model.get("muted") ? 0 : model.get("volume"));

  const begin = async (model) => {
    const Context = window.AudioContext ?? window.webkitAudioContext;
    if (!Context) throw new Error("this browser offers no audio output");
    context = new Context({ sampleRate: RATE });
    const gain = context.createGain();
    gain.gain.value = loudness(model);
    gain.connect(context.destination);
    const apply = () => gain.gain.setValueAtTime(loudness(model), context.currentTime);
    model.on("change:volume", apply);
    model.on("change:muted", apply);
    const heard = (report) => sendReport(model, report);
    if (context.audioWorklet) engine = await workletEngine(context, gain, heard);
    else engine = scheduledEngine(context, gain, heard);
    const changed = () => {
      model.send({ kind: "state", player, running: running() });
      release();
      redraw();
    };
    context.addEventListener("statechange", changed);
    model.send({ kind: "ready", player, running: running(), worklet: Boolean(context.audioWorklet) });
  };

  return {
    async initialize({ model }) {
      const onMessage = (message, buffers) => receive(model, message, buffers);
      model.on("msg:custom", onMessage);
      begin(model).catch((error) => {
        trouble = `No sound here: ${error.message}. response.audio plays in a cell.`;
        redraw();
      });
      return () => {
        model.off("msg:custom", onMessage);
        context?.close();
      };
    },

    render({ model, el }) {
      const mute = make("button", { type: "button", class: "rtnb-mute" });
      const volume = make("input", { type: "range", min: "0", max: "1", step: "0.05", "aria-label": "Volume" });
      const stop = make("button", { type: "button", class: "rtnb-stop", title: "Stop the answer here" }, "Stop");
      const enable = make("button", { type: "button", class: "rtnb-enable" }, "Enable audio");
      const here = make("button", { type: "button", class: "rtnb-here" }, "Play here");
      const words = make("span", { class: "rtnb-words", role: "status" });
      const bar = make("div", { class: "rtnb rtnb-speaker", role: "group", "aria-label": "Speaker", "data-lm-suppress-shortcuts": "true" });
      bar.append(make("span", { class: "rtnb-name" }, "Speaker"), enable, here, mute, volume, stop, words);
      el.append(bar);

      const draw = () => {
        const muted = model.get("muted");
        mute.textContent = muted ? "Unmute" : "Mute";
        mute.setAttribute("aria-pressed", String(muted));
        volume.value = String(model.get("volume"));
        volume.setAttribute("aria-valuetext", `${Math.round(model.get("volume") * 100)} %`);
        enable.hidden = !context || running();
        here.hidden = !context || chosen || !running();
        stop.disabled = !playing && !held.length;
        words.textContent = trouble || saying(muted);
      };
      const saying = (muted) => {
        if (context && !running()) return "The browser plays no sound until you press Enable audio.";
        if (context && !chosen) return "Another speaker of this session plays.";
        if (playing) return muted ? "speaking, muted" : "speaking";
        return context ? "silent" : "starting";
      };
      const set = (name, value) => {
        model.set(name, value);
        model.save_changes();
      };
      mute.addEventListener("click", () => set("muted", !model.get("muted")));
      volume.addEventListener("input", () => set("volume", Number(volume.value)));
      // Notebook front ends take the arrow keys for themselves before a slider sees what they mean.
      volume.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: -0.05, ArrowDown: -0.05, ArrowRight: 0.05, ArrowUp: 0.05, Home: -1, End: 1 }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        set("volume", Math.max(0, Math.min(1, Math.round((model.get("volume") + step) * 100) / 100)));
      });
      stop.addEventListener("click", () => model.send({ kind: "stop", player }));
      enable.addEventListener("click", () => context.resume());
      here.addEventListener("click", () => model.send({ kind: "ready", player, running: running() }));
      model.on("change:volume", draw);
      model.on("change:muted", draw);
      faces.add(draw);
      draw();
      return () => {
        faces.delete(draw);
        model.off("change:volume", draw);
        model.off("change:muted", draw);
      };
    },
  };
};
