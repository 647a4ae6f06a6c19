import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Shell, failed, succeeded } from './shell.ts'

const shell = new Shell()
const key = (name: string): string => `provider=raw-aes,namespace=test,name=${name},file=${name}.key`

beforeAll(() => {
  shell.write('k1.key', Buffer.alloc(32, 1))
  shell.write('k2.key', Buffer.alloc(32, 2))
})

afterAll(() => shell.remove())

describe('waxseal rewrap', () => {
  it.each([
    ['version 2', []],
    ['version 2, signed', ['--suite', '0x0578']],
    ['version 1', ['--suite', '0x0178', '--commitment-policy', 'forbid-encrypt-allow-decrypt']],
  ])('puts a message of %s under another key in its place', async (_, suite) => {
    const policy = suite.slice(2)
    succeeded(await shell.waxseal(['encrypt', '-w', key('k1'), ...suite, '-c', 'a=1', '-o', 'm.wax'], 'text'))
    const rewrapping = ['rewrap', 'm.wax', '-w', key('k2'), '--from-wrapping-key', key('k1'), ...policy]
    expect(succeeded(await shell.waxseal(rewrapping))).toBe('')
    expect(succeeded(await shell.waxseal(['decrypt', '-w', key('k2'), '-c', 'a=1', '-i', 'm.wax', ...policy]))).toBe(
      'text',
    )
    expect((await shell.waxseal(['decrypt', '-w', key('k1'), '-i', 'm.wax', ...policy])).code).not.toBe(0)
  })

  it('leaves the message as it was after a failure', async () => {
    succeeded(await shell.waxseal(['encrypt', '-w', key('k1'), '-o', 'n.wax'], 'text'))
    const before = shell.read('n.wax')
    failed(await shell.waxseal(['rewrap', 'n.wax', '-w', key('k1'), '--from-wrapping-key', key('k2')]), 5, /./)
    failed(await shell.waxseal(['rewrap', 'n.wax', '--from-wrapping-key', key('k1')]), 2, /name what to encrypt under/)
    failed(
      await shell.waxseal(['rewrap', 'none', '-w', key('k2'), '--from-wrapping-key', key('k1')]),
      1,
      /cannot read none/,
    )
    expect(shell.read('n.wax')).toEqual(before)
  })
})
