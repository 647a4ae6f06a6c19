import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'

const NODE = {
  regex: '^node:',
  message: 'node: imports are for cli/, kms/store/, kms/providers/local.ts and *.node.ts',
}

/** The folders may import in one direction: assembly <- bindings <- src <- kms <- cli. */
function directionOf(folder, forbidden, { node = false } = {}) {
  const patterns = forbidden.map((name) => ({
    regex: `^(\\.\\./)+${name}/`,
    message: `${folder}/ must not import from ${name}/: assembly <- bindings <- src <- kms <- cli`,
  }))
  return { 'no-restricted-imports': ['error', { patterns: node ? patterns : [...patterns, NODE] }] }
}

export default defineConfig(
  globalIgnores(['assembly/**/*.ts', '**/build/', 'dist/', 'coverage/', 'bench/results/', 'test/vectors/']),
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      // A byte at an index whose bound was just checked: noUncheckedIndexedAccess makes `!` the honest notation.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // An async function without await turns a throw into a rejection, which is what an asynchronous interface owes.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // isolatedDeclarations wants the types of exported properties written out.
      '@typescript-eslint/no-inferrable-types': ['error', { ignoreProperties: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      // Deno, which checks the package before it goes to JSR, finds ambient declarations by nothing else.
      '@typescript-eslint/triple-slash-reference': ['error', { path: 'always' }],
    },
  },
  {
    files: ['**/*.mjs'],
    extends: [tseslint.configs.recommended],
  },
  { files: ['bindings/**/*.ts'], rules: directionOf('bindings', ['src', 'kms', 'cli']) },
  { files: ['bindings/**/*.node.ts'], rules: directionOf('bindings', ['src', 'kms', 'cli'], { node: true }) },
  { files: ['src/**/*.ts'], rules: directionOf('src', ['assembly', 'kms', 'cli']) },
  { files: ['kms/**/*.ts'], rules: directionOf('kms', ['assembly', 'cli']) },
  {
    files: ['kms/store/**/*.ts', 'kms/providers/local.ts', 'kms/**/*.node.ts'],
    rules: directionOf('kms', ['assembly', 'cli'], { node: true }),
  },
  { files: ['cli/**/*.ts'], rules: directionOf('cli', ['assembly', 'bindings'], { node: true }) },
)
