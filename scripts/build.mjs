// `npm run build`: the WebAssembly core, then dist/.
import { bundle, ensureInstalled, recordBuild, runNode } from './project.mjs'

ensureInstalled()
runNode('assembly/build.mjs')
recordBuild('core')
bundle()
recordBuild('package')
