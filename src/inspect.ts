import { assertBytes } from '../bindings/bytes.ts'
import { describeHeader, readWholeHeader, type MessageHeader } from './message-header.ts'

/** The format's own bound: no key service is called here, so there is nothing to save it from. */
const MAX_ENCRYPTED_DATA_KEYS = 0xffff

/**
 * Reads a message's header without a key. **Nothing in the result is authenticated**: whoever handled the message may
 * have written any of it. Decide nothing of weight by it; `decrypt` answers the header authenticated.
 *
 * @param message a message, or its beginning with the whole header
 * @throws FormatError when it does not begin with a header, or ends inside it
 * @throws TypeError when it is no `Uint8Array`
 */
export function inspect(message: Uint8Array): MessageHeader {
  assertBytes(message, 'message')
  return describeHeader(readWholeHeader(message, MAX_ENCRYPTED_DATA_KEYS))
}
