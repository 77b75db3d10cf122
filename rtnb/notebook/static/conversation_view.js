// The turns of a conversation. The list lives in the model: `initialize` keeps it up to date, each view draws it.

const TITLES = { user: "You", assistant: "Assistant", tool: "Function", system: "System", error: "Error", note: "Session" };

/**
 * @typedef {{id: string, role: string, text: string, unheard: string, seconds: number, heard: number, wave: string,
 *   note: string, live: boolean, images: {url: string, words: string}[]}} Turn
 */

/** @param {{model: any}} place */
function initialize({ model }) {
  model.on("msg:custom", (message) => {
    if (!message.order) return;
    const known = new Map(model.get("turns").map((turn) => [turn.id, turn]));
    for (const turn of message.changed) known.set(turn.id, turn);
    model.set("turns", message.order.map((id) => known.get(id)).filter(Boolean));
  });
}

/** @param {string} text base64 of (low, high) pairs of int8 */
const pairsOf = (text) => Int8Array.from(atob(text), (character) => (character.charCodeAt(0) << 24) >> 24);

/** One turn on the page. */
class TurnRow {
  /** @param {(id: string) => void} play */
  constructor(play) {
    this.title = make("span", { class: "rtnb-who" });
    this.said = make("span", { class: "rtnb-heard" });
    this.unheard = make("span", { class: "rtnb-unheard", title: "not heard: the answer was cut off" });
    this.button = /** @type {HTMLButtonElement} */ (make("button", { type: "button", class: "rtnb-play" }, "▶"));
    this.button.addEventListener("click", () => play(this.turn.id));
    this.wave = /** @type {HTMLCanvasElement} */ (make("canvas", { class: "rtnb-wave", role: "img" }));
    this.length = make("span", { class: "rtnb-length" });
    this.sound = make("div", { class: "rtnb-sound" }, this.button, this.wave, this.length);
    this.images = make("div", { class: "rtnb-images" });
    this.note = make("div", { class: "rtnb-note" });
    const words = make("div", { class: "rtnb-words" }, this.said, this.unheard);
    this.node = make("li", { class: "rtnb-turn" }, this.title, make("div", { class: "rtnb-body" }, words, this.images, this.sound, this.note));
  }

  /** @param {Turn} turn */
  show(turn) {
    if (turn === this.turn) return;
    this.turn = turn;
    this.node.dataset.role = turn.role;
    this.node.dataset.id = turn.id;
    this.node.classList.toggle("rtnb-live", turn.live);
    this.title.textContent = TITLES[turn.role] ?? turn.role;
    this.said.textContent = turn.text;
    this.unheard.textContent = turn.unheard;
    this.note.textContent = turn.note;
    this.showImages(turn.images ?? []);
    this.sound.hidden = !turn.seconds;
    if (turn.seconds) this.showSound(turn);
  }

  /** @param {{url: string, words: string}[]} images */
  showImages(images) {
    this.images.hidden = !images.length;
    this.images.replaceChildren(
      ...images.map(({ url, words }) =>
        url.startsWith("data:image/")
          ? make("figure", {}, make("img", { src: url, alt: words }), make("figcaption", {}, words))
          : make("figure", {}, make("figcaption", {}, `${words} (too large to show here)`)),
      ),
    );
  }

  /** @param {Turn} turn */
  showSound(turn) {
    const heard = turn.heard < 1 ? `, ${(turn.heard * turn.seconds).toFixed(1)} s heard` : "";
    this.length.textContent = `${turn.seconds.toFixed(1)} s${heard}`;
    this.wave.setAttribute("aria-label", `waveform of ${this.length.textContent}`);
    this.button.setAttribute("aria-label", `play what ${TITLES[turn.role] ?? turn.role} said, ${this.length.textContent}`);
    this.draw();
  }

  draw() {
    if (this.turn?.seconds) drawWave(this.wave, pairsOf(this.turn.wave), { heard: this.turn.heard });
  }

  /** @param {"" | "waiting" | "playing"} state */
  sounding(state) {
    this.button.textContent = { "": "▶", waiting: "…", playing: "■" }[state];
    this.button.title = { "": "play", waiting: "waiting for the kernel", playing: "stop" }[state];
  }
}

/** Plays one turn at a time; the sound is asked for when it is wanted. */
class TurnPlayer {
  constructor(model, rows) {
    this.model = model;
    this.rows = rows;
    this.me = `${Math.random()}`;
    this.audio = null;
    this.current = "";
    this.heard = (message, buffers) => this.receive(message, buffers);
    model.on("msg:custom", this.heard);
  }

  /** @param {string} id */
  toggle(id) {
    const again = this.current === id;
    this.stop();
    if (again) return;
    this.current = id;
    this.rows.get(id)?.sounding("waiting");
    this.model.send({ play: id, to: this.me });
  }

  receive(message, buffers) {
    if (message.to !== this.me || message.wav !== this.current) return;
    const wav = buffers[0];
    if (!wav?.byteLength) {
      this.stop();
      return;
    }
    this.audio = new Audio(URL.createObjectURL(new Blob([wav], { type: "audio/wav" })));
    this.audio.addEventListener("ended", () => this.stop());
    this.audio.play().catch(() => this.stop());
    this.rows.get(this.current)?.sounding("playing");
  }

  stop() {
    if (this.audio) {
      this.audio.pause();
      URL.revokeObjectURL(this.audio.src);
      this.audio = null;
    }
    this.rows.get(this.current)?.sounding("");
    this.current = "";
  }

  close() {
    this.stop();
    this.model.off("msg:custom", this.heard);
  }
}

/** @param {{model: any, el: HTMLElement}} place */
function render({ model, el }) {
  /** @type {Map<string, TurnRow>} */
  const rows = new Map();
  const player = new TurnPlayer(model, rows);
  const empty = make("p", { class: "rtnb-empty" }, "Nothing has been said yet.");
  const list = make("ol", { class: "rtnb-turns" });
  const frame = make("div", { class: "rtnb rtnb-conversation", role: "log", "aria-label": "conversation", tabindex: "0" }, empty, list);
  el.append(frame);

  const draw = () => {
    const atEnd = frame.scrollHeight - frame.scrollTop - frame.clientHeight < 40;
    /** @type {Turn[]} */
    const turns = model.get("turns");
    const wanted = new Set(turns.map((turn) => turn.id));
    for (const [id, row] of rows) {
      if (!wanted.has(id)) {
        row.node.remove();
        rows.delete(id);
      }
    }
    let before = null;
    for (const turn of turns) {
      let row = rows.get(turn.id);
      if (!row) {
        row = new TurnRow((id) => player.toggle(id));
        rows.set(turn.id, row);
      }
      const place = before ? before.nextSibling : list.firstChild;
      if (place !== row.node) list.insertBefore(row.node, place);
      row.show(turn);
      before = row.node;
    }
    empty.hidden = turns.length > 0;
    if (atEnd) frame.scrollTop = frame.scrollHeight;
  };

  model.on("change:turns", draw);
  const sizes = new ResizeObserver(() => rows.forEach((row) => row.draw()));
  sizes.observe(frame);
  draw();
  return () => {
    sizes.disconnect();
    player.close();
    model.off("change:turns", draw);
  };
}

export default { initialize, render };
