// What is said of a cell, and how one gets about without a mouse.
function tell(item, total) {
  const side = here();
  const info = document.getElementById("info");
  const path = item.node >= 0 ? pathOf(side, item.node) : item.name;
  const lines = [];
  lines.push(`${size(item.bytes)}, ${percent(item.bytes, total)} of what is shown, ${count(item.files, "file", "files")}`);
  if (item.node >= 0 && isLeaf(side, item.node) && !item.rest) {
    const owner = side.owners[side.owner[item.node]];
    if (owner) lines.push(side.kind[item.node] === DEAD ? `dead: ${owner[1]}` : `owner: ${owner.slice(1).filter(Boolean).join(" ")} (${kinds[owner[0]]})`);
    const layer = side.layers[side.layer[item.node]];
    lines.push(`layer ${side.layer[item.node]}${layer && layer[0] ? `: ${layer[0]}` : ""}`);
    if (side.why && side.kind[item.node] !== DEAD) {
      const why = side.whys[side.why[item.node]];
      lines.push(isAshore(side, item.node) ? "left ashore: nothing asked for it" : `kept: ${why[1] || why[0]}`);
    }
  } else if (item.node >= 0) {
    const sums = tally(side, item.node, measured, (s, i) => s.kind[i]).slice(0, 3);
    lines.push(`owners: ${sums.map(([kind, bytes]) => `${kinds[kind]} ${percent(bytes, item.bytes)}`).join(", ")}`);
  }
  info.replaceChildren(make("strong", { class: "path", text: path }), ...lines.map((text) => make("span", { text })));
}

function summary(total) {
  const info = document.getElementById("info");
  if (document.getElementById("cells").contains(document.activeElement)) return;
  info.replaceChildren(make("strong", { class: "path", text: title() }),
    make("span", { text: `${size(total)} in ${count(items.reduce((n, item) => n + item.files, 0), "file", "files")}` }));
}

function keyed(event) {
  const cells = [...document.querySelectorAll("#cells .cell")];
  const at = cells.indexOf(document.activeElement);
  if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
  let to = null;
  if (event.key === "Escape" || event.key === "Backspace") {
    event.preventDefault();
    up();
    return;
  } else if (event.key === "Home") to = 0;
  else if (event.key === "End") to = cells.length - 1;
  else if (event.key.startsWith("Arrow")) to = neighbour(cells, at, event.key);
  else return;
  event.preventDefault();
  if (to === null || to < 0) return;
  cells[at].tabIndex = -1;
  cells[to].tabIndex = 0;
  cells[to].focus({ preventScroll: false });
}

// The nearest cell in a direction: beside it rather than far along.
function neighbour(cells, at, key) {
  const box = (cell) => ({ l: cell.offsetLeft, t: cell.offsetTop, r: cell.offsetLeft + cell.offsetWidth, b: cell.offsetTop + cell.offsetHeight });
  const from = box(cells[at]);
  let best = null;
  let least = Infinity;
  cells.forEach((cell, i) => {
    if (i === at) return;
    const to = box(cell);
    const ahead = { ArrowRight: to.l - from.r, ArrowLeft: from.l - to.r, ArrowDown: to.t - from.b, ArrowUp: from.t - to.b }[key];
    if (ahead < -3) return;
    const flat = key === "ArrowRight" || key === "ArrowLeft";
    const beside = flat ? Math.max(0, from.t - to.b, to.t - from.b) : Math.max(0, from.l - to.r, to.l - from.r);
    const skew = flat ? Math.abs(from.t - to.t) : Math.abs(from.l - to.l);
    const far = ahead + beside * 4 + skew * 0.2;
    if (far < least) {
      least = far;
      best = i;
    }
  });
  return best;
}

function crumbs() {
  const side = here();
  const list = [];
  if (state.view !== "directory") {
    list.push([`by ${state.view}`, () => go({})]);
    if (state.group >= 0) list.push([(VIEWS[state.view].crumb || VIEWS[state.view].name)(side, state.group), () => { state.node = deepest(0); draw(); }]);
  }
  if (!hasGroups()) {
    const nodes = [];
    for (let at = state.node; at >= 0; at = side.parent[at]) nodes.push(at);
    for (const node of nodes.reverse()) {
      list.push([node === 0 ? "/" : nameOf(side, node), () => { state.node = deepest(node); draw(); }]);
    }
  }
  const entries = list.map(([text, act], i) => i === list.length - 1
    ? make("li", { "aria-current": "location", text })
    : make("li", {}, make("button", { type: "button", text, onclick: act })));
  document.getElementById("crumbs").replaceChildren(...entries);
}

function legend() {
  const side = here();
  const colour = COLOURS[state.colour];
  const seen = new Map();
  for (let i = 0; i < side.count; i++) {
    if (isLeaf(side, i) && measured.files[i] > 0) {
      const what = colour.of(side, i);
      seen.set(what, (seen.get(what) || 0) + measured.bytes[i]);
    }
  }
  const entries = [...seen].sort((a, b) => a[0] - b[0]).slice(0, 24).map(([what, bytes]) => {
    const swatch = make("span", { class: "swatch" });
    paint(swatch, side, what, state.colour !== "layer" && colour.name(side, what) === kinds[DEAD]);
    return make("li", {}, swatch, `${colour.name(side, what)} `, make("small", { text: size(bytes) }));
  });
  document.getElementById("legend").replaceChildren(...entries);
}

function showTable() {
  const details = document.getElementById("table");
  details.open = true;
  details.querySelector("summary").focus();
}

// The same level as a table: every row that opens is a button.
function table(total) {
  const details = document.getElementById("table");
  if (!details.open) return;
  const rows = items.slice(0, MOST_ROWS).map((item) => {
    const name = item.opens ? make("button", { type: "button", text: item.name, onclick: () => { open(item); details.querySelector("summary").focus(); } }) : make("span", { text: item.name });
    return make("tr", {}, make("th", { scope: "row" }, name), make("td", { class: "n", text: size(item.bytes) }),
      make("td", { class: "n", text: percent(item.bytes, total) }), make("td", { class: "n", text: item.files.toLocaleString("en") }));
  });
  const head = make("tr", {}, make("th", { text: "name" }), ...["bytes", "share", "files"].map((text) => make("th", { class: "n", text })));
  const body = make("table", {}, make("caption", { text: title() }), make("thead", {}, head), make("tbody", {}, ...rows));
  const more = items.length > MOST_ROWS ? [make("p", { text: `and ${count(items.length - MOST_ROWS, "more", "more")}` })] : [];
  details.querySelector("div").replaceChildren(body, ...more);
}
