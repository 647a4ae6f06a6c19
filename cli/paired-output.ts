import type { FileOutput, Output } from './output-file.ts'

/**
 * The output of a message whose keys stand in a file beside it: both appear, or none. Where the message has gone to
 * standard output or a pipe already, the file alone is what is left undone.
 *
 * @param contentOf the file's content, once the message is written
 */
export function pairedOutput(
  message: Output | FileOutput,
  record: FileOutput,
  contentOf: () => Promise<Uint8Array>,
): Output {
  return {
    isImmediate: message.isImmediate,
    write: (bytes) => message.write(bytes),
    async commit() {
      await record.write(await contentOf())
      if (!isFile(message)) {
        await record.commit()
        return message.commit()
      }
      await record.complete()
      await message.complete()
      placeBoth(message, record)
      await record.sync()
      await message.sync()
    },
    async abandon() {
      await record.abandon()
      await message.abandon()
    },
  }
}

export function isFile(output: Output | FileOutput): output is FileOutput {
  return 'place' in output
}

/** Synchronous: no signal ends the command between the two. */
function placeBoth(message: FileOutput, record: FileOutput): void {
  const placed = record.placeForNow()
  try {
    message.place()
  } catch (error) {
    placed.takeBack()
    throw error
  }
  placed.keep()
}
