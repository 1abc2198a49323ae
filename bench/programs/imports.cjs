// Imports that take as many ms as BENCH_IMPORTS says: one module of 40 kB,
// loaded afresh again and again, and kept.
const path = require.resolve('prettier/plugins/graphql');
const end = performance.now() + Number(process.env.BENCH_IMPORTS);
for (module.exports = []; performance.now() < end;) {
  module.exports.push(require(path));
  delete require.cache[path];
}
