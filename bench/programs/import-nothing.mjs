const begin = performance.now();
console.log(performance.now() - begin);
