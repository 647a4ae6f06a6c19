import type { MessageHeader } from '../src/index.ts'
import { printable } from './failure.ts'

type EncryptedDataKey = MessageHeader['encryptedDataKeys'][number]

/** A header as the JSON that `--json` prints. */
export interface HeaderJson {
  readonly messageVersion: number
  readonly algorithmSuite: { readonly id: string; readonly name: string }
  /** Hexadecimal. */
  readonly messageId: string
  readonly encryptionContext: Readonly<Record<string, string>>
  readonly encryptedDataKeys: readonly {
    readonly providerId: string
    /** As text where it is text, else base64 under the other name. */
    readonly providerInfo?: string
    readonly providerInfoBase64?: string
  }[]
  readonly contentType: string
  readonly frameLength: number
  readonly headerLength: number
}

export function headerJson(header: MessageHeader): HeaderJson {
  const { algorithmSuite: suite } = header
  return {
    messageVersion: header.messageVersion,
    algorithmSuite: { id: suiteId(suite.id), name: suite.name },
    messageId: hex(header.messageId),
    encryptionContext: header.encryptionContext,
    encryptedDataKeys: header.encryptedDataKeys.map((key) => {
      const text = textOf(key.providerInfo)
      const base64 = Buffer.from(key.providerInfo).toString('base64')
      return {
        providerId: key.providerId,
        ...(text === undefined ? { providerInfoBase64: base64 } : { providerInfo: text }),
      }
    }),
    contentType: header.contentType,
    frameLength: header.frameLength,
    headerLength: header.byteLength,
  }
}

/** A header in lines for people. */
export function headerText(header: MessageHeader): string {
  const { algorithmSuite: suite, contentType, frameLength, encryptionContext } = header
  const pairs = Object.entries(encryptionContext).map(([key, value]) => ['context', `${key} = ${value}`])
  const keys = header.encryptedDataKeys.map((key) => ['key', describeKey(key)])
  const rows = [
    ['suite', `${suite.name} (${suiteId(suite.id)})`],
    ['format version', String(header.messageVersion)],
    ['message id', hex(header.messageId)],
    ...pairs,
    ...keys,
    ['body', contentType === 'framed' ? `frames of ${frameLength} bytes` : 'one block'],
  ]
  return rows.map(([label = '', value = '']) => `${label.padEnd(16)}${printable(value)}`).join('\n')
}

function describeKey({ providerId, providerInfo }: EncryptedDataKey): string {
  return `${providerId}: ${textOf(providerInfo) ?? `${hex(providerInfo)} (hexadecimal)`}`
}

function suiteId(id: number): string {
  return `0x${id.toString(16).padStart(4, '0')}`
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return text === printable(text) ? text : undefined
  } catch {
    return undefined
  }
}
