import { createCipheriv, hkdfSync } from 'node:crypto'

/** What a session is made of; nothing of it is drawn. */
export interface SessionInput {
  readonly dataKey: Buffer
  readonly id: Buffer
  readonly wrappingKey: Buffer
  readonly wrappingIv: Buffer
  readonly namespace: string
  readonly name: string
  /** Sorted by their bytes. */
  readonly stored: readonly (readonly [string, string])[]
  readonly required: readonly (readonly [string, string])[]
}

export interface ValueInput {
  readonly counter: number
  readonly field: string
  readonly record: string
  readonly plaintext: Buffer
}

function number(value: number, bytes: number): Buffer {
  return Buffer.from(value.toString(16).padStart(2 * bytes, '0'), 'hex')
}

function counted(...parts: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part as string, 'utf8')
      return [number(bytes.length, 2), bytes]
    }),
  )
}

function contextOf(pairs: SessionInput['stored']): Buffer {
  return pairs.length === 0
    ? Buffer.alloc(0)
    : Buffer.concat([number(pairs.length, 2), ...pairs.map((pair) => counted(...pair))])
}

function seal(key: Buffer, iv: Buffer, aad: Buffer, plaintext: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, iv)
  cipher.setAAD(aad)
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

function derive({ dataKey, id }: SessionInput): { key: Buffer; commitment: Buffer } {
  const info = Buffer.concat([Buffer.from('waxseal field session v1'), number(0x0478, 2)])
  const okm = Buffer.from(hkdfSync('sha512', dataKey, id, info, 64))
  return { key: okm.subarray(0, 32), commitment: okm.subarray(32) }
}

/** The header of a session, written from docs/decisions/0003-field-sessions.md with node:crypto alone. */
export function referenceHeader(session: SessionInput): Buffer {
  const { key, commitment } = derive(session)
  const { stored, required, name, namespace, wrappingKey, wrappingIv, dataKey } = session
  const all = [...stored, ...required].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const providerInfo = Buffer.concat([Buffer.from(name), number(128, 4), number(12, 4), wrappingIv])
  const wrapped = seal(wrappingKey, wrappingIv, contextOf(all), dataKey)
  const before = Buffer.concat([
    Buffer.from('wfs\x01'),
    number(2, 1),
    number(0x0478, 2),
    session.id,
    counted(contextOf(stored)),
    number(1, 2),
    counted(namespace, providerInfo, wrapped),
    number(2, 1),
    number(0xffffffff, 4),
    commitment,
  ])
  return Buffer.concat([
    before,
    seal(key, Buffer.alloc(12), Buffer.concat([before, contextOf(required)]), Buffer.alloc(0)),
  ])
}

/** A value of a session. */
export function referenceValue(session: SessionInput, { counter, field, record, plaintext }: ValueInput): Buffer {
  const iv = number(counter, 12)
  const aad = Buffer.concat([session.id, iv, counted(field), Buffer.from(record)])
  return Buffer.concat([number(1, 1), number(counter, 4), seal(derive(session).key, iv, aad, plaintext)])
}
