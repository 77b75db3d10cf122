// The microphone: captures sound at the device's own rate, resamples it in the audio thread to the session's rate, and
// sends it in chunks of 40 ms, each with its number and the time of its capture. Joined after shared.js.

/** Seconds of a chunk. */
const CHUNK = 0.04;
/** The level that fills the meter's left end, in dB of full scale. */
const FLOOR = -60;

// The resampler is a windowed sinc (Blackman, 24 zero crossings to each side), with one filter for each phase between two
// samples; its cut-off lies below half of the lower rate, so nothing folds back.
const WORKLET = `
const ZEROS = 24;
const gcd = (a, b) => (b ? gcd(b, a % b) : a);
class Capture extends AudioWorkletProcessor {
  constructor({ processorOptions: { rate, chunk } }) {
    super();
    const common = gcd(rate, sampleRate);
    this.up = rate / common;
    this.down = sampleRate / common;
    this.half = 1;
    this.filters = [];
    if (rate !== sampleRate) this.design(Math.min(1, rate / sampleRate) * 0.92);
    this.input = new Float32Array(this.half - 1);
    this.first = -(this.half - 1);
    this.next = 0;
    this.start = null;
    this.rate = rate;
    this.out = new Int16Array(chunk);
    this.filled = 0;
    this.seq = 0;
    this.power = 0;
    this.taken = 0;
    this.done = false;
    this.port.onmessage = () => this.end();
  }
  design(cutoff) {
    this.half = Math.ceil(ZEROS / cutoff);
    for (let phase = 0; phase < this.up; phase += 1) {
      const taps = new Float64Array(2 * this.half);
      let sum = 0;
      for (let k = 0; k < taps.length; k += 1) {
        const x = k - this.half + 1 - phase / this.up;
        const place = x / this.half;
        const window = Math.abs(place) >= 1 ? 0 : 0.42 + 0.5 * Math.cos(Math.PI * place) + 0.08 * Math.cos(2 * Math.PI * place);
        const sinc = x === 0 ? 1 : Math.sin(Math.PI * cutoff * x) / (Math.PI * cutoff * x);
        taps[k] = sinc * window;
        sum += taps[k];
      }
      this.filters.push(taps.map((tap) => tap / sum));
    }
  }
  process([[block]]) {
    if (this.done) return false;
    if (!block) return true;
    if (this.start === null) this.start = currentTime;
    const joined = new Float32Array(this.input.length + block.length);
    joined.set(this.input);
    joined.set(block, this.input.length);
    this.input = joined;
    this.resample();
    return true;
  }
  resample() {
    for (;;) {
      const position = this.next * this.down;
      const whole = Math.floor(position / this.up);
      const begin = whole - this.half + 1 - this.first;
      if (begin + 2 * this.half > this.input.length) {
        const keep = Math.min(begin, this.input.length);
        this.input = this.input.slice(keep);
        this.first += keep;
        return;
      }
      let value = 0;
      if (!this.filters.length) {
        value = this.input[begin];
      } else {
        const taps = this.filters[position - whole * this.up];
        for (let k = 0; k < taps.length; k += 1) value += taps[k] * this.input[begin + k];
      }
      this.put(value);
      this.next += 1;
    }
  }
  put(value) {
    this.power += value * value;
    this.out[this.filled] = Math.max(-32768, Math.min(32767, Math.round(value * 32768)));
    this.filled += 1;
    if (this.filled === this.out.length) this.tell(false);
  }
  tell(last) {
    const samples = this.out.slice(0, this.filled);
    const time = (this.start ?? currentTime) + this.taken / this.rate;
    const level = this.filled ? Math.sqrt(this.power / this.filled) : 0;
    this.port.postMessage({ samples, seq: this.seq, time, level, last }, [samples.buffer]);
    this.taken += this.filled;
    this.filled = 0;
    this.power = 0;
    this.seq += 1;
  }
  end() {
    if (!this.done) this.tell(true);
    this.done = true;
  }
}
registerProcessor("rtnb-capture", Capture);
`;

