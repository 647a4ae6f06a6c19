// Child of gcm.mjs. Measures node:crypto at the size given, under whatever OPENSSL_ia32cap says. Last line: operations a second.
import { bytes } from './data.mjs'
import { nodeGcm } from './node-gcm.mjs'
import { measure } from './rounds.mjs'

const run = nodeGcm(bytes(Number(process.argv[2])))
const [result] = await measure([{ name: 'portable', cases: [{ name: 'node:crypto', run }] }], 1)
console.log(result.opsPerSecond)
