// @ts-check
import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'

export default defineConfig(
  globalIgnores(['dist/', 'build/', 'coverage/']),
  {
    files: ['**/*.{ts,mts,cts,js,mjs,cjs}'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      // Numbers are what most messages of this library are about.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // A task may throw anything, and the consumer is given what it threw.
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      // A field that a callback may change during an `await` is narrowed as if nothing could; and users without types
      // pass what the types rule out.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // `.catch(() => {})` is how a rejection is seen and dropped.
      '@typescript-eslint/no-empty-function': ['error', { allow: ['arrowFunctions'] }],
      // `const { stack, ...rest } = error` leaves a property out; `for await (const _ of stream)` only drains.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true, varsIgnorePattern: '^_$' }],
    },
  },
  {
    // Declarations of a user's own exports copy an alias. An interface they name, and the package does not export it.
    files: ['lib/verbs/*.ts', 'lib/pipe.ts'],
    rules: { '@typescript-eslint/consistent-type-definitions': 'off' },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // A spread error is its own fields, which is what the tests compare.
      '@typescript-eslint/no-misused-spread': 'off',
      // An async source or task that awaits nothing is one too.
      '@typescript-eslint/require-await': 'off',
      // An empty generator is an empty source.
      '@typescript-eslint/no-empty-function': ['error', { allow: ['arrowFunctions', 'generatorFunctions'] }],
    },
  },
  {
    // Plain JavaScript has no types to go by here (scripts/ is checked by `npm run types`), nor has Jest's settings file,
    // which is in no project.
    files: ['**/*.{js,mjs,cjs}', '*.ts'],
    extends: [tseslint.configs.disableTypeChecked],
  },
)