/** Milliseconds since the epoch by the page's steady clock. */
const clock = () => performance.timeOrigin + performance.now();

/**
 * Return why there is no microphone, and what to do, in words.
 * @param {unknown} error
 * @returns {string}
 */
function refusal(error) {
  if (window.location.protocol === "vscode-webview:" || document.documentElement.id === "vscode") {
    return "VS Code gives notebooks no microphone. Open the notebook in JupyterLab, or speak by file: session.listen(5, clip=path).";
  }
  if (!window.isSecureContext || !navigator.mediaDevices) {
    return "This page came over plain http from another host, where browsers offer no microphone. Open it at localhost or over https, or speak by file: session.listen(5, clip=path).";
  }
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError") {
    return "The browser refused the microphone. Allow it for this page (the sign beside the address) and start it again, or speak by file: session.listen(5, clip=path).";
  }
  if (name === "NotFoundError") {
    return "No microphone was found. Connect one and start it again, or speak by file: session.listen(5, clip=path).";
  }
  if (name === "NotReadableError") return "Another program holds the microphone. Close it there and start it again.";
  return `The microphone could not be started (${error instanceof Error ? error.message : error}).`;
}

/**
 * Open the microphone and pass on its chunks until the returned function is called.
 * @param {number} rate samples per second that are wanted
 * @param {boolean} echo whether the browser removes what its own speakers play
 * @param {(piece: {samples: Int16Array, seq: number, captured: number, level: number, last: boolean}) => void} hand
 * @param {() => void} lost called when the device goes away
 * @returns {Promise<() => void>}
 */
async function openMicrophone(rate, echo, hand, lost) {
  if (!navigator.mediaDevices) throw new Error("no media devices");
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: { echoCancellation: echo, noiseSuppression: false, autoGainControl: false, channelCount: 1 },
  });
  // Not at the session's rate: some browsers refuse to join a device and a context of different rates.
  const context = new AudioContext();
  const close = () => {
    for (const track of stream.getTracks()) track.stop();
    if (context.state !== "closed") context.close();
  };
  try {
    const url = URL.createObjectURL(new Blob([WORKLET], { type: "text/javascript" }));
    await context.audioWorklet.addModule(url);
    URL.revokeObjectURL(url);
    await context.resume();
  } catch (error) {
    close();
    throw error;
  }
  const processorOptions = { rate, chunk: Math.round(rate * CHUNK) };
  const node = new AudioWorkletNode(context, "rtnb-capture", { processorOptions, channelCount: 1, channelCountMode: "explicit" });
  context.createMediaStreamSource(stream).connect(node);
  node.connect(context.destination); // its output is silence; some browsers do not run a node that is not connected to the device
  let anchor = Infinity; // page clock minus audio clock; the chunk with the least delay estimates it best
  node.port.onmessage = ({ data }) => {
    anchor = Math.min(anchor, clock() - (data.time + data.samples.length / rate) * 1000);
    hand({ ...data, captured: anchor + data.time * 1000 });
    if (data.last) close();
  };
  stream.getTracks()[0].addEventListener("ended", lost);
  return () => node.port.postMessage("end");
}

