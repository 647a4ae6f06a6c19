import { askServer, freePort, start } from '../processes.mjs'
import { WORKERS } from '../runtime.mjs'
import { require } from '../setup.mjs'
import { makeWorker, timeFirstDecrypt, workerd } from '../workers.mjs'

const version = () => require('workerd/package.json').version

export const runners = [
  { name: 'workerd', flags: [], runtime: WORKERS, time: timeFirstDecrypt },
  { name: 'workerd, nodejs_compat', flags: ['nodejs_compat'], runtime: { ...WORKERS, hasBuffer: true } },
].map(({ flags, ...runner }) => {
  const conform = async (folder, input) => {
    const cwd = await makeWorker(folder, 'worker', { flags })
    const address = `127.0.0.1:${await freePort()}`
    const server = start(workerd, ['serve', 'workerd.capnp', `--socket-addr=http=${address}`], { cwd })
    return askServer(server, `http://${address}`, input).finally(server.stop)
  }
  return { ...runner, version, conform }
})
