// Keeps the live view true: takes each snapshot that comes and writes it into the page.
// Knows no language: the snapshot's words are the page's own.

const lost = document.querySelector("[data-lost]");
const trouble = document.querySelector("[data-trouble]");
const SILENT_MS = 7000; // a snapshot comes every other second
let heard = Date.now();
let ahead = 0; // of the box's clock, milliseconds

function text(element, value) {
  if (element && element.textContent !== value) element.textContent = value;
}

function attribute(element, name, value) {
  if (element && element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

function age(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 100) return `${s} s`;
  if (s < 6000) return `${Math.round(s / 60)} min`;
  return `${Math.round(s / 3600)} h`;
}

function ages() {
  for (const element of document.querySelectorAll("[data-age]")) {
    const at = Number(element.dataset.age);
    text(element, at ? age(Date.now() - ahead - at) : "–");
  }
}

function bar(panel, told) {
  const place = panel.querySelector(".bar");
  place.hidden = !told;
  if (!told) return;
  const zones = { pass: [0, told.low], review: [told.low, told.high - told.low], fail: [told.high, 1000 - told.high] };
  for (const [name, [x, width]] of Object.entries(zones)) {
    const zone = place.querySelector(`[data-zone="${name}"]`);
    attribute(zone, "x", x);
    attribute(zone, "width", width);
  }
  for (const name of ["low", "high"]) {
    attribute(place.querySelector(`[data-tick="${name}"]`), "transform", `translate(${told[name]})`);
    text(place.querySelector(`[data-f="${name}"]`), told[`${name}_text`]);
  }
  attribute(place.querySelector("[data-pointer]"), "transform", `translate(${told.at ?? -100})`);
}

function picture(panel, told) {
  const figure = panel.querySelector("[data-picture]");
  const image = figure.querySelector("[data-img]");
  image.hidden = !told;
  figure.querySelector("[data-nothing]").hidden = Boolean(told);
  figure.querySelector("[data-caption]").hidden = !told;
  if (!told) return;
  attribute(figure.querySelector("[data-same]"), "data-same", told.same ? "yes" : "no");
  if (figure.dataset.picture === told.id) return;
  figure.dataset.picture = told.id;
  image.src = `/picture/${encodeURIComponent(told.id)}?width=960&heat=1`;
  figure.querySelector("[data-picture-link]").href = told.href;
  text(figure.querySelector("[data-picture-part]"), told.part);
  text(figure.querySelector("[data-picture-word]"), told.word);
  text(figure.querySelector("[data-picture-time]"), told.time);
}

function strip(panel, rows) {
  const place = panel.querySelector("[data-strip]");
  const said = rows.map((row) => row.id).join(" ");
  if (place.dataset.said === said) return;
  place.dataset.said = said;
  place.replaceChildren(...rows.map((row) => {
    const item = document.getElementById("thumb").content.cloneNode(true).firstElementChild;
    const link = item.firstElementChild;
    link.href = row.href;
    link.classList.add(`thumb-${row.outcome}`);
    const image = link.querySelector("img");
    image.src = `/picture/${encodeURIComponent(row.id)}?width=320&heat=1`;
    image.alt = row.part;
    text(link.querySelector("span"), `${row.word} ${row.time}`);
    return item;
  }));
}

function camera(told) {
  const panel = document.querySelector(`[data-camera="${CSS.escape(told.name)}"]`);
  if (!panel) return;
  panel.dataset.outcome = told.outcome;
  panel.querySelector(".band .marks").dataset.outcome = told.outcome;
  for (const field of ["word", "part", "reason", "score"]) {
    text(panel.querySelector(`[data-f="${field}"]`), told[field] || "–");
  }
  text(panel.querySelector('[data-f="novelty"]'), told.novelty || "–");
  text(panel.querySelector('[data-f="time"]'), told.time || "–");
  const link = panel.querySelector('[data-f="part"]');
  if (told.href) link.href = told.href;
  panel.querySelector("[data-age]").dataset.age = told.at_ms ?? "";
  const conditions = panel.querySelector('[data-f="conditions"]');
  conditions.hidden = told.conditions.length === 0;
  text(conditions, told.conditions.join(", "));
  bar(panel, told.bar);
  picture(panel, told.picture);
  strip(panel, told.strip);
}

function tile(told) {
  const item = document.getElementById("tile").content.cloneNode(true).firstElementChild;
  item.dataset.key = told.key;
  const link = item.firstElementChild;
  link.href = told.href;
  link.classList.add(`tile-${told.outcome}`);
  link.querySelector(".marks").dataset.outcome = told.outcome;
  text(link.querySelector(".t-word"), told.word);
  text(link.querySelector(".t-part"), told.part);
  text(link.querySelector(".t-time"), told.time);
  return item;
}

function ticker(rows) {
  const list = document.querySelector("[data-ticker]");
  const first = list.firstElementChild?.dataset.key;
  const fresh = rows.findIndex((row) => row.key === first);
  const news = fresh < 0 ? rows : rows.slice(0, fresh);
  if (fresh < 0) list.replaceChildren();
  list.prepend(...news.map(tile));
  while (list.children.length > rows.length) list.lastElementChild.remove();
}

function list(name, rows, fill) {
  const place = document.querySelector(`[data-${name}]`);
  const said = JSON.stringify(rows);
  document.querySelector(`[data-no${name}]`).hidden = rows.length > 0;
  if (place.dataset.said === said) return;
  place.dataset.said = said;
  place.replaceChildren(...rows.map((row) => {
    const item = document.getElementById(name.replace(/s$/, "")).content.cloneNode(true).firstElementChild;
    fill(item, row);
    return item;
  }));
}

function show(shot) {
  ahead = Date.now() - shot.now_ms;
  text(document.querySelector("[data-clock]"), shot.clock);
  trouble.hidden = !shot.trouble;
  text(trouble, shot.trouble);
  shot.cameras.forEach(camera);
  ticker(shot.ticker);
  for (const element of document.querySelectorAll("[data-t]")) text(element, shot.today[element.dataset.t]);
  for (const element of document.querySelectorAll("[data-e]")) text(element, shot.escapes[element.dataset.e]);
  list("kinds", shot.today.kinds, (item, row) => {
    text(item.querySelector(".name"), row.name);
    text(item.querySelector("b"), row.n);
    text(item.querySelector("small"), row.share);
    attribute(item.querySelector("rect"), "width", row.width);
  });
  list("alarms", shot.alarms, (item, row) => {
    item.classList.add(`alarm-${row.severity}`);
    text(item.querySelector("b"), row.name);
    text(item.querySelector("span"), row.source);
  });
  const box = document.querySelector("[data-box]");
  box.dataset.box = shot.box.state;
  text(box.querySelector("[data-box-word]"), shot.box.word);
  const badge = document.querySelector("[data-waiting]");
  if (badge) {
    badge.hidden = shot.waiting === 0;
    text(badge, String(shot.waiting));
  }
  ages();
}

const stream = new EventSource("/live/events");
stream.onmessage = (event) => {
  heard = Date.now();
  show(JSON.parse(event.data));
};
setInterval(() => {
  const silent = Date.now() - heard > SILENT_MS;
  lost.hidden = !silent;
  document.querySelector("[data-live]").classList.toggle("stale", silent);
  if (stream.readyState === EventSource.CLOSED) location.reload(); // logged out: to the door
  ages();
}, 1000);
