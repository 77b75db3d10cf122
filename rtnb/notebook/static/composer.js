// A text box, and buttons. The kernel acknowledges each message by its number: a busy kernel takes it later.

const PATIENCE = 800;

/** @param {{model: any, el: HTMLElement}} place */
function render({ model, el }) {
  const me = `${Math.random()}`;
  let number = 0;
  let waiting = new Set();
  let timer = 0;
  const box = /** @type {HTMLTextAreaElement} */ (
    make("textarea", { rows: "2", class: "rtnb-draft", "aria-label": "message to the model" })
  );
  const button = (text, title) => /** @type {HTMLButtonElement} */ (make("button", { type: "button", title }, text));
  const send = button("Send", "send the text (Enter)");
  const answer = button("Answer", "ask for an answer to what was said");
  const stop = button("Stop", "stop the answer");
  stop.classList.add("rtnb-stop");
  send.classList.add("rtnb-send");
  const hint = make("div", { class: "rtnb-hint", role: "status" });
  const buttons = make("div", { class: "rtnb-buttons" }, send, answer, stop);
  el.append(make("div", { class: "rtnb rtnb-composer" }, box, buttons, hint));

  const submit = (message) => {
    number += 1;
    waiting.add(number);
    model.send({ ...message, number, by: me });
    clearTimeout(timer);
    timer = setTimeout(showHint, PATIENCE);
  };
  const showHint = () => {
    hint.textContent = waiting.size ? "The kernel is busy: this is taken when its cell ends or awaits." : "";
  };
  const sendDraft = () => {
    const text = box.value.trim();
    if (!text || send.disabled) return;
    box.value = "";
    submit({ send: text });
    box.focus();
  };
  const taken = (message) => {
    if (message.by !== me) return;
    waiting.delete(message.taken);
    showHint();
  };
  const show = () => {
    const open = model.get("is_open");
    send.disabled = !open;
    answer.disabled = !open;
    answer.hidden = !model.get("by_hand");
    // aria-disabled, not disabled: a disabled button loses the keyboard focus to the page.
    stop.setAttribute("aria-disabled", String(!(open && model.get("active"))));
    box.placeholder = open ? "Write to the model. Enter sends, Shift+Enter begins a new line." : "The session is closed.";
  };

  box.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      sendDraft();
    }
  });
  send.addEventListener("click", sendDraft);
  answer.addEventListener("click", () => submit({ respond: "" }));
  stop.addEventListener("click", () => {
    if (stop.getAttribute("aria-disabled") !== "true") submit({ stop: "" });
  });
  model.on("msg:custom", taken);
  model.on("change:active change:is_open change:by_hand", show);
  show();
  return () => {
    clearTimeout(timer);
    model.off("msg:custom", taken);
    model.off("change:active change:is_open change:by_hand", show);
  };
}

export default { render };
