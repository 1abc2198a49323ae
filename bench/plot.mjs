// The results as one SVG picture, for a light page and a dark one.

const width = 760;
const height = 640;

const style = `
  text { font: 12px system-ui, sans-serif; fill: #333 }
  .title { font-weight: 600 }
  .right { text-anchor: end }
  .middle { text-anchor: middle }
  .axis { stroke: #8886 }
  .other { color: #9a9fa6 }
  .pair { color: #0969da }
  .daemonize { color: #8250df }
  .c { color: #bc4c00 }
  .thin { opacity: 0.45 }
  rect, circle, text.pair, text.daemonize, text.c { fill: currentColor }
  polyline { stroke: currentColor; stroke-width: 2 }
  @media (prefers-color-scheme: dark) {
    text { fill: #ccc }
    .pair { color: #58a6ff }
    .daemonize { color: #bc8cff }
    .c { color: #f0883e }
  }`;

export function plot({ machine, launch, launchImports, fork }) {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<style>${style}\n</style>`,
    text(10, 20, 'Launch, as ratio to node -e 0 (median)', 'title'),
    text(190, 42, 'first line; below it, pale, shell back'),
    bars(launch, { left: 190, right: 440 }),
    text(480, 42, `the same after ${machine.imports} ms of imports`),
    bars(launchImports, { left: 480, right: 720 }),
    text(10, 345, 'A double fork by heap size, ms (median)', 'title'),
    lines(fork),
    '</svg>\n',
  ].join('\n');
}

/** Two bars for each program; its name only beside the first chart. */
function bars(rows, { left, right }) {
  const most = Math.max(
    ...rows.flatMap(({ firstLine, shell }) => [
      firstLine?.ratio ?? 0,
      shell.ratio,
    ]),
  );
  const unit = (right - left) / most;
  return rows
    .flatMap(({ name, firstLine, shell }, index) => {
      const top = 52 + index * 28;
      const kind = name.startsWith('posix-daemonize') ? 'daemonize' : 'other';
      const bar = (y, high, ratio, faint) =>
        `<rect class="${kind} ${faint}" x="${left}" y="${y}" width="${place(ratio * unit)}" height="${high}"/>`;
      const longest = Math.max(firstLine?.ratio ?? 0, shell.ratio);
      const label = (firstLine ?? shell).ratio.toFixed(longest < 5 ? 2 : 1);
      return [
        left < width / 2 ? text(left - 8, top + 15, name, 'right') : '',
        firstLine ? bar(top, 12, firstLine.ratio, '') : '',
        bar(top + 13, 6, shell.ratio, 'thin'),
        text(left + longest * unit + 5, top + 13, label),
      ];
    })
    .filter((line) => line !== '')
    .join('\n');
}

/** Both axes logarithmic: RSS in MB, ms. */
function lines(rows) {
  const heaps = rows.filter(({ name }) => !name.endsWith('Buffers'));
  const curves = [
    { label: 'pair of fork()', kind: 'pair' },
    { label: 'daemonize()', kind: 'daemonize' },
    { label: 'double fork in C', kind: 'c' },
  ];
  const every = heaps.flatMap((row) =>
    curves.map(({ kind }) => row[kind].median),
  );
  const marks = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
  const top = marks.find((mark) => mark >= Math.max(...every));
  const x = scale([35, 1400], [60, 720]);
  const y = scale([marks[0], top], [600, 375]);
  return [
    ...marks
      .filter((mark) => mark <= top)
      .flatMap((mark) => [
        `<path class="axis" d="M60 ${place(y(mark))}H720"/>`,
        text(52, y(mark) + 4, mark, 'right'),
      ]),
    ...heaps.map(({ name, rss }) => text(x(rss), 618, name, 'middle')),
    ...curves.flatMap(({ label, kind }, index) => {
      const points = heaps.map((row) => [x(row.rss), y(row[kind].median)]);
      return [
        `<polyline class="${kind}" fill="none" points="${points.map((point) => point.map(place)).join(' ')}"/>`,
        ...points.map(
          ([cx, cy]) =>
            `<circle class="${kind}" cx="${place(cx)}" cy="${place(cy)}" r="3"/>`,
        ),
        text(330 + index * 120, 345, label, kind),
      ];
    }),
  ].join('\n');
}

function scale([low, high], [from, to]) {
  return (value) =>
    from +
    ((to - from) * (Math.log(value) - Math.log(low))) /
      (Math.log(high) - Math.log(low));
}

function text(x, y, content, kind = '') {
  return `<text class="${kind}" x="${place(x)}" y="${place(y)}">${content}</text>`;
}

function place(number) {
  return Number(number.toFixed(1));
}
