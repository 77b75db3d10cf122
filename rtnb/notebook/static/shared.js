// What several widgets share: making elements, and drawing waveforms. Joined before the module of each of them.

/**
 * Make an element. Names of its properties (`textContent`, `hidden` …) are set as properties, others as attributes; text goes
 * in as text, never as markup.
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...(Node | string)} children
 * @returns {any}
 */
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/**
 * @param {HTMLElement} el
 * @param {string} name of a CSS custom property of the view
 * @param {string} fallback
 */
function colour(el, name, fallback) {
  return getComputedStyle(el).getPropertyValue(name).trim() || fallback;
}

/**
 * Draw (low, high) pairs of int8 into a canvas, in its own size in pixels of the screen.
 * @param {HTMLCanvasElement} canvas
 * @param {Int8Array} pairs
 * @param {{filled?: number, heard?: number}} [how] `filled`: the share of the width that the sound takes;
 *   `heard`: the share of the sound after which it is drawn grey
 */
function drawWave(canvas, pairs, { filled = 1, heard = 1 } = {}) {
  const scale = window.devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * scale);
  const height = Math.round(canvas.clientHeight * scale);
  if (!width || !height) return;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, width, height);
  const middle = height / 2;
  context.fillStyle = colour(canvas, "--rtnb-line", "rgba(128,128,128,.35)");
  context.fillRect(0, Math.round(middle - scale / 2), width, Math.max(1, Math.round(scale)));
  const count = pairs.length >> 1;
  if (!count) return;
  const step = (width * filled) / count;
  const loud = colour(canvas, "--rtnb-wave", "#8a63d2");
  const quiet = colour(canvas, "--rtnb-unheard", "rgba(128,128,128,.55)");
  for (let index = 0; index < count; index += 1) {
    context.fillStyle = (index + 0.5) / count <= heard ? loud : quiet;
    const high = middle - (pairs[2 * index + 1] / 127) * middle;
    const low = middle - (pairs[2 * index] / 127) * middle;
    const gap = step > 3 * scale ? scale : 0;
    context.fillRect(index * step, Math.min(high, middle - scale / 2), Math.max(step - gap, scale), Math.max(low - high, scale));
  }
}
