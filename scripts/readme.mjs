// `npm run readme`: puts what was measured last into the README: by `npm run test:runtimes`, `npm run bench` and
// `npm run bench:files`, as far as they were run here.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, runNode } from './project.mjs'

/** The file that a run leaves in `build/`, and the README's place for it. */
const REPORTS = ['runtimes', 'bench', 'bench-files']

const file = join(root, 'README.md')
let readme = readFileSync(file, 'utf8')
for (const name of REPORTS) {
  const report = join(root, `build/${name}.md`)
  if (!existsSync(report)) continue
  const place = new RegExp(`(?<=<!-- ${name} -->\\n)[^]*(?=<!-- /${name} -->)`)
  if (!place.test(readme)) throw new Error(`README.md has no place for ${name}`)
  readme = readme.replace(place, () => `\n${readFileSync(report, 'utf8').trim()}\n\n`)
}
writeFileSync(file, readme)
runNode('node_modules/prettier/bin/prettier.cjs', ['--write', '--log-level', 'warn', file])
