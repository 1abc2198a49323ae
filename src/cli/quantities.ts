/** Amounts as people read them. */

const units = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const;

/** ms as its two largest units: `3d 4h`, `12s`. */
export function formatDuration(ms: number): string {
  let rest = Math.floor(ms / 1000);
  const parts = units.map(([unit, seconds]) => {
    const count = Math.floor(rest / seconds);
    rest %= seconds;
    return { count, text: `${count}${unit}` };
  });
  const first = parts.findIndex(({ count }) => count > 0);
  if (first === -1) return '0s';
  return parts
    .slice(first, first + 2)
    .filter(({ count }) => count > 0)
    .map(({ text }) => text)
    .join(' ');
}

/** Bytes: `12.3M`, in powers of 1024 as ps(1) and systemctl(1) have them. */
export function formatBytes(bytes: number): string {
  const letters = ['B', 'K', 'M', 'G', 'T'];
  let [value, index] = [bytes, 0];
  for (; value >= 1024 && index < letters.length - 1; index++) value /= 1024;
  const digits = index > 0 && value < 100 ? 1 : 0;
  return `${value.toFixed(digits)}${letters[index]}`;
}
