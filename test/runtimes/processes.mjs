// Child processes that end: by themselves, at their time limit, or with this process.
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { once } from 'node:events'

const running = new Set()

/** Ends a process and what it started. */
function end(child) {
  if (!running.delete(child) || child.pid === undefined) return
  try {
    // The group: xvfb-run and wrangler start processes of their own.
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

process.on('exit', () => running.forEach(end))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))

/**
 * Runs a program to its end and answers what it wrote to standard output. Throws with what it wrote otherwise.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeout?: number }} [options] timeout in milliseconds
 * @returns {Promise<string>}
 */
export async function execute(command, args, { cwd, env, timeout = 120_000 } = {}) {
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (errors += text))
  const timer = setTimeout(() => end(child), timeout)
  try {
    const [code, signal] = await once(child, 'close')
    if (code === 0) return output
    throw new Error(`${command} ended with ${code ?? signal}: ${(errors + output).trim().slice(-2000)}`)
  } finally {
    clearTimeout(timer)
    end(child)
  }
}

/**
 * Starts a server program. `stop()` ends it; `output()` is what it has written so far.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 */
export function start(command, args, { cwd, env } = {}) {
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
  child.on('error', (error) => (output += error.message))
  return {
    output: () => output,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    stop: () => end(child),
  }
}

/**
 * Posts an input to a server that is starting, as soon as it listens, and answers what it answers.
 * @param {ReturnType<typeof start>} server
 * @param {string} url
 * @param {object} input
 * @param {number} [timeout] milliseconds
 */
export async function askServer(server, url, input, timeout = 120_000) {
  const request = { method: 'POST', body: JSON.stringify(input), signal: AbortSignal.timeout(timeout) }
  for (;;) {
    const response = await fetch(url, request).catch((error) => error)
    if (response.ok) return response.json()
    if (!(response instanceof Error)) throw new Error(`${await response.text()}\n${server.output()}`)
    if (server.hasEnded() || request.signal.aborted) throw new Error(`${response.message}\n${server.output()}`)
    await new Promise((resume) => setTimeout(resume, 20))
  }
}

/** A port of the loopback interface that is free now. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  await new Promise((resume) => server.close(resume))
  return port
}
