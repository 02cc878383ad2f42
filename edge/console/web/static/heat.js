// The heatmap over a picture, on and off: the button, or the key H.

const button = document.querySelector("[data-heat-toggle]");
const image = document.querySelector("img[data-heat]");

function toggle() {
  const on = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(on));
  image.src = on ? image.dataset.heat : image.dataset.plain;
}

if (button && image) {
  button.addEventListener("click", toggle);
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea");
    if (!typing && !event.ctrlKey && !event.metaKey && !event.altKey && event.key.toLowerCase() === "h") toggle();
  });
}
