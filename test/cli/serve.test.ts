import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { chmodSync, rmSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { KMS } from '@aws-sdk/client-kms'
import { afterAll, describe, expect, it } from 'vitest'
import { client as clientOf, rootCredentials, serve as serveIn, type AccessKey, type Running } from './server.ts'
import { failed, Shell, succeeded } from './shell.ts'

const shell = new Shell()
const TLS = fileURLToPath(new URL('../kms/server/tls/', import.meta.url))

afterAll(() => shell.remove())

const serve = (...args: string[]): Promise<Running> => serveIn(shell, ...args)
const credentials = (): AccessKey => rootCredentials(shell)
const client = (endpoint: string, region = 'us-east-1', key = credentials()): KMS => clientOf(endpoint, key, region)

describe('waxseal serve', () => {
  it('makes credentials once, serves with them, keeps its keys, and ends in order', async () => {
    const first = await serve()
    expect(statSync(shell.path('data/credentials')).mode & 0o777).toBe(0o600)
    const made = credentials()
    const { KeyMetadata } = await client(first.url).createKey({})
    expect(succeeded(await first.stop())).toContain(first.url)
    const second = await serve()
    expect(credentials()).toEqual(made)
    expect((await client(second.url).describeKey({ KeyId: KeyMetadata?.KeyId })).KeyMetadata).toEqual(KeyMetadata)
    expect(await (await fetch(`${second.url}/metrics`)).text()).toContain('action="DescribeKey",outcome="ok"} 1')
    succeeded(await second.stop())
  })

  it('takes credentials of the environment, and writes them nowhere', async () => {
    rmSync(shell.path('data/credentials'))
    const key = { accessKeyId: 'AKIDENVIRONMENT', secretAccessKey: 'a secret of the environment' }
    shell.env.WAXSEAL_ROOT_ACCESS_KEY_ID = key.accessKeyId
    shell.env.WAXSEAL_ROOT_SECRET_ACCESS_KEY = key.secretAccessKey
    const running = await serve()
    expect((await client(running.url, 'us-east-1', key).listKeys({})).Keys).toHaveLength(1)
    const stdout = succeeded(await running.stop())
    delete shell.env.WAXSEAL_ROOT_SECRET_ACCESS_KEY
    failed(await shell.waxseal(['serve', '--data', shell.path('data')]), 2, /set both/)
    delete shell.env.WAXSEAL_ROOT_ACCESS_KEY_ID
    expect(stdout).toContain('the environment')
    // The access key id is no secret: the audit log names it.
    const found = await shell.bash(`grep -rla 'a secret of the environment' . || true`)
    expect([found.stdout.toString(), shell.tree().includes('data/credentials')]).toEqual(['', false])
  })

  it('serves several Regions, told apart by the signature', async () => {
    const running = await serve('--region', 'eu-central-1', '--region', 'us-west-2')
    const { KeyMetadata } = await client(running.url, 'us-west-2').createKey({})
    expect(KeyMetadata?.Arn).toMatch(/^arn:aws:kms:us-west-2:000000000000:key\//)
    expect((await client(running.url, 'eu-central-1').listKeys({})).Keys).toEqual([])
    await expect(client(running.url, 'us-east-1').listKeys({})).rejects.toMatchObject({
      name: 'InvalidSignatureException',
    })
    succeeded(await running.stop())
  })

  it('serves under TLS to others, and not without it', async () => {
    const running = await serve(
      '--host',
      '0.0.0.0',
      '--tls-cert',
      `${TLS}first.cert.pem`,
      '--tls-key',
      `${TLS}first.key.pem`,
    )
    expect(running.url).toMatch(/^https:\/\/0\.0\.0\.0:/)
    succeeded(await running.stop())
    const data = ['serve', '--data', shell.path('data'), '--port', '0']
    failed(await shell.waxseal([...data, '--host', '0.0.0.0']), 2, /not a loopback address/)
    failed(await shell.waxseal([...data, '--tls-cert', 'x']), 2, /give both/)
    failed(await shell.waxseal([...data, '--tls-cert', 'x', '--tls-key', 'y']), 1, /ENOENT/)
  })

  it('posts what happens to keys to a webhook, signed, and counts it', async () => {
    const receiver = createServer().listen(0, '127.0.0.1')
    await once(receiver, 'listening')
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`
    const args = ['--webhook', url]
    failed(await shell.waxseal(['serve', '--data', shell.path('data'), ...args]), 2, /WAXSEAL_WEBHOOK_SECRET/)
    shell.env.WAXSEAL_WEBHOOK_SECRET = 'a webhook secret'
    const running = await serve(...args)
    const kms = client(running.url)
    const { KeyMetadata } = await kms.createKey({})
    const arrived = once(receiver, 'request')
    await kms.rotateKeyOnDemand({ KeyId: KeyMetadata?.KeyId })
    const [request, response] = (await arrived) as [IncomingMessage, ServerResponse]
    const body = await text(request)
    response.end()
    expect(JSON.parse(body)).toMatchObject({ 'detail-type': 'KMS CMK Rotation', resources: [KeyMetadata?.Arn] })
    const [, time, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(request.headers['x-waxseal-signature'])) ?? []
    expect(mac).toBe(createHmac('sha256', 'a webhook secret').update(`${time}.${body}`).digest('hex'))
    const metrics = await (await fetch(`${running.url}/metrics`)).text()
    expect(metrics).toContain('waxseal_kms_signals_total{type="rotation"} 1')
    succeeded(await running.stop())
    const withPassword = ['serve', '--port', '0', '--data', shell.path('data'), '--webhook', 'https://user:password@x']
    failed(await shell.waxseal(withPassword), 2, /no user name and password/)
    delete shell.env.WAXSEAL_WEBHOOK_SECRET
    receiver.close()
  })

  it('refuses what it cannot serve', async () => {
    const data = ['serve', '--data', shell.path('data'), '--port', '0']
    failed(await shell.waxseal(['serve', '--port', '65536']), 2, /port/)
    failed(await shell.waxseal([...data, '--account', '1']), 2, /twelve digits/)
    failed(await shell.waxseal([...data, '--region', 'nowhere']), 2, /region/)
    failed(await shell.waxseal([...data, '--seed', 'x']), 1, /cannot read x/)
    chmodSync(shell.path('data/credentials'), 0o644)
    failed(await shell.waxseal(data), 5, /open to other users/)
    shell.write('data/credentials', '[default]\n')
    chmodSync(shell.path('data/credentials'), 0o600)
    failed(await shell.waxseal(data), 5, /holds no access key/)
  })
})
