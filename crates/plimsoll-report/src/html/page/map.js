// The map: one level at a time, with what lies below drawn small inside it.
const MOST_CELLS = 140;
const MOST_INSIDE = 1400;
const MOST_ROWS = 1000;

const state = { side: 0, view: "directory", group: -1, node: 0, colour: "owner", table: false };
let measured = null;
let items = [];

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const here = () => sides[state.side];
const hasGroups = () => state.view !== "directory" && state.group < 0;

// Counts again what the view shows; not needed for going up and down in it.
function recount() {
  const side = here();
  const of = VIEWS[state.view].of;
  if (!of) measured = measure(side, (i) => side.kind[i] !== DEAD);
  else if (state.group < 0) measured = measure(side, (i) => of(side, i) >= 0);
  else measured = measure(side, (i) => of(side, i) === state.group);
}

// What the level holds, largest first.
function level() {
  const side = here();
  const list = [];
  if (hasGroups()) {
    const groups = new Map();
    const of = VIEWS[state.view].of;
    for (let i = 0; i < side.count; i++) {
      if (!isLeaf(side, i)) continue;
      const g = of(side, i);
      if (g < 0) continue;
      let group = groups.get(g);
      if (!group) groups.set(g, (group = { group: g, node: -1, bytes: 0, files: 0, of: [] }));
      group.bytes += side.bytes[i];
      group.files += side.files[i];
      group.of.push(i);
    }
    for (const group of groups.values()) {
      const { name, label } = VIEWS[state.view];
      list.push({ ...group, name: name(side, group.group), label: label && label(side, group.group), opens: true });
    }
  } else {
    for (let i = state.node + 1; i < side.end[state.node]; i = side.end[i]) {
      if (measured.files[i] === 0) continue;
      list.push({
        node: i, group: -1, name: nameOf(side, i), bytes: measured.bytes[i],
        files: measured.files[i], opens: !isLeaf(side, i),
      });
    }
  }
  list.sort((a, b) => b.bytes - a.bytes);
  return list;
}

// Goes on down while there is nothing but one directory.
function deepest(node) {
  const side = here();
  for (;;) {
    const filled = [];
    for (let i = node + 1; i < side.end[node]; i = side.end[i]) {
      if (measured.files[i] > 0) filled.push(i);
    }
    if (filled.length !== 1 || isLeaf(side, filled[0])) return node;
    node = filled[0];
  }
}

function open(item) {
  if (!item.opens) return;
  if (item.group >= 0) {
    state.group = item.group;
    recount();
    state.node = deepest(0);
  } else state.node = deepest(item.node);
  draw();
}

// One level up, to where there is a choice; answers what to put the focus on.
function up() {
  const side = here();
  let node = state.node;
  if (node !== 0 && node !== deepest(0)) {
    const from = node;
    const top = deepest(0);
    do node = side.parent[node];
    while (node > top && deepest(node) === deepest(from));
    state.node = node;
    draw((item) => item.node >= 0 && item.node <= from && from < side.end[item.node]);
  } else if (state.view !== "directory" && state.group >= 0) {
    const group = state.group;
    state.group = -1;
    state.node = 0;
    recount();
    draw((item) => item.group === group);
  }
}

function go(changes) {
  Object.assign(state, { group: -1, node: 0 }, changes);
  recount();
  if (!hasGroups()) state.node = deepest(0);
  draw();
}

// Draws the level; the cell that `wanted` chooses, else the first, can be reached by tab.
function draw(wanted = null) {
  const cells = document.getElementById("cells");
  const width = cells.clientWidth;
  const height = Math.round(width < 560 ? Math.max(420, width * 1.15) : Math.min(640, Math.max(380, width * 0.55)));
  cells.style.height = `${height}px`;
  items = level();
  const total = items.reduce((sum, item) => sum + item.bytes, 0);
  let shown = items.filter((item, i) => i < MOST_CELLS && item.bytes / (total || 1) > 0.0004);
  if (items.length - shown.length === 1) shown = items;
  const rest = items.slice(shown.length);
  const cellsOf = [...shown];
  if (rest.length) {
    const sum = (of) => rest.reduce((all, item) => all + of(item), 0);
    cellsOf.push({
      name: `${count(rest.length, "smaller one", "smaller ones")}`, rest: true, node: -1, group: -1,
      bytes: sum((item) => item.bytes), files: sum((item) => item.files), opens: true,
    });
  }
  // What weighs next to nothing still gets a sliver that can be seen.
  const areas = cellsOf.map((item) => Math.max(item.bytes, total * 0.0002, 1));
  const boxes = squarify(areas, 0, 0, width, height);
  let inside = MOST_INSIDE;
  const buttons = cellsOf.map((item, i) => {
    const [button, used] = cell(item, boxes[i], total, inside);
    inside -= used;
    return button;
  });
  const focused = document.activeElement && cells.contains(document.activeElement);
  cells.replaceChildren(...buttons);
  cells.setAttribute("aria-label", `Map of ${title()}: ${count(items.length, "item", "items")}, ${size(total)}`);
  if (!buttons.length) cells.append(make("p", { class: "empty", text: "There is nothing here." }));
  const index = Math.max(0, wanted ? cellsOf.findIndex(wanted) : 0);
  if (buttons[index]) {
    buttons[index].tabIndex = 0;
    if (focused || wanted) buttons[index].focus({ preventScroll: true });
  }
  crumbs();
  legend();
  controls();
  summary(total);
  table(total);
}

