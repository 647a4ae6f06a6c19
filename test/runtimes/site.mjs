import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { require } from './setup.mjs'

/** Bundles the pages: modules in parts, as browsers load them, and the Service Worker in one piece. */
export async function makeSite(folder) {
  const { build } = require('esbuild')
  const site = join(folder, 'site')
  mkdirSync(site)
  for (const page of ['index.html', 'start.html']) cpSync(join(folder, page), join(site, page))
  const entry = (name) => join(folder, `${name}.mjs`)
  const modules = { launch: entry('launch'), page: entry('page') }
  const options = { bundle: true, minify: true, outdir: site }
  await build({ ...options, entryPoints: modules, format: 'esm', splitting: true, external: ['./page.js'] })
  // By itself: what it loads is what a page with one decrypt loads.
  await build({ ...options, entryPoints: { start: entry('start-page') }, format: 'esm', splitting: true })
  await build({ ...options, entryPoints: { 'service-worker': entry('page') }, format: 'iife' })
}
