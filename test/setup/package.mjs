import { ensurePackage } from '../../scripts/project.mjs'

/** Builds `dist/` when a source has changed since it was last built. */
export default function setup() {
  ensurePackage()
}