export default () => {
  const page = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
  /** Counts starts: one that was stopped before the browser gave permission must not begin to listen. */
  let run = 0;
  /** @type {null | (() => void)} */
  let end = null;
  let active = false;
  let level = 0;
  const faces = new Set();
  const redraw = () => faces.forEach((draw) => draw());

  const stop = (model) => {
    const ended = run;
    run += 1;
    active = false;
    level = 0;
    if (end) end();
    else model.send({ kind: "stopped", page, run: ended });
    end = null;
    redraw();
  };

  const start = async (model, hold) => {
    if (active) return;
    const mine = (run += 1);
    active = true;
    model.send({ kind: "start", page, run: mine, hold });
    redraw();
    if (model.get("source") === "clip") return;
    const hand = ({ samples, seq, captured, level: loud, last }) => {
      if (samples.length) model.send({ kind: "chunk", page, run: mine, seq, captured }, undefined, [samples.buffer]);
      if (last) model.send({ kind: "stopped", page, run: mine });
      if (mine !== run) return;
      level = loud;
      redraw();
    };
    try {
      const close = await openMicrophone(model.get("rate"), model.get("echo_cancellation"), hand, () => stop(model));
      if (mine !== run) {
        close();
        return;
      }
      end = close;
      model.send({ kind: "on", page, run: mine });
    } catch (error) {
      if (mine !== run) return;
      active = false;
      model.send({ kind: "refused", page, run: mine, words: refusal(error) });
      redraw();
    }
  };

  return {
    initialize({ model }) {
      const onMessage = (message) => {
        if (message.kind === "ping") model.send({ kind: "pong", page, id: message.id, clock: clock() });
        if (message.page !== page) return;
        if (message.kind === "start") start(model, false);
        if (message.kind === "stop" && active) stop(model);
        if (message.kind === "over") {
          active = false;
          redraw();
        }
      };
      model.on("msg:custom", onMessage);
      model.send({ kind: "ready", page });
      return () => {
        model.off("msg:custom", onMessage);
        if (end) end();
      };
    },

    render({ model, el }) {
      const toggle = make("button", { type: "button", class: "rtnb-toggle" });
      const hold = make("button", { type: "button", class: "rtnb-hold" }, "Hold to talk");
      const bar = make("div", { class: "rtnb-level-bar" });
      const meter = make(
        "div",
        { class: "rtnb-level", role: "meter", "aria-label": "Input level", "aria-valuemin": String(FLOOR), "aria-valuemax": "0" },
        bar,
      );
      const words = make("span", { class: "rtnb-words", role: "status" });
      const row = make("div", {
        class: "rtnb rtnb-microphone",
        role: "group",
        "aria-label": "Microphone",
        "data-lm-suppress-shortcuts": "true",
      });
      row.append(make("span", { class: "rtnb-name" }, "Microphone"), toggle, hold, meter, words);
      el.append(row);

      const draw = () => {
        toggle.textContent = active ? "Stop" : "Start";
        toggle.setAttribute("aria-label", active ? "Stop the microphone" : "Start the microphone");
        toggle.setAttribute("aria-pressed", String(active));
        const loud = Math.max(level, model.get("level"));
        const decibels = Math.max(FLOOR, Math.min(0, 20 * Math.log10(Math.max(loud, 1e-6))));
        bar.style.width = `${(1 - decibels / FLOOR) * 100}%`;
        meter.setAttribute("aria-valuenow", String(Math.round(decibels)));
        const gaps = model.get("gaps");
        const said = model.get("words") + (gaps ? ` · ${gaps} ${gaps === 1 ? "gap" : "gaps"}` : "");
        if (words.textContent !== said) words.textContent = said;
        row.classList.toggle("rtnb-refused", model.get("state") === "refused");
      };

      let held = false;
      const press = () => {
        if (held || active) return;
        held = true;
        hold.setAttribute("aria-pressed", "true");
        start(model, true);
      };
      const release = () => {
        if (!held) return;
        held = false;
        hold.setAttribute("aria-pressed", "false");
        if (active) stop(model);
      };
      const isKey = (event) => event.key === " " || event.key === "Enter";
      hold.setAttribute("aria-pressed", "false");
      hold.addEventListener("pointerdown", (event) => {
        hold.setPointerCapture(event.pointerId);
        press();
      });
      hold.addEventListener("pointerup", release);
      hold.addEventListener("pointercancel", release);
      hold.addEventListener("blur", release);
      hold.addEventListener("keydown", (event) => {
        if (!isKey(event)) return;
        event.preventDefault();
        press();
      });
      hold.addEventListener("keyup", (event) => {
        if (isKey(event)) release();
      });
      toggle.addEventListener("click", () => (active ? stop(model) : start(model, false)));
      const traits = ["words", "gaps", "level", "state"];
      for (const trait of traits) model.on(`change:${trait}`, draw);
      faces.add(draw);
      draw();
      return () => {
        faces.delete(draw);
        for (const trait of traits) model.off(`change:${trait}`, draw);
      };
    },
  };
};
