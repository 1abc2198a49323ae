const begin = performance.now();
require('../../lib/index.js');
console.log(performance.now() - begin);
