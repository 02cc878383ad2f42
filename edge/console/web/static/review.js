// Review by keyboard and by box: one key for each label, Z to undo, → to skip, a box by dragging.
// Labels are plain forms: this only presses their buttons.

const frame = document.querySelector("[data-frame]");
const rect = document.querySelector("[data-rect]");
const fields = document.querySelectorAll("[data-box-field]");
let from = null;
let sent = false;

function at(event) {
  const place = frame.getBoundingClientRect();
  const within = (value) => Math.min(1, Math.max(0, value));
  return [within((event.clientX - place.left) / place.width), within((event.clientY - place.top) / place.height)];
}

function draw(box) {
  const [x, y, width, height] = box ?? [0, 0, 0, 0];
  for (const [name, value] of Object.entries({ x, y, width, height })) rect.setAttribute(name, 1000 * value);
  const said = box && width > 0.004 && height > 0.004 ? box.map((value) => value.toFixed(4)).join(",") : "";
  for (const field of fields) field.value = said;
}

if (frame) {
  frame.addEventListener("pointerdown", (event) => {
    from = at(event);
    frame.setPointerCapture(event.pointerId);
    draw(null);
  });
  frame.addEventListener("pointermove", (event) => {
    if (!from) return;
    const to = at(event);
    draw([Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.abs(from[0] - to[0]), Math.abs(from[1] - to[1])]);
  });
  frame.addEventListener("pointerup", () => { from = null; });
  frame.addEventListener("pointercancel", () => { from = null; draw(null); });
  document.querySelector("[data-box-clear]").addEventListener("click", () => draw(null));
}

for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault(); // a second press while the first is on its way
    sent = true;
  });
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, textarea");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const key = event.key.toLowerCase();
  const choice = /^[1-9u]$/.test(key) ? document.querySelector(`[data-key="${key}"]`) : null;
  const chosen = choice ?? {
    z: document.querySelector("[data-undo] button:not(:disabled)"),
    arrowright: document.querySelector("[data-skip]"),
    b: document.querySelector("[data-box-clear]"),
  }[key];
  if (!chosen) return;
  event.preventDefault();
  chosen.click();
});
