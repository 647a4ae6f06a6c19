// Inside Node, Deno and Bun: reads the input from one file and writes the report to another.
import { readFileSync, writeFileSync } from 'node:fs'
import { argv } from 'node:process'
import { fileCases } from './files.js'
import { conform } from './suite.js'

const [input, report] = argv.slice(2)
const done = conform(JSON.parse(readFileSync(input, 'utf8')), fileCases)
done.then((answer) => writeFileSync(report, JSON.stringify(answer)))
