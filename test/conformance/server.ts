import { decrypt, encrypt } from 'waxseal'
import { kmsKeyring, type KmsProvider } from 'waxseal/kms'
import { awsKms } from 'waxseal/kms/aws'
import { createKmsServer, rootCredential, type KmsServer } from 'waxseal/kms/server'
import { pattern } from './bytes.ts'
import { equal, isTrue, rejects, sameBytes } from './check.ts'
import { EXPECTED } from './expected.ts'
import { newKms } from './kms.ts'
import { group, type Case } from './runtime.ts'

const CREDENTIALS = { accessKeyId: 'AKIDCONFORMANCE', secretAccessKey: 'a secret of the suite' }
const CONTEXT = { tenant: 'a' }

/** The provider for AWS KMS, which reaches the server in this process. */
function providerOf(server: KmsServer, credentials = CREDENTIALS): KmsProvider {
  const fetch = (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    return server.fetch(new Request(url, init))
  }
  return awsKms({ region: 'us-east-1', credentials, fetch })
}

async function newServer(): Promise<{ server: KmsServer; keyId: string; arn: string }> {
  const { engine, keyId, arn } = await newKms()
  return { server: createKmsServer({ engine, credentials: rootCredential(CREDENTIALS) }), keyId, arn }
}

async function messages(): Promise<void> {
  const { server, arn, keyId } = await newServer()
  const provider = providerOf(server)
  const plaintext = pattern(100)
  const keyring = kmsKeyring({ provider, generatorKeyId: 'alias/conformance', keyIds: [arn] })
  const message = await encrypt(keyring, plaintext, { encryptionContext: CONTEXT })
  const opened = await decrypt(kmsKeyring({ provider, keyIds: [keyId] }), message, { encryptionContext: CONTEXT })
  sameBytes(opened.plaintext, plaintext, 'the plaintext')
}

async function refusals(): Promise<void> {
  const { server, arn } = await newServer()
  const other = providerOf(server, { ...CREDENTIALS, secretAccessKey: 'another' })
  const call = { keyId: arn, encryptionContext: CONTEXT }
  const error = await rejects(() => other.generateDataKey({ ...call, numberOfBytes: 32 }), EXPECTED.kms, 'a secret')
  equal(error.name, 'InvalidSignatureException', 'the name of the exception')
  const unsigned = await server.fetch(new Request('https://kms.test/', { method: 'POST', body: '{}' }))
  equal(unsigned.status, 400, 'the status of an unsigned request')
  const { __type } = (await unsigned.json()) as { __type: string }
  equal(__type, 'MissingAuthenticationTokenException', 'the name of the exception')
}

async function pages(): Promise<void> {
  const { server } = await newServer()
  equal((await server.fetch(new Request('https://kms.test/healthz'))).status, 200, 'the state of health')
  equal((await server.fetch(new Request('https://kms.test/metrics'))).status, 403, 'metrics for a stranger')
  const metrics = await server.fetch(new Request('https://kms.test/metrics'), { address: '127.0.0.1' })
  isTrue((await metrics.text()).includes('waxseal_kms_requests_in_progress 1'), 'metrics for this machine')
}

export const serverCases: readonly Case[] = group('server', {
  'a keyring over the AWS provider over the server': messages,
  'requests that are not from whom they say': refusals,
  'health and metrics': pages,
})
