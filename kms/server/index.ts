export { createKmsServer, type KmsServer, type KmsServerOptions } from './server.ts'
export {
  anyCredential,
  rootCredential,
  userCredentials,
  type Caller,
  type Credential,
  type CredentialSource,
} from './credentials.ts'
export type { Answer, BodyLimits, Peer, ReceivedRequest } from './exchange.ts'
export { webhook, type Webhook, type WebhookOptions } from './webhook.ts'
