import { join } from 'node:path';
import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import ts from 'typescript-eslint';
import { layersRule } from './scripts/lint/layers.mjs';

export default defineConfig(
  globalIgnores(['build/', 'coverage/', 'lib/', 'prebuilds/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    rules: {
      eqeqeq: 'error',
      'no-undef': 'off', // TypeScript's task; it knows Node's globals
      'object-shorthand': 'error',
      'prefer-const': 'error',
    },
  },
  {
    files: ['**/*.ts', '**/*.mts'],
    extends: [ts.configs.strictTypeChecked, ts.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // With noUncheckedIndexedAccess it is the word for a known index.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // A function that does nothing says so best by its empty body.
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
    },
  },
  {
    files: ['src/**'],
    plugins: { layers: { rules: { imports: layersRule } } },
    rules: {
      // It compiles to CommonJS: what is rarely needed may be loaded late.
      '@typescript-eslint/no-require-imports': 'off',
      'layers/imports': ['error', join(import.meta.dirname, 'src')],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // What Node calls deprecated is still there to compare with.
      '@typescript-eslint/no-deprecated': 'off',
      // Only a test knows what its fixture reports: probe.next<T>().
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            {
              from: 'package',
              package: 'node:test',
              name: ['describe', 'it', 'suite', 'test'],
            },
          ],
        },
      ],
    },
  },
);
