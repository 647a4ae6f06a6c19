// `npm run bench`: builds what is not built yet, then measures the built package.
import { ensureInstalled, ensurePackage, runNode } from './project.mjs'

ensureInstalled()
ensurePackage()
runNode('bench/main.mjs')
