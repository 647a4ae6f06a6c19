// `npm run readme`: puts the table of the last `npm run test:runtimes`, from build/runtimes.md, into the README.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './project.mjs'

const file = join(root, 'README.md')
const readme = readFileSync(file, 'utf8')
const report = readFileSync(join(root, 'build/runtimes.md'), 'utf8').trim()
const place = /(?<=<!-- runtimes -->\n)[^]*(?=<!-- \/runtimes -->)/
if (!place.test(readme)) throw new Error('README.md has no place for the table')
writeFileSync(
  file,
  readme.replace(place, () => `\n${report}\n\n`),
)
