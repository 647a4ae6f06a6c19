// `npm run bench`: waxseal beside its peers in one process and one run. It prints; it fails on nothing but an error.
import { fieldGroups } from './field.mjs'
import { gcmGroups } from './gcm.mjs'
import { macGroups } from './mac.mjs'
import { messageGroups } from './message.mjs'
import { report, save } from './report.mjs'
import { measure } from './rounds.mjs'

const ROUNDS = 5

const groups = [...(await gcmGroups()), ...(await macGroups()), ...(await messageGroups()), ...fieldGroups()]
const data = report(await measure(groups, ROUNDS))
console.log(`\nAs JSON: ${save(data).pathname}`)
