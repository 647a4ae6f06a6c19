// The parts of a message in the AWS Encryption SDK format, as the core and the runtime's AES work on them.

export { parseContext, serializeContext, type ContextPair } from './context.ts'
export { framedBodyLength } from './frames.ts'
export {
  parseHeader,
  serializeHeader,
  type CipherSuite,
  type EncryptedDataKey,
  type HeaderFields,
  type ParsedHeader,
} from './header.ts'
export type { FramePosition, MessageKey } from './message-key.ts'
export { openingKey, type OpenedFrames, type OpenedSingleBlock, type OpeningKey } from './opening-key.ts'
export { pkcs1Unpad } from './pkcs1.ts'
export { sealingKey, type SealingKey, type SealingPosition } from './sealing-key.ts'
