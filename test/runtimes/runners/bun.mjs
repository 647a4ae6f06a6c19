import { installed, program } from '../programs.mjs'
import { NATIVE } from '../runtime.mjs'

export const runners = [program('Bun', NATIVE, installed('bun/bin/bun.exe'), 'run')]
