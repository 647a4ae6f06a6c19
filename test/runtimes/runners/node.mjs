import { installed, program } from '../programs.mjs'
import { NATIVE } from '../runtime.mjs'

const [current, minor] = process.versions.node.split('.')
// node:sqlite is there without a flag from 22.13 on.
const hasSqlite = Number(current) > 22 || (current === '22' && Number(minor) >= 13)
const others = ['22', '24', '26'].filter((major) => major !== current)

/** The Node that runs this, and the others. */
export const runners = [
  program(`Node ${current}`, { ...NATIVE, hasSqlite }, process.execPath),
  ...others.map((major) => program(`Node ${major}`, NATIVE, installed(`node${major}/bin/node`))),
]
