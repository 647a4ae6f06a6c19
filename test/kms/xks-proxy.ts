import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** What an answer of the proxy is. */
interface Answer {
  readonly status: number
  readonly body: unknown
}

interface ExternalKey {
  readonly key: Buffer
  isEnabled: boolean
  usage: readonly string[]
  spec: string
}

interface Asked {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Record<string, unknown>
}

export const ENDPOINT = 'https://xks.example.test'
export const PATH = '/tenant_1/kms/xks/v1'
export const ACCESS_KEY_ID = 'ABCDEFGHIJKLMNOPQRST'
export const SECRET_ACCESS_KEY: string = 'proxy+secret/'.repeat(4).slice(0, 43)

/**
 * An external key store proxy with its key manager (AWS KMS External Key Store Proxy API Specification, version 1): it
 * verifies every signature with node:crypto and really encrypts. Its clock is the real one unless a test says so.
 */
export class XksProxy {
  readonly keys: Map<string, ExternalKey> = new Map<string, ExternalKey>()
  readonly asked: Asked[] = []
  readonly credentials: Map<string, string>

  region = 'eu-central-1'
  clock: () => number = Date.now
  /** Metadata that goes with each ciphertext. */
  metadata: Buffer = Buffer.from('key=1')
  health: unknown = {
    xksProxyFleetSize: 1,
    xksProxyVendor: 'waxseal',
    xksProxyModel: 'test 1.0',
    ekmVendor: 'node:crypto',
    ekmFleetDetails: [{ id: 'one', model: 'test', healthStatus: 'ACTIVE' }],
  }
  /** What a test does to an answer, or instead of one. */
  intercept: (answer: Answer, path: string) => Answer | Response | Promise<Response> = (answer) => answer

  constructor() {
    this.credentials = new Map([[ACCESS_KEY_ID, SECRET_ACCESS_KEY]])
  }

  addKey(id: string): void {
    this.keys.set(id, { key: randomBytes(32), isEnabled: true, usage: ['ENCRYPT', 'DECRYPT'], spec: 'AES_256' })
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    init?.signal?.throwIfAborted()
    return this.handle(request, new URL(request.url).host)
  }

  async handle(request: Request, host: string): Promise<Response> {
    const text = await request.text()
    const path = new URL(request.url).pathname
    const headers = { ...Object.fromEntries(request.headers), host }
    const body = JSON.parse(text) as Record<string, unknown>
    this.asked.push({ path, headers, body })
    const isSigned = this.#isSigned(path, headers, text)
    const answer = isSigned ? this.#answer(path, body) : failure(401, 'AuthenticationFailedException')
    const changed = await this.intercept(answer, path)
    if (changed instanceof Response) return changed
    return Response.json(changed.body, { status: changed.status })
  }

  /** Appendix A, tasks 1 to 4. */
  #isSigned(path: string, headers: Readonly<Record<string, string>>, text: string): boolean {
    const pattern =
      /^AWS4-HMAC-SHA256 Credential=([A-Z2-7]+)\/(\d{8})\/([a-z0-9-]+)\/kms-xks-proxy\/aws4_request, SignedHeaders=host;x-amz-date, Signature=([0-9a-f]{64})$/
    const [, accessKeyId = '', date = '', region = '', signature = ''] = pattern.exec(headers.authorization ?? '') ?? []
    const secret = this.credentials.get(accessKeyId)
    const time = headers['x-amz-date'] ?? ''
    if (secret === undefined || region !== this.region || !time.startsWith(date)) return false
    const sent = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5'))
    if (Math.abs(sent - this.clock()) > 300_000 || Number.isNaN(sent)) return false
    const digest = (data: string): string => createHash('sha256').update(data).digest('hex')
    const canonical = `POST\n${path}\n\nhost:${headers.host}\nx-amz-date:${time}\n\nhost;x-amz-date\n${digest(text)}`
    const toSign = `AWS4-HMAC-SHA256\n${time}\n${date}/${region}/kms-xks-proxy/aws4_request\n${digest(canonical)}`
    const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest()
    const key = [date, region, 'kms-xks-proxy', 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secret}`)
    return timingSafeEqual(hmac(key, toSign), Buffer.from(signature, 'hex'))
  }

  #answer(path: string, body: Record<string, unknown>): Answer {
    if (!path.startsWith(`${PATH}/`)) return failure(404, 'InvalidUriPathException')
    if (path === `${PATH}/health`) return { status: 200, body: this.health }
    const [, id = '', operation = ''] = /\/keys\/([\w.-]{1,128})\/(metadata|encrypt|decrypt)$/.exec(path) ?? []
    const key = this.keys.get(id)
    if (operation === '') return failure(404, 'InvalidUriPathException')
    if (!key) return failure(404, 'KeyNotFoundException')
    if (operation === 'metadata') {
      const keyStatus = key.isEnabled ? 'ENABLED' : 'DISABLED'
      return { status: 200, body: { keySpec: key.spec, keyUsage: key.usage, keyStatus } }
    }
    if (!key.isEnabled) return failure(400, 'InvalidStateException')
    if (!key.usage.includes(operation.toUpperCase())) return failure(400, 'InvalidKeyUsageException')
    return operation === 'encrypt' ? this.#encrypt(key.key, body) : decrypt(key.key, body)
  }

  #encrypt(key: Buffer, body: Record<string, unknown>): Answer {
    const [given, plaintext] = [bytesOf(body.additionalAuthenticatedData), bytesOf(body.plaintext)]
    if (plaintext.length > 4300 || given.length > 8192) return failure(400, 'ValidationException')
    const iv = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(fullAad(given, this.metadata))
    const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()])
    const tag = cipher.getAuthTag()
    const parts = [given, this.metadata, iv, ciphertext, tag]
    const digest = createHash('sha256').update(Buffer.concat(parts)).digest('base64')
    return {
      status: 200,
      body: {
        ciphertext: ciphertext.toString('base64'),
        ...(this.metadata.length > 0 && { ciphertextMetadata: this.metadata.toString('base64') }),
        initializationVector: iv.toString('base64'),
        authenticationTag: tag.toString('base64'),
        ciphertextDataIntegrityValue: digest,
      },
    }
  }
}

function decrypt(key: Buffer, body: Record<string, unknown>): Answer {
  const aad = fullAad(bytesOf(body.additionalAuthenticatedData), bytesOf(body.ciphertextMetadata))
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytesOf(body.initializationVector))
    decipher.setAAD(aad).setAuthTag(bytesOf(body.authenticationTag))
    const plaintext = Buffer.concat([decipher.update(bytesOf(body.ciphertext)), decipher.final()])
    return { status: 200, body: { plaintext: plaintext.toString('base64') } }
  } catch {
    return failure(400, 'InvalidCiphertextException')
  }
}

/** Both lengths are authenticated with what they are the lengths of ("Encrypt", ciphertextMetadata). */
function fullAad(given: Buffer, metadata: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(given.length)
  return Buffer.concat([length, given, Buffer.of(metadata.length), metadata])
}

function bytesOf(value: unknown): Buffer {
  return Buffer.from(typeof value === 'string' ? value : '', 'base64')
}

export function failure(status: number, errorName: string): Answer {
  return { status, body: { errorName, errorMessage: 'a text of the proxy that goes to no caller' } }
}
