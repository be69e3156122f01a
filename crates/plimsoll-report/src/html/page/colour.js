// What colours mean: whose a byte is, which layer brought it, whether slim keeps it.
const isAshore = (side, i) => side.whys[side.why[i]][0] === "left ashore";
const COLOURS = {
  owner: {
    title: "Owner",
    of: (side, i) => side.kind[i],
    fill: (c) => `var(--k${c})`,
    name: (side, c) => kinds[c],
  },
  layer: {
    title: "Layer",
    of: (side, i) => side.layer[i],
    // The golden angle: neighbours differ, however many there are.
    fill: (c) => `color-mix(in oklab, hsl(${(205 + c * 137.508) % 360} 75% 50%) 42%, var(--paper))`,
    name: (side, c) => `layer ${c}`,
  },
  kept: {
    title: "Kept by slim",
    of: (side, i) => (side.kind[i] === DEAD ? 2 : isAshore(side, i) ? 0 : 1),
    fill: (c) => ["var(--ashore)", "var(--kept)", "var(--k4)"][c],
    name: (side, c) => ["left ashore", "kept", kinds[DEAD]][c],
  },
};

// The bytes of a node's files by what the colour tells apart, most first.
function tally(side, node, measured, of) {
  const sums = new Map();
  for (let i = node; i < side.end[node]; i++) {
    if (!isLeaf(side, i) || measured.files[i] === 0) continue;
    const what = of(side, i);
    sums.set(what, (sums.get(what) || 0) + measured.bytes[i]);
  }
  return [...sums].sort((a, b) => b[1] - a[1]);
}

function paint(element, side, category, hatched) {
  element.style.backgroundColor = COLOURS[state.colour].fill(category);
  if (hatched) element.classList.add("hatched");
}

// Whether most of a node is in no container: only the view by layer shows such bytes.
function isDead(side, node) {
  if (state.view !== "layer") return false;
  const most = tally(side, node, measured, (s, i) => s.kind[i])[0];
  return Boolean(most) && most[0] === DEAD;
}
