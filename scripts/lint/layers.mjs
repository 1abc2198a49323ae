// An ESLint rule: imports inside src/ point one way, from the doors down to
// the binding, and never in a circle.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';

/** From the top down; a file may import from its own layer and lower ones. */
const layers = [
  ['index.mts'],
  ['index', 'cli/'],
  ['daemon', 'daemon-options', 'supervisor/'],
  ['daemonize'],
  ['steps'],
  ['steps-before-fork', 'steps-in-daemon'],
  ['step-runner'],
  ['step', 'shutdown'],
  ['context'],
  [
    'options',
    'settings',
    'option-checks',
    'readiness',
    'stdio',
    'streams',
    'control',
    'pidfile',
    'pidfile-claim',
    'pidfile-content',
    'pidfile-lock',
    'pidfile-options',
    'pidfile-state',
    'process-identity',
    'status',
    'failure',
    'target',
    'safe-file',
    'privileges',
    'privilege-drop',
    'ancestors',
    'surroundings',
    'environment',
    'signals',
    'exit-signals',
    'logging/',
    'systemd/',
  ],
  ['posix/'],
  ['binding', 'errors', 'constants', 'checks', 'validate', 'program-arguments'],
];
const posix = layers.findIndex((layer) => layer.includes('posix/'));

function layerOf(module) {
  return layers.findIndex((layer) =>
    layer.some((entry) =>
      entry.endsWith('/') ? module.startsWith(entry) : module === entry,
    ),
  );
}

/** @returns {string | undefined} what is wrong with this import */
function wrong(importer, imported) {
  const from = layerOf(importer);
  const to = layerOf(imported);
  for (const [module, layer] of [
    [importer, from],
    [imported, to],
  ]) {
    if (layer === -1)
      return `${module} has no layer in scripts/lint/layers.mjs`;
  }
  if (to < from) return `${importer} may not import ${imported}: it is above`;
  if (from === posix && to === posix) {
    return `${importer} may not import ${imported}: posix/ is flat`;
  }
  if (imported === 'binding' && from < posix) {
    return `${importer} may not import binding: only posix/ does`;
  }
  return undefined;
}

/** @returns {string[] | undefined} the way from one file back to itself */
function circle(root, start, next) {
  const seen = new Set();
  const search = (module, way) => {
    if (module === start) return [...way, module];
    if (seen.has(module)) return undefined;
    seen.add(module);
    for (const imported of importsOf(root, module)) {
      const found = search(imported, [...way, module]);
      if (found) return found;
    }
    return undefined;
  };
  return search(next, [start]);
}

function importsOf(root, module) {
  const file = join(root, module.endsWith('.mts') ? module : `${module}.ts`);
  if (!existsSync(file)) return [];
  return ts
    .preProcessFile(readFileSync(file, 'utf8'), true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((name) => name.startsWith('.'))
    .map((name) => moduleAt(root, resolve(dirname(file), name)));
}

function moduleAt(root, path) {
  return relative(root, path)
    .replace(/\.[jt]s$/, '')
    .replace(/\.mjs$/, '.mts');
}

/** @type {import('eslint').Rule.RuleModule} */
export const layersRule = {
  meta: {
    type: 'problem',
    schema: [{ type: 'string' }],
    messages: { wrong: '{{ what }}' },
  },
  create(context) {
    const [root] = context.options;
    const importer = moduleAt(root, context.filename);
    const check = ({ source }) => {
      if (!source || typeof source.value !== 'string') return;
      if (!source.value.startsWith('.')) return;
      const imported = moduleAt(
        root,
        resolve(dirname(context.filename), source.value),
      );
      const way = circle(root, importer, imported);
      const what =
        wrong(importer, imported) ??
        (way && `imports go in a circle: ${way.join(' -> ')}`);
      if (what)
        context.report({ node: source, messageId: 'wrong', data: { what } });
    };
    return {
      ImportDeclaration: check,
      ImportExpression: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      TSImportEqualsDeclaration: ({ moduleReference: { expression } }) =>
        check({ source: expression }),
      CallExpression: ({ callee, arguments: [source] }) => {
        if (callee.name === 'require') check({ source });
      },
      TSImportType: ({ source }) => check({ source }),
    };
  },
};
