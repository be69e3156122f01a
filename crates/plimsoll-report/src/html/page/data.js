// The packed trees become arrays: a directory's files lie between it and its end.
const raw = JSON.parse(document.getElementById("data").textContent);
const kinds = raw.kinds;
const DEAD = kinds.length - 1;
const sides = raw.sides.map(unpack);

function unpack(side) {
  const count = side.kids.length;
  const parent = new Int32Array(count).fill(-1);
  const end = new Int32Array(count);
  const open = [];
  for (let i = 0; i < count; i++) {
    if (open.length) parent[i] = open[open.length - 1].at;
    if (side.kids[i] > 0) open.push({ at: i, left: side.kids[i] });
    else {
      end[i] = i + 1;
      while (open.length && --open[open.length - 1].left === 0) end[open.pop().at] = i + 1;
    }
  }
  const files = new Uint32Array(count);
  for (let i = 0; i < count; i++) files[i] = side.kids[i] < 0 ? side.files[i] || 1 : 0;
  const owner = spread(side.owner, count);
  const kind = Uint8Array.from(owner, (o, i) => (side.kids[i] < 0 ? side.owners[o][0] : 0));
  return {
    ...side, count, parent, end, files, owner, kind,
    layer: spread(side.layer, count),
    why: side.why ? spread(side.why, count) : null,
  };
}

function spread(runs, count) {
  const numbers = new Uint32Array(count);
  let at = 0;
  for (let i = 0; i + 1 < runs.length; i += 2) {
    numbers.fill(runs[i], at, at + runs[i + 1]);
    at += runs[i + 1];
  }
  return numbers;
}

const isLeaf = (side, i) => side.kids[i] < 0;

// What a view puts together first; `of` gives the group of a file, -1 for one it leaves out.
const VIEWS = {
  directory: { title: "Directory", of: null },
  package: {
    title: "Package",
    of: (side, i) => (side.kind[i] === DEAD ? -1 : side.owner[i]),
    name: (side, g) => side.owners[g].slice(1).filter(Boolean).join(" "),
    label: (side, g) => side.owners[g][1],
  },
  layer: {
    title: "Layer",
    of: (side, i) => side.layer[i],
    crumb: (side, g) => `layer ${g}`,
    name: (side, g) => `layer ${g}: ${(side.layers[g] || ["?"])[0] || "nothing says what made it"}`,
  },
  reason: {
    title: "Reason",
    of: (side, i) => (side.kind[i] === DEAD ? -1 : rules(side).number[side.why[i]]),
    name: (side, g) => rules(side).names[g],
  },
};

// The rules behind a side's reasons; number 0 is what is left ashore.
function rules(side) {
  if (!side.rules) {
    const names = [...new Set(side.whys.map((why) => why[0]))];
    side.rules = { names, number: side.whys.map((why) => names.indexOf(why[0])) };
  }
  return side.rules;
}

// Bytes and files of every node, counting the files that `keep` keeps.
function measure(side, keep) {
  const bytes = new Float64Array(side.count);
  const files = new Float64Array(side.count);
  for (let i = side.count - 1; i >= 0; i--) {
    if (isLeaf(side, i)) {
      if (!keep(i)) continue;
      bytes[i] = side.bytes[i];
      files[i] = side.files[i];
    }
    const above = side.parent[i];
    if (above >= 0) {
      bytes[above] += bytes[i];
      files[above] += files[i];
    }
  }
  return { bytes, files };
}

function pathOf(side, i) {
  const parts = [];
  for (let at = i; at > 0; at = side.parent[at]) parts.push(nameOf(side, at));
  return "/" + parts.reverse().join("/");
}

function nameOf(side, i) {
  return side.names[i] || `${side.files[i].toLocaleString("en")} small files`;
}

// Decimal units, three significant digits, as everywhere in the report.
function size(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let unit = 0;
  while (bytes >= 999.5 && unit < units.length - 1) {
    bytes /= 1000;
    unit++;
  }
  const digits = unit === 0 ? 0 : bytes < 9.995 ? 2 : bytes < 99.95 ? 1 : 0;
  return `${bytes.toFixed(digits)} ${units[unit]}`;
}

const count = (n, one, many) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
const percent = (part, whole) => {
  const share = whole ? (part / whole) * 100 : 0;
  return share >= 0.1 || share === 0 ? `${share.toFixed(share < 10 ? 1 : 0)} %` : "under 0.1 %";
};
