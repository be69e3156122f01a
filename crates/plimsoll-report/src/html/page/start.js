// Builds what the script adds to the page, and draws.
function choice(label, name, options) {
  const buttons = options.map(([value, text]) => make("button", {
    type: "button", text, "data-value": value,
    onclick: () => (name === "colour" ? (state.colour = value, draw()) : go(name === "side" ? { side: Number(value) } : { view: value })),
  }));
  return make("div", { class: "choice", role: "group", "aria-label": label, "data-name": name }, make("span", { "aria-hidden": "true", text: label }), ...buttons);
}

function controls() {
  for (const group of document.querySelectorAll(".choice")) {
    for (const button of group.querySelectorAll("button")) {
      const on = String(state[group.dataset.name]) === button.dataset.value;
      button.setAttribute("aria-pressed", String(on));
    }
    const needs = { reason: "why", kept: "why" };
    for (const button of group.querySelectorAll("button")) {
      const need = needs[button.dataset.value];
      button.hidden = Boolean(need) && !here()[need];
    }
  }
}

// Paths that hold these words, largest first; choosing one shows where it lies.
function search(event) {
  const side = here();
  const words = event.target.value.trim().toLowerCase();
  const list = document.getElementById("found");
  if (words.length < 2) return list.replaceChildren();
  if (!side.paths) {
    side.paths = new Array(side.count);
    side.paths[0] = "";
    for (let i = 1; i < side.count; i++) side.paths[i] = `${side.paths[side.parent[i]]}/${nameOf(side, i)}`;
  }
  const hits = [];
  for (let i = 1; i < side.count; i++) {
    if (isLeaf(side, i) && side.paths[i].toLowerCase().includes(words)) hits.push(i);
  }
  hits.sort((a, b) => side.bytes[b] - side.bytes[a]);
  const rows = hits.slice(0, 30).map((i) => make("li", {}, make("button", { type: "button", text: side.paths[i], onclick: () => show(i) }),
    make("small", { text: ` ${size(side.bytes[i])}${side.kind[i] === DEAD ? ", dead" : ""}` })));
  const bytes = hits.reduce((sum, i) => sum + side.bytes[i], 0);
  list.replaceChildren(make("li", { class: "sum", text: `${count(hits.length, "file", "files")}, ${size(bytes)}` }), ...rows);
}

function show(i) {
  const side = here();
  if (side.kind[i] === DEAD) Object.assign(state, { view: "layer", group: side.layer[i] });
  else Object.assign(state, { view: "directory", group: -1 });
  recount();
  state.node = side.parent[i];
  draw((item) => item.node === i || item.rest);
}

function start() {
  const app = document.getElementById("map-app");
  if (!app || !sides.length) return;
  if (sides.some((side) => side.why)) state.colour = "kept";
  const views = Object.entries(VIEWS).filter(([name]) => name !== "reason" || sides.some((side) => side.why));
  const colours = Object.entries(COLOURS).filter(([name]) => name !== "kept" || sides.some((side) => side.why));
  const row = make("div", { class: "controls" }, choice("By", "view", views.map(([name, view]) => [name, view.title])),
    choice("Colour", "colour", colours.map(([name, colour]) => [name, colour.title])));
  if (sides.length > 1) row.prepend(choice("Image", "side", sides.map((side, i) => [String(i), side.name])));
  row.append(make("label", { class: "find" }, make("span", { text: "Find" }), make("input", { type: "search", placeholder: "part of a path", oninput: search })));
  const details = make("details", { id: "table", ontoggle: () => draw() }, make("summary", { text: "The same as a table" }), make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "level as a table" }));
  app.append(row, make("ul", { id: "found", "aria-live": "polite" }), make("nav", { "aria-label": "Where the map is" }, make("ol", { id: "crumbs" })),
    make("div", { id: "cells", role: "group", "aria-describedby": "keys", onkeydown: keyed }),
    make("p", { id: "info", "aria-live": "polite" }), make("ul", { id: "legend", "aria-label": "Colours" }),
    make("p", { id: "keys", class: "keys", text: "Tab to the map, arrows to move, Enter to open, Escape or Backspace to go up." }), details);
  if (!here().why && state.colour === "kept") state.colour = "owner";
  go({});
  let width = document.getElementById("cells").clientWidth;
  new ResizeObserver(() => {
    const now = document.getElementById("cells").clientWidth;
    if (now !== width) {
      width = now;
      draw();
    }
  }).observe(document.getElementById("cells"));
}
start();
