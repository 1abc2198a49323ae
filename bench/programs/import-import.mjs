const begin = performance.now();
await import('../../lib/index.mjs');
console.log(performance.now() - begin);
