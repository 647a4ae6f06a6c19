/**
 * What holds in every runtime, as plain functions over the public API: no test framework, nothing of one runtime.
 * Whatever the library gains joins these cases in the same change. What a runtime lacks must be refused there with an
 * `UnsupportedError`; no case is left out. `npm run test:runtimes` runs them on the packed package (test/runtimes/).
 */
import { asymmetricCases } from './asymmetric.ts'
import { cachingCases } from './caching.ts'
import { coreVectorCases, type CoreVectors } from './core-vectors.ts'
import { dynamoDbCases } from './dynamodb.ts'
import { ecdhCases } from './ecdh.ts'
import { engineCases } from './engines.ts'
import { errorCases } from './errors.ts'
import { readingCases, writeMessages, type Written } from './exchange.ts'
import { fieldSessionCases } from './field-sessions.ts'
import { forbiddenCases } from './forbidden.ts'
import { hierarchicalCases } from './hierarchical.ts'
import { inputCases } from './inputs.ts'
import type { RsaPair } from './keyrings.ts'
import { kmsCases } from './kms.ts'
import { limitCases } from './limits.ts'
import { messageVectorCases, type MessageVectors } from './message-vectors.ts'
import { pairKeyringCases } from './pair-keyrings.ts'
import { passphraseCases } from './passphrase.ts'
import { rangeCases } from './ranges.ts'
import { rewrapCases } from './rewrap.ts'
import { roundTripCases } from './round-trips.ts'
import type { Case, Runtime } from './runtime.ts'
import { serverCases } from './server.ts'
import { streamEndingCases } from './stream-endings.ts'
import { streamCases } from './streams.ts'
import { wipingCases } from './wiping.ts'

/** What a runner passes in. */
export interface Input {
  readonly runtime: Runtime
  readonly rsa: RsaPair
  readonly core: CoreVectors
  readonly messages: readonly MessageVectors[]
  /** What each runtime wrote: when it is there, these messages are read and nothing else is done. */
  readonly written?: Readonly<Record<string, Written>>
}

/** What a runner gets back; plain data. */
export interface Report {
  readonly cases: number
  readonly failures: readonly { readonly name: string; readonly reason: string }[]
  /** The messages that this runtime wrote. */
  readonly written: Written
  readonly milliseconds: number
}

function suite({ runtime, rsa, core, messages }: Input): readonly Case[] {
  if (runtime.isWasmForbidden === true) return forbiddenCases
  return [
    ...coreVectorCases(core),
    ...messages.flatMap(messageVectorCases),
    ...roundTripCases(rsa),
    ...ecdhCases,
    ...cachingCases,
    ...fieldSessionCases,
    ...engineCases,
    ...streamCases,
    ...streamEndingCases,
    ...errorCases(rsa),
    ...wipingCases,
    ...rangeCases,
    ...rewrapCases,
    ...limitCases,
    ...inputCases,
    ...kmsCases,
    ...asymmetricCases,
    ...pairKeyringCases,
    ...serverCases,
    ...hierarchicalCases,
    ...dynamoDbCases,
    ...passphraseCases,
  ]
}

function reading({ rsa, written = {} }: Input): readonly Case[] {
  return Object.entries(written).flatMap(([writer, messages]) => readingCases(rsa, writer, messages))
}

/**
 * Runs the cases one after the other, with those that only some runtimes can load.
 *
 * @param more from `files.ts`
 */
export async function conform(input: Input, more: readonly Case[] = []): Promise<Report> {
  const start = performance.now()
  const cases = input.written === undefined ? [...suite(input), ...more] : reading(input)
  const failures: { name: string; reason: string }[] = []
  for (const { name, run } of cases) {
    try {
      await run(input.runtime)
    } catch (error) {
      failures.push({ name, reason: String(error) })
    }
  }
  const mayWrite = input.written === undefined && input.runtime.isWasmForbidden !== true
  const written = mayWrite ? await writeMessages(input.rsa, input.runtime) : {}
  return { cases: cases.length, failures, written, milliseconds: performance.now() - start }
}
