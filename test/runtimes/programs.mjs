import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execute } from './processes.mjs'
import { tools } from './setup.mjs'

/** The path of what is installed beside this file. */
export const installed = (path) => join(tools, 'node_modules', path)

/**
 * A runtime that runs a file: a process of its own for each run.
 * @param {string} name
 * @param {object} runtime
 * @param {string} program
 * @param {...string} args those before the file
 */
export function program(name, runtime, program, ...args) {
  const command = [program, ...args]
  const conform = (folder, input) => conformProcess([...command, 'process.mjs'], folder, input)
  return { name, runtime, command, conform, version: () => versionOf(program) }
}

/** What a program says of itself; undefined when it is not there. */
export async function versionOf(program) {
  return existsSync(program) ? (await execute(program, ['--version'])).match(/\d+[\d.]+\d/)[0] : undefined
}

/** Runs a program that reads the input from one file of the folder and writes its report to another. */
export async function conformProcess([command, ...args], folder, input) {
  writeFileSync(join(folder, 'input.json'), JSON.stringify(input))
  await execute(command, [...args, 'input.json', 'report.json'], { cwd: folder })
  return JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8'))
}
