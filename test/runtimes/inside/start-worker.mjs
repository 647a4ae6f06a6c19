// For `workerd test`: the clock of an isolate stands still, so that the whole process is timed.
import { decrypt, rawAesKeyring } from 'waxseal'

const fromBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0))

export default {
  async test() {
    const keyring = rawAesKeyring({ namespace: 'start', name: 'k', wrappingKey: fromBase64(WRAPPING_KEY) })
    const { plaintext } = await decrypt(keyring, fromBase64(MESSAGE))
    if (plaintext.length !== 64) throw new Error('the first message did not decrypt')
  },
}
