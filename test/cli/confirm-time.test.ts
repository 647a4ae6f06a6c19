import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { localKms } from '../../kms/providers/local.ts'
import { serve } from './server.ts'
import { failed, Shell, succeeded } from './shell.ts'

const DAY = 86_400_000
const shell = new Shell()
const files = ['--kms', shell.path('data'), '--root-key', shell.path('root.key')]
const kms = (...args: string[]): ReturnType<Shell['waxseal']> => shell.waxseal(['kms', ...args, ...files])

let KeyId: string

beforeAll(async () => {
  // As if nobody had opened it for eight days; or as if the clock were wrong by as many.
  const clock = (): number => Date.now() - 8 * DAY
  const old = await localKms({ directory: shell.path('data'), rootKeyFile: shell.path('root.key'), clock })
  ;({ KeyId } = (await old.engine.call('CreateKey', {})).KeyMetadata)
  await old.engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
  await old.close()
})

afterAll(() => shell.remove())

describe('a KMS that was not open for more than a week', () => {
  it('deletes nothing, and the server says so', async () => {
    const running = await serve(shell, '--root-key', shell.path('root.key'))
    const { stderr } = await running.stop()
    expect(stderr).toMatch(/^waxseal: the clock is far ahead .* `waxseal kms confirm-time`\n$/)
    failed(await kms('describe-key', KeyId), 5, /clock is not confirmed/)
  })

  it('goes on when the time is confirmed', async () => {
    expect(succeeded(await kms('confirm-time'))).toBe('')
    failed(await kms('describe-key', KeyId), 5, /does not exist/)
    const running = await serve(shell, '--root-key', shell.path('root.key'))
    expect((await running.stop()).stderr).toBe('')
  })
})
