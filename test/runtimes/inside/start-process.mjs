// In a fresh process: prints what the import and the first decrypt take.
import { argv } from 'node:process'
import { firstDecrypt } from './first-decrypt.mjs'

const [message, wrappingKey] = argv.slice(2).map((text) => Uint8Array.from(Buffer.from(text, 'base64')))
firstDecrypt(message, wrappingKey).then((times) => console.log(JSON.stringify(times)))
