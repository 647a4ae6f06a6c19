import { HOST_SPEEDS, type FrameCipher, type Host } from './host.ts'
import type { MessageKey } from './message.ts'

/** WebCrypto's AES-GCM, which takes a text in one piece. */
export const host: Host = {
  isSynchronous: false,
  maxTextBytes: 2 ** 30,
  speed: HOST_SPEEDS.web,
  frames: loadFrames,
}

/** In a part of its own: most messages are small. A Service Worker loads nothing later, if a bundle was split. */
async function loadFrames(key: MessageKey): Promise<FrameCipher | undefined> {
  const part = await import('./host-aes.web.ts').catch(() => undefined)
  return part?.webFrames(key)
}
