// Rectangles with areas as the numbers, largest first, near to squares (Bruls, Huizing, van Wijk:
// Squarified Treemaps, 2000).
function squarify(numbers, x, y, w, h) {
  const boxes = [];
  let left = numbers.reduce((sum, n) => sum + n, 0);
  let at = 0;
  while (at < numbers.length && left > 0 && w > 0 && h > 0) {
    const scale = (w * h) / left;
    const side = Math.min(w, h);
    let row = 0;
    let until = at;
    let worst = Infinity;
    while (until < numbers.length) {
      const next = row + numbers[until];
      const across = (next * scale) / side;
      const aspect = (n) => {
        const along = (n * scale) / across;
        return Math.max(along / across, across / along);
      };
      const now = Math.max(aspect(numbers[at]), aspect(numbers[until]));
      if (until > at && now > worst) break;
      worst = now;
      row = next;
      until++;
    }
    const across = Math.min((row * scale) / side, Math.max(w, h));
    let along = 0;
    for (; at < until; at++) {
      const length = row ? (numbers[at] / row) * side : 0;
      boxes.push(w >= h
        ? { x, y: y + along, w: across, h: length }
        : { x: x + along, y, w: length, h: across });
      along += length;
    }
    if (w >= h) {
      x += across;
      w -= across;
    } else {
      y += across;
      h -= across;
    }
    left -= row;
  }
  while (boxes.length < numbers.length) boxes.push({ x, y, w: 0, h: 0 });
  return boxes;
}
