// A response on its way: its words, its waveform as far as it has come, and figures.

/** @param {{model: any, el: HTMLElement}} place */
function render({ model, el }) {
  const words = make("div", { class: "rtnb-words", "aria-live": "polite" });
  const wave = /** @type {HTMLCanvasElement} */ (make("canvas", { class: "rtnb-wave", role: "img" }));
  const figures = make("div", { class: "rtnb-figures" });
  const frame = make("div", { class: "rtnb rtnb-response", role: "group", "aria-label": "response in progress" }, words, wave, figures);
  el.append(frame);

  const draw = () => {
    const seconds = model.get("seconds");
    // The axis doubles when the sound reaches its end, so that what is drawn does not creep.
    let span = 4;
    while (span < seconds) span *= 2;
    const bytes = model.get("wave");
    const pairs = bytes ? new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : new Int8Array();
    wave.setAttribute("aria-label", `waveform, ${seconds.toFixed(1)} seconds so far`);
    drawWave(wave, pairs, { filled: seconds / span });
  };
  const write = () => {
    words.textContent = model.get("words");
    figures.textContent = model.get("figures");
  };
  model.on("change:words change:figures", write);
  model.on("change:wave", draw);
  const sizes = new ResizeObserver(draw);
  sizes.observe(wave);
  write();
  return () => {
    sizes.disconnect();
    model.off("change:words change:figures", write);
    model.off("change:wave", draw);
  };
}

export default { render };
