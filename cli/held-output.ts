import { CommandError } from './failure.ts'
import type { Output } from './output-file.ts'

/** Plaintext that waits in memory for its signature. */
const MAX_HELD_BYTES = 0x2000000

/**
 * An output that cannot be taken back, for plaintext that may turn out to be forged when its end is reached: what
 * comes is held until all of it is verified. More than 32 MiB are refused.
 *
 * @param isHeld asked at the first bytes
 */
export function heldOutput(output: Output, isHeld: () => Promise<boolean>): Output {
  const held: Uint8Array[] = []
  let bytesHeld = 0
  let decision: Promise<boolean> | undefined
  const wipe = (): void => {
    for (const bytes of held) bytes.fill(0)
    held.length = 0
  }
  return {
    isImmediate: true,
    async write(bytes) {
      if (!(await (decision ??= isHeld()))) return output.write(bytes)
      bytesHeld += bytes.length
      if (bytesHeld > MAX_HELD_BYTES) {
        throw new CommandError(
          'other',
          'the message is signed, and longer than what is held in memory until its signature is verified: use -o FILE',
        )
      }
      held.push(Uint8Array.from(bytes))
    },
    async commit() {
      for (const bytes of held) await output.write(bytes)
      wipe()
      await output.commit()
    },
    async abandon() {
      wipe()
      await output.abandon()
    },
  }
}
