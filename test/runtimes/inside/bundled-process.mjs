// In a bundle for Node: as process.mjs, without what a bundle cannot hold, the drivers of SQLite.
import { readFileSync, writeFileSync } from 'node:fs'
import { argv } from 'node:process'
import { conform } from './suite.js'

const [input, report] = argv.slice(2)
conform(JSON.parse(readFileSync(input, 'utf8'))).then((answer) => writeFileSync(report, JSON.stringify(answer)))
