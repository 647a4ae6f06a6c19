import { symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rollup, type Plugin } from 'rollup'
import ts from 'typescript'

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

const SOURCES: Readonly<Record<string, string>> = {
  '#wasm': path('../../bindings/wasm.inline.ts'),
  '#asymmetric': path('../../bindings/asymmetric.node.ts'),
  '#key-pairs': path('../../bindings/key-pairs.node.ts'),
  '#host': path('../../bindings/host.node.ts'),
  '#sqlite': path('../../kms/store/sqlite-driver.node.ts'),
}

const typescript: Plugin = {
  name: 'typescript',
  resolveId: (specifier) => SOURCES[specifier],
  transform(code, fileName) {
    const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true }
    return { code: ts.transpileModule(code, { fileName, compilerOptions }).outputText, map: null }
  },
}

/** Makes one script of a file of this folder and the sources, so that node can run it in a process of its own. */
export async function bundle(name: string, file: string): Promise<void> {
  const build = await rollup({ input: path(name), external: [/^node:/], plugins: [typescript] })
  await build.write({ file, format: 'es', inlineDynamicImports: true })
  await build.close()
  symlinkSync(path('../../node_modules'), join(dirname(file), 'node_modules'), 'junction')
}
