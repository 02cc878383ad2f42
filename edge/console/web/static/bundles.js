// Keeps the page of bundles true: asks for it again, and takes its middle over. Nothing is replaced
// while somebody has a button in focus.

const PERIOD_MS = 2000;

async function refresh() {
  const place = document.querySelector("[data-refresh]");
  if (document.hidden || place.contains(document.activeElement)) return;
  const answer = await fetch(location.pathname, { headers: { accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const middle = fresh.querySelector("[data-refresh]");
  if (middle) place.replaceChildren(...middle.childNodes);
}

setInterval(() => refresh().catch(() => {}), PERIOD_MS);