function title() {
  const group = state.group >= 0 ? VIEWS[state.view].name(here(), state.group) : "";
  if (hasGroups()) return `all, by ${state.view}`;
  const path = pathOf(here(), state.node);
  return group ? `${path} of ${group}` : path;
}

// A button of the map, and how many pieces are drawn in it.
function cell(item, box, total, budget) {
  const side = here();
  const gap = box.w > 6 && box.h > 6 ? 1 : 0;
  const w = Math.max(1, box.w - gap);
  const h = Math.max(1, box.h - gap);
  const button = make("button", { type: "button", class: "cell", tabindex: "-1" });
  place(button, box.x, box.y, w, h);
  const of = COLOURS[state.colour].of;
  let category = null;
  if (item.node >= 0) category = tally(side, item.node, measured, of)[0];
  else if (item.of) category = mostOf(side, item.of, of);
  if (category) paint(button, side, category[0], item.node >= 0 && isDead(side, item.node));
  else button.classList.add("rest");
  const opens = item.rest ? "; Enter shows the table" : item.opens ? "; Enter opens it" : "";
  button.setAttribute("aria-label",
    `${item.name}, ${size(item.bytes)}, ${percent(item.bytes, total)}, ${count(item.files, "file", "files")}${opens}`);
  let used = 0;
  if (item.opens && item.node >= 0 && w > 64 && h > 52) {
    used = insides(button, item.node, 3, 22, w - 6, h - 25, budget, 3);
  }
  if (w > 46 && h > 19) {
    const label = make("span", { class: "label", "aria-hidden": "true" });
    label.append(make("b", { text: (item.label || item.name) + (item.opens && item.node >= 0 ? "/" : "") }));
    if (w > 118 || (h > 38 && w > 62 && !used)) label.append(make("i", { text: size(item.bytes) }));
    if (!used && h > 38) label.classList.add("two-lines");
    button.append(label);
  }
  button.addEventListener("click", () => (item.rest ? showTable() : open(item)));
  button.addEventListener("focus", () => tell(item, total));
  button.addEventListener("mouseenter", () => tell(item, total));
  return [button, used];
}

function mostOf(side, leaves, of) {
  const sums = new Map();
  for (const i of leaves) sums.set(of(side, i), (sums.get(of(side, i)) || 0) + side.bytes[i]);
  return [...sums].sort((a, b) => b[1] - a[1])[0];
}

function place(element, x, y, w, h) {
  element.style.left = `${x}px`;
  element.style.top = `${y}px`;
  element.style.width = `${w}px`;
  element.style.height = `${h}px`;
}

// Draws what is in a directory into its cell: to look at, not to touch.
function insides(button, node, x, y, w, h, budget, depth) {
  const side = here();
  const kids = [];
  for (let i = node + 1; i < side.end[node]; i = side.end[i]) {
    if (measured.bytes[i] > 0) kids.push(i);
  }
  kids.sort((a, b) => measured.bytes[b] - measured.bytes[a]);
  const total = kids.reduce((sum, i) => sum + measured.bytes[i], 0);
  const boxes = squarify(kids.map((i) => measured.bytes[i]), x, y, w, h);
  let used = 0;
  const deeper = [];
  for (let k = 0; k < kids.length && used < budget && used < 160; k++) {
    const box = boxes[k];
    if (box.w * box.h < 26 || measured.bytes[kids[k]] / total < 0.001) break;
    const piece = make("span", { class: "piece", "aria-hidden": "true" });
    place(piece, box.x, box.y, Math.max(1, box.w - 1), Math.max(1, box.h - 1));
    const category = tally(side, kids[k], measured, COLOURS[state.colour].of)[0];
    if (category) paint(piece, side, category[0], isDead(side, kids[k]));
    piece.classList.add(`deep-${depth}`);
    if (box.w > 54 && box.h > 17) piece.textContent = nameOf(side, kids[k]);
    button.append(piece);
    used++;
    if (depth > 1 && !isLeaf(side, kids[k]) && box.w > 70 && box.h > 56) deeper.push([kids[k], box]);
  }
  for (const [kid, box] of deeper) {
    used += insides(button, kid, box.x + 2, box.y + 19, box.w - 5, box.h - 22, budget - used, depth - 1);
  }
  return used;
}
