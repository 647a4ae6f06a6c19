import { ensureCore } from '../../scripts/project.mjs'

/** Compiles the WebAssembly core when its sources have changed since it was last compiled. */
export default function setup() {
  ensureCore()
}
