import { bundle } from '../bundlers.mjs'
import { conformProcess } from '../programs.mjs'
import { NATIVE, WEB } from '../runtime.mjs'
import { askPage } from '../server.mjs'
import { open, runners as chromium } from './chromium.mjs'

const [{ runtime, version: versionOfChromium }] = chromium
const inChromium = ['Rollup', 'esbuild', 'Vite', 'webpack'].map((name) => {
  const conform = async (parent, input) =>
    askPage((await bundle(parent, name, 'page')).folder, 'index.html', input, open)
  return { name: `${name} bundle, Chromium`, runtime, version: versionOfChromium, conform, exchanges: false }
})

/** Not told that it is for Node, Rollup takes what runs everywhere. */
const IN_NODE = { Rollup: { ...WEB, hasBuffer: true }, esbuild: NATIVE, webpack: NATIVE }
const inNode = Object.entries(IN_NODE).map(([name, runtime]) => {
  const conform = async (parent, input) => {
    const { folder, file } = await bundle(parent, name, 'bundled-process')
    return conformProcess([process.execPath, file], folder, input)
  }
  return { name: `${name} bundle, Node`, runtime, version: () => process.versions.node, conform, exchanges: false }
})

export const runners = [...inChromium, ...inNode]
