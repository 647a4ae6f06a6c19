import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { localKms, type LocalKms } from '../kms/providers/local.ts'
import { anyCredential, createKmsServer, rootCredential, userCredentials, webhook } from '../kms/server/index.ts'
import { listen, type NodeListener } from '../kms/server/listen.node.ts'
import { countUpTo } from './arguments.ts'
import { openAuditAnchor, type AuditAnchor, type AuditAnchorOptions } from './audit-anchor.ts'
import type { CommandRow } from './command.ts'
import { environmentCredentials, fileCredentials } from './credentials-file.ts'
import { CommandError, lineOf } from './failure.ts'
import { readHsmClusters } from './hsm-file.ts'
import { note, print } from './output.ts'
import { directoryOf, type GlobalOptions } from './service.ts'

interface ServeOptions extends GlobalOptions {
  readonly port?: number
  readonly host?: string
  readonly data?: string
  readonly region?: readonly string[]
  readonly account?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly insecureHttp?: boolean
  readonly hsm?: string
  readonly auditAnchor?: string
  readonly webhook?: string
  readonly seed?: string
  readonly insecureSeed?: boolean
  readonly auditAnchorEvery?: number
}

const DEFAULT_PORT = 8080
const DEFAULT_ANCHOR_EVERY = 1000
/** Milliseconds between looks for work that is due. */
const DUE_WORK_INTERVAL = 60_000
/** Milliseconds that requests in progress, and then signals to the webhook, have at the end, together. */
const SHUTDOWN_TIMEOUT = 10_000
const TIME_IN_DOUBT =
  'waxseal: the clock is far ahead of what the KMS last knew, and what is due to be deleted waits: if the time is right, ' +
  'run `waxseal kms confirm-time`'
/** Signals that end other commands at once. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export const serveRow: CommandRow = {
  name: 'serve',
  text: 'serve the KMS to AWS clients',
  details: [
    'The server speaks the protocol of AWS KMS: AWS SDKs and the AWS CLI work with its URL as endpoint. The access key ' +
      "of the account's root is taken from WAXSEAL_ROOT_ACCESS_KEY_ID and WAXSEAL_ROOT_SECRET_ACCESS_KEY, and is then " +
      'written nowhere; without them it is made at the first start and kept in the file credentials of the data directory.',
    'Users with access keys and policies of their own are made with `waxseal iam`, before the server runs or beside it.',
    'SIGTERM and SIGINT end the server when the requests in progress are answered; SIGHUP reads the TLS files again, ' +
      'which also happens by itself when they change.',
  ],
  options: [
    { flags: '--port <number>', text: `0 takes a free one (default: ${String(DEFAULT_PORT)})`, parse: port },
    { flags: '--host <address>', text: 'the address to listen on (default: 127.0.0.1)' },
    { flags: '--data <directory>', text: 'where the KMS is (default: that of --kms)', completes: 'folder' },
    {
      flags: '--region <region>',
      text: 'a Region to serve; may be given again (default: us-east-1)',
      parse: (text, regions: readonly string[] | undefined) => [...(regions ?? []), text],
    },
    { flags: '--account <id>', text: 'the account, twelve digits (default: 000000000000)' },
    { flags: '--tls-cert <file>', text: 'certificate chain, PEM', completes: 'file' },
    { flags: '--tls-key <file>', text: 'private key of the certificate, PEM', completes: 'file' },
    {
      flags: '--webhook <url>',
      text: 'post what happens to keys to this URL, signed with the secret in WAXSEAL_WEBHOOK_SECRET',
    },
    {
      flags: '--seed <file>',
      text: 'make the keys and aliases of this file, YAML or JSON, in the first Region; those that are there stay as they are',
      completes: 'file',
    },
    { flags: '--insecure-seed', text: 'seed a server for other machines: whoever has the file has its keys' },
    {
      flags: '--audit-anchor <file>',
      text: 'append signed heads of the audit log to this file, best on another machine; the log must go on from the newest in it',
      completes: 'file',
    },
    {
      flags: '--audit-anchor-every <n>',
      text: `new records after which a head is written; fewer wait a minute (default: ${DEFAULT_ANCHOR_EVERY})`,
      parse: countUpTo(Number.MAX_SAFE_INTEGER),
    },
    {
      flags: '--hsm <file>',
      text: 'hardware security modules that custom key stores may be in, JSON',
      completes: 'file',
    },
    { flags: '--insecure-http', text: 'allow plain HTTP to other machines: answers carry data keys in the clear' },
  ],
  examples: [
    { text: 'A KMS for this machine.', line: 'waxseal serve --port 8080 --data ./kms' },
    {
      text: 'Use it with the AWS CLI.',
      line: 'AWS_SHARED_CREDENTIALS_FILE=./kms/credentials aws kms create-key --region us-east-1 --endpoint-url http://127.0.0.1:8080',
    },
  ],
  async run(options: ServeOptions) {
    const directory = options.data ?? directoryOf(options.kms)
    const tls = tlsFiles(options)
    assertSeedIsLocal(options)
    const hsmClusters = options.hsm === undefined ? {} : await readHsmClusters(options.hsm)
    const kms = await localKms({
      directory,
      rootKeyFile: options.rootKey,
      account: options.account,
      regions: options.region,
      keyStores: { hsmClusters },
    })
    try {
      await serve(kms, { options, directory, tls })
    } finally {
      await kms.close()
    }
  },
}

function port(text: string): number {
  return text === '0' ? 0 : countUpTo(0xffff)(text)
}

/** Keys that lie in a file in the clear are for this machine. */
function assertSeedIsLocal({ seed, insecureSeed, host = '127.0.0.1' }: ServeOptions): void {
  const isLoopback = /^(?:127(?:\.\d{1,3}){3}|\[?::1\]?)$/.test(host)
  if (seed === undefined || insecureSeed === true || isLoopback) return
  throw new CommandError('usage', `${host} is not a loopback address: --seed needs --insecure-seed there`)
}

