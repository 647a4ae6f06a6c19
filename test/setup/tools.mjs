import { ensureTools } from '../../scripts/project.mjs'

/** Installs the linters of the package when they are not there. */
export default function setup() {
  ensureTools('test/tools')
}
