import { fileURLToPath } from 'node:url'
import type { TestProjectInlineConfiguration, ViteUserConfig } from 'vitest/config'

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Tests of the sources: nothing but the compiled core is needed. */
const library: TestProjectInlineConfiguration = {
  resolve: {
    alias: {
      '#wasm': source('bindings/wasm.inline.ts'),
      '#asymmetric': source('bindings/asymmetric.node.ts'),
      '#host': source('bindings/host.node.ts'),
      '#key-pairs': source('bindings/key-pairs.node.ts'),
      '#sqlite': source('kms/store/sqlite-driver.node.ts'),
    },
  },
  test: {
    name: 'library',
    include: ['test/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'test/cli/**', 'test/package/**', 'test/readme/**'],
    globalSetup: ['test/setup/core.mjs'],
    pool: 'forks',
    testTimeout: 30_000,
  },
}

/** Tests of the built package, each a folder of `test/` and an npm script of its own. */
function ofBuiltPackage(name: string, setup: readonly string[] = []): TestProjectInlineConfiguration {
  return {
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      globalSetup: ['test/setup/package.mjs', ...setup],
      pool: 'forks',
      testTimeout: 120_000,
      hookTimeout: 120_000,
    },
  }
}

const config: ViteUserConfig = {
  test: {
    projects: [
      library,
      ofBuiltPackage('cli'),
      ofBuiltPackage('package', ['test/setup/tools.mjs']),
      ofBuiltPackage('readme'),
    ],
  },
}

export default config