function tlsFiles({ tlsCert, tlsKey }: ServeOptions): { certFile: string; keyFile: string } | undefined {
  if (tlsCert === undefined && tlsKey === undefined) return undefined
  if (tlsCert === undefined || tlsKey === undefined)
    throw new CommandError('usage', 'give both --tls-cert and --tls-key')
  return { certFile: tlsCert, keyFile: tlsKey }
}

interface Setting {
  readonly options: ServeOptions
  readonly directory: string
  readonly tls: ReturnType<typeof tlsFiles>
}

/** What ends with the server, the last that began first; the deadline is of `performance.now()`. */
type Endings = ((deadline: number) => void | Promise<void>)[]

async function serve(kms: LocalKms, setting: Setting): Promise<void> {
  const endings: Endings = []
  try {
    await begin(kms, setting, endings)
  } finally {
    await endAll(endings)
  }
}

/** What one ending throws keeps none of the others. */
async function endAll(endings: Endings, deadline = performance.now() + SHUTDOWN_TIMEOUT): Promise<void> {
  const end = endings.pop()
  if (!end) return
  try {
    await end(deadline)
  } finally {
    await endAll(endings, deadline)
  }
}

async function begin({ engine }: LocalKms, { options, directory, tls }: Setting, endings: Endings): Promise<void> {
  const onError = (error: unknown): void => void process.stderr.write(`waxseal: ${lineOf(error)}\n`)
  const given = environmentCredentials()
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const file = join(directory, 'credentials')
  const { account, regions } = engine
  const root = rootCredential({ ...(given ?? fileCredentials(file)), account })
  if (options.seed !== undefined) {
    const { seed } = await import('./seed.ts')
    const { keys, aliases, made } = await seed(engine, options.seed)
    await note(`waxseal: seeded from ${options.seed}: ${keys} keys and ${aliases} aliases, ${made} of them new`)
  }
  openWebhook(options, engine, endings, onError)
  // Ends before the webhook, for whose receiver no head of the log has to wait.
  const anchor = await openAnchor(options, { directory, audit: engine.audit, onError })
  endings.push(async () => anchor?.close())
  const server = createKmsServer({ engine, credentials: anyCredential(root, userCredentials(engine)), onError })
  endings.push(() => server.close())
  const { port = DEFAULT_PORT, host, insecureHttp } = options
  const shutdownTimeout = SHUTDOWN_TIMEOUT
  const listener = await listen({ server, port, host, tls, insecureHttp, shutdownTimeout, onError })
  endings.push(() => listener.close())
  await startDueWork(engine, endings, onError)
  const end = untilEnd(listener)
  const from = given ? 'the environment' : file
  const line = `serving ${regions.join(', ')} of account ${account} at ${listener.url}, root credentials from ${from}`
  const { url } = listener
  await print(options.json === true ? JSON.stringify({ url, account, regions, credentials: from }) : line)
  await end
}

/** Does what is due by now, and from then on what comes to be due. */
async function startDueWork(
  engine: LocalKms['engine'],
  endings: Endings,
  onError: (error: unknown) => void,
): Promise<void> {
  let hasSaidSo = false
  const look = async (): Promise<void> => {
    await engine.runDueWork()
    const isInDoubt = engine.isTimeInDoubt()
    if (isInDoubt && !hasSaidSo) await note(TIME_IN_DOUBT)
    hasSaidSo = isInDoubt
  }
  await look().catch(onError)
  const timer = setInterval(() => void look().catch(onError), DUE_WORK_INTERVAL)
  endings.push(() => clearInterval(timer))
}

function openWebhook(
  { webhook: url }: ServeOptions,
  engine: LocalKms['engine'],
  endings: Endings,
  onError: (error: unknown) => void,
): void {
  if (url === undefined) return
  const secret = process.env.WAXSEAL_WEBHOOK_SECRET ?? ''
  if (secret === '') throw new CommandError('usage', '--webhook needs a secret in WAXSEAL_WEBHOOK_SECRET')
  const hook = webhook({ url, secret, onError })
  const stop = engine.subscribe(hook.listener)
  endings.push(async (deadline) => {
    stop()
    await hook.close(Math.max(0, deadline - performance.now()))
  })
}

async function openAnchor(
  { auditAnchor: file, auditAnchorEvery: every = DEFAULT_ANCHOR_EVERY }: ServeOptions,
  log: Pick<AuditAnchorOptions, 'directory' | 'audit' | 'onError'>,
): Promise<AuditAnchor | undefined> {
  return file === undefined ? undefined : openAuditAnchor({ file, every, ...log })
}

/** Waits for a signal to end. */
function untilEnd(listener: NodeListener): Promise<void> {
  for (const signal of SIGNALS) process.removeAllListeners(signal)
  process.on('SIGHUP', () => listener.checkTls())
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}
