import { expect, it } from 'vitest'
import { anyCredential, userCredentials, type Credential } from '../../../kms/server/index.ts'
import { ACCOUNT, NOW } from '../engine-setup.ts'
import { newServer, readError, ROOT } from './setup.ts'
import { ACCESS_KEY_ID, sign } from './sign.ts'

it('asks the sources in turn, and gives the secret of a user back when it is not needed any more', async () => {
  const secrets: Uint8Array[] = []
  const noted = (credential: Credential | undefined): Credential | undefined => {
    if (credential) secrets.push(credential.secretAccessKey)
    return credential
  }
  const { engine } = await newServer()
  const users = userCredentials(engine)
  const { server } = await newServer({
    credentials: anyCredential(ROOT, async (id) => noted(await users(id))),
    clock: () => NOW,
  })
  await engine.iam('CreateUser', { UserName: 'alice' })
  const { AccessKey } = await engine.iam('CreateAccessKey', { UserName: 'alice' })
  const draft = { accessKeyId: AccessKey.AccessKeyId, secret: AccessKey.SecretAccessKey }
  const denied = await readError(await server.fetch(sign('ListKeys', NOW, draft)))
  expect(denied.type).toBe('AccessDeniedException')
  const forged = await readError(await server.fetch(sign('ListKeys', NOW, { ...draft, secret: 'x' })))
  expect(forged.type).toBe('InvalidSignatureException')
  // Of each request before its body is read, and when it has come.
  expect(secrets).toHaveLength(4)
  for (const secret of secrets) expect(secret).toEqual(new Uint8Array(40))
  expect((await server.fetch(sign('ListKeys', NOW))).status).toBe(200)
  expect(await users(ACCESS_KEY_ID)).toBeUndefined()
})

it('finds many access keys at once', async () => {
  const { engine } = await newServer()
  await engine.iam('CreateUser', { UserName: 'alice' })
  const { AccessKey } = await engine.iam('CreateAccessKey', { UserName: 'alice' })
  const ids = [AccessKey.AccessKeyId, 'AKIAABSENTABSENT2222', AccessKey.AccessKeyId]
  const found = await Promise.all(ids.map((id) => engine.credentials.find(id)))
  expect(found.map((credential) => credential?.principal.arn)).toEqual([
    `arn:aws:iam::${ACCOUNT}:user/alice`,
    undefined,
    `arn:aws:iam::${ACCOUNT}:user/alice`,
  ])
  // Each has a copy of its own.
  found[0]!.secretAccessKey.fill(0)
  expect(new TextDecoder().decode(found[2]!.secretAccessKey)).toBe(AccessKey.SecretAccessKey)
})
