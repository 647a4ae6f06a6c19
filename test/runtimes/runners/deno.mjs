import { installed, program } from '../programs.mjs'
import { WEB } from '../runtime.mjs'

const args = ['run', '--allow-read', '--allow-write', '--no-prompt']

export const runners = [program('Deno', { ...WEB, hasBuffer: true }, installed('deno/deno'), ...args)]
