import { installed, program } from '../programs.mjs'
import { NATIVE } from '../runtime.mjs'

const current = process.versions.node.split('.')[0]
const others = ['22', '24', '26'].filter((major) => major !== current)

/** The Node that runs this, and the others. */
export const runners = [
  program(`Node ${current}`, NATIVE, process.execPath),
  ...others.map((major) => program(`Node ${major}`, NATIVE, installed(`node${major}/bin/node`))),
]
