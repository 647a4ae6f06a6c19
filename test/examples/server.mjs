import { spawn } from 'node:child_process'

const READY = /\b(?:on|at|[Oo]pen) http:\/\/127\.0\.0\.1:\d+/
const TIMEOUT_MILLISECONDS = 60_000

const servers = new Set()

/**
 * Starts a shell command and waits until it prints the address that it listens on.
 * @param {string} command
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} options
 * @returns {Promise<void>}
 */
export function startServer(command, options) {
  // A process group of its own, so that what the shell started ends with it.
  const child = spawn('bash', ['--norc', '-c', command], {
    ...options,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  servers.add({ child, ended })
  let output = ''
  return new Promise((resolve, reject) => {
    const fail = (reason) => reject(new Error(`${command.trim()}: ${reason}\n${output}`))
    const timer = setTimeout(() => fail('printed no address'), TIMEOUT_MILLISECONDS)
    const read = (text) => {
      output += text
      if (!READY.test(output)) return
      clearTimeout(timer)
      resolve()
    }
    child.stdout.setEncoding('utf8').on('data', read)
    child.stderr.setEncoding('utf8').on('data', read)
    void ended.then((code) => {
      clearTimeout(timer)
      fail(`ended with ${code}`)
    })
  })
}

/**
 * Ends every server that was started, and waits for it.
 * @returns {Promise<void>}
 */
export async function stopServers() {
  for (const { child, ended } of servers) {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGTERM')
    await ended
  }
  servers.clear()
}
