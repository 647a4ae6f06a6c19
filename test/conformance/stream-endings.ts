import { decryptStream, encrypt, encryptStream, type Keyring } from 'waxseal'
import { pattern } from './bytes.ts'
import { allZero, equal, isTrue, rejects } from './check.ts'
import { EXPECTED } from './expected.ts'
import { pour } from './pouring.ts'
import { group, type Case } from './runtime.ts'
import { failsBoth, keyring, settled, watched } from './stream-setup.ts'

/** What a stream does once it is over, whichever way: in the middle of a frame. */
async function endings(): Promise<void> {
  const reason = new RangeError('no longer wanted')
  const message = await encrypt(keyring, pattern(100), { frameLength: 40 })
  const ways = ['signal', 'cancel', 'abort'] as const
  for (const way of ways) {
    for (const direction of ['encrypt', 'decrypt']) {
      const watch = watched()
      const controller = new AbortController()
      const options = { signal: controller.signal, frameLength: 40 }
      const stream =
        direction === 'encrypt' ? encryptStream(watch.keyring, options) : decryptStream(watch.keyring, options)
      const writer = stream.writable.getWriter()
      const reader = stream.readable.getReader()
      writer.closed.catch(() => undefined)
      reader.closed.catch(() => undefined)
      const written = writer.write(direction === 'encrypt' ? pattern(60) : message.slice(0, -10))
      // Of a message its header and a frame, of the plaintext two frames at once.
      for (let reads = direction === 'encrypt' ? 2 : 1; reads > 0; reads--) {
        isTrue(((await reader.read()).value?.length ?? 0) > 0, 'something came out')
      }
      await written
      if (way === 'signal') controller.abort(reason)
      else if (way === 'cancel') await reader.cancel(reason)
      else await writer.abort(reason)
      const what = `${direction}, ${way}`
      if (way === 'cancel') isTrue((await reader.read()).done, 'a reader that cancelled is at the end')
      else equal(await rejects(() => reader.read(), EXPECTED.range, what), reason, `${what}: read`)
      equal(await rejects(() => writer.write(pattern(5)), EXPECTED.range, what), reason, `${what}: write`)
      equal(watch.dataKeys.length, 1, 'the number of data keys')
      for (const dataKey of watch.dataKeys) allZero(dataKey, 'the data key')
    }
  }
}

/** A write that waits for a reader who does not read. */
async function endedWaiting(): Promise<void> {
  const reason = new RangeError('no longer wanted')
  for (const way of ['signal', 'cancel', 'abort']) {
    const controller = new AbortController()
    const { readable, writable } = encryptStream(keyring, { signal: controller.signal })
    const writer = writable.getWriter()
    writer.closed.catch(() => undefined)
    const written = writer.write(pattern(10))
    await settled()
    if (way === 'signal') controller.abort(reason)
    else if (way === 'cancel') await readable.cancel(reason)
    else await writer.abort(reason)
    equal(await rejects(() => written, EXPECTED.range, way), reason, 'the reason')
  }
}

async function abortedEarly(): Promise<void> {
  const reason = new RangeError('no longer wanted')
  const watch = watched()
  const options = { signal: AbortSignal.abort(reason) }
  for (const stream of [encryptStream(watch.keyring, options), decryptStream(watch.keyring, options)]) {
    failsBoth(await pour(stream, [pattern(5)]), reason)
  }
  const { header } = decryptStream(watch.keyring, options)
  equal(await rejects(() => header, EXPECTED.range, 'header'), reason, 'the reason')
  equal(watch.calls, 0, 'the calls of the keyring')
}

/** While the key service is at work. */
async function abortedWaiting(): Promise<void> {
  const reason = new RangeError('no longer wanted')
  const message = await encrypt(keyring, pattern(100))
  for (const isEncrypting of [true, false]) {
    const controller = new AbortController()
    let answer: (() => void) | undefined
    const asked = new Promise<void>((resolve) => {
      answer = resolve
    })
    const pass = (): Promise<void> => {
      answer?.()
      return settled()
    }
    const waiting: Keyring = {
      wrap: (materials) => pass().then(() => keyring.wrap(materials)),
      unwrap: (...args) => pass().then(() => keyring.unwrap(...args)),
    }
    const { signal } = controller
    const stream = isEncrypting ? encryptStream(waiting, { signal }) : decryptStream(waiting, { signal })
    const poured = pour(stream, [isEncrypting ? pattern(100) : message])
    await asked
    controller.abort(reason)
    failsBoth(await poured, reason)
    equal((await poured).output.length, 0, 'the bytes that came out')
    await settled()
  }
}

/** How a stream ends before its message does. */
export const streamEndingCases: readonly Case[] = group('streams', {
  'ended in the middle of a frame': endings,
  'ended while a write waits': endedWaiting,
  'a signal that is aborted': abortedEarly,
  'aborted while a keyring is asked': abortedWaiting,
})
