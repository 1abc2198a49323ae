// How long the import of the package takes: by the clock inside, and as the
// difference of whole processes with and without it.
import { interleave, output, program, round, summarize } from './sample.mjs';

const rows = [
  { name: 'require', file: 'import-require.cjs' },
  { name: 'no require', file: 'import-nothing.cjs' },
  { name: 'import', file: 'import-import.mjs' },
  { name: 'no import', file: 'import-nothing.mjs' },
];

export async function measureImport(rounds) {
  const samples = await interleave(rounds, rows, ({ file }) => {
    const begin = performance.now();
    const inside = Number(output(process.execPath, [program(file)]));
    return { inside, whole: performance.now() - begin };
  });
  const of = (name, which) =>
    summarize(samples.get(name).map((sample) => sample[which]));
  return ['require', 'import'].map((name) => ({
    name,
    inside: of(name, 'inside'),
    whole: round(of(name, 'whole').median - of(`no ${name}`, 'whole').median),
  }));
}
