/** A decimal number that a double holds exactly enough to compare: up to 15 digits. */
export function readNumber(text: string): number | undefined {
  return /^-?\d+(?:\.\d+)?$/.test(text) && text.replace(/\D/g, '').length <= 15 ? Number(text) : undefined
}

/** `true` or `false` in any case. */
export function readBoolean(text: string): boolean | undefined {
  const word = text.toLowerCase()
  return word === 'true' ? true : word === 'false' ? false : undefined
}

const DATE = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d{1,9})?)?(?:Z|([+-])(\d\d):(\d\d)))?)?)?$/

/**
 * Milliseconds since 1970 of a date in one of the forms of the W3C note on ISO 8601 (a year alone, up to fractions of
 * a second; UTC where no offset can be given), or in seconds since 1970. Four digits are a year.
 */
export function readDate(text: string): number | undefined {
  const match = DATE.exec(text)
  if (!match) {
    const seconds = readNumber(text)
    return seconds === undefined ? undefined : seconds * 1000
  }
  const part = (i: number, otherwise: number): number => (match[i] === undefined ? otherwise : Number(match[i]))
  const [year, month, day] = [part(1, 0), part(2, 1), part(3, 1)]
  const [hour, minute, second] = [part(4, 0), part(5, 0), part(6, 0)]
  const [offsetHours, offsetMinutes] = [part(9, 0), part(10, 0)]
  if (hour > 23 || minute > 59 || second > 59 || offsetHours > 23 || offsetMinutes > 59) return undefined
  const midnight = new Date(0)
  midnight.setUTCFullYear(year, month - 1, day)
  // A day that the month does not have is counted into the next one.
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return undefined
  const offset = (match[8] === '-' ? -1 : 1) * (offsetHours * 60 + offsetMinutes)
  return midnight.getTime() + ((hour * 60 + minute - offset) * 60 + second + part(7, 0)) * 1000
}

/** Base64 (RFC 4648 §4) in the one form in which it is written for its bytes. */
export function readBase64(text: string): string | undefined {
  try {
    return btoa(atob(text)) === text ? text : undefined
  } catch {
    return undefined
  }
}

/** An address as bytes: 4 of them, or 16. An IPv4 address that is written as IPv6 (RFC 4291 §2.5.5.2) is IPv4. */
export function readIpAddress(text: string): readonly number[] | undefined {
  return readIPv4(text) ?? unmap(readIPv6(text))
}

function readIPv4(text: string): readonly number[] | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  const bytes = parts.map((part) => (/^(?:0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256))
  return bytes.every((byte) => byte < 256) ? bytes : undefined
}

/** RFC 4291 §2.2. */
function readIPv6(text: string): readonly number[] | undefined {
  if (text.length > 45) return undefined
  const [head = '', tail, ...more] = text.split('::')
  if (more.length > 0) return undefined
  const start = readGroups(head, tail === undefined)
  const end = readGroups(tail ?? '', true)
  if (!start || !end) return undefined
  const missing = 16 - start.length - end.length
  if (tail === undefined ? missing !== 0 : missing < 2) return undefined
  return [...start, ...Array.from({ length: missing }, () => 0), ...end]
}

function readGroups(text: string, isLast: boolean): readonly number[] | undefined {
  if (text === '') return []
  const bytes: number[] = []
  const groups = text.split(':')
  for (const [i, group] of groups.entries()) {
    const embedded = isLast && i === groups.length - 1 ? readIPv4(group) : undefined
    if (embedded) bytes.push(...embedded)
    else if (/^[0-9a-f]{1,4}$/i.test(group))
      bytes.push(Number.parseInt(group, 16) >>> 8, Number.parseInt(group, 16) & 255)
    else return undefined
  }
  return bytes
}

function isMapped(bytes: readonly number[]): boolean {
  return bytes.length === 16 && bytes.slice(0, 12).every((byte, i) => byte === (i < 10 ? 0 : 255))
}

function unmap(bytes: readonly number[] | undefined): readonly number[] | undefined {
  return bytes && isMapped(bytes) ? bytes.slice(12) : bytes
}

/** Addresses that begin with the same bits. */
export interface IpRange {
  readonly address: readonly number[]
  readonly bits: number
}

/** An address, or a range in CIDR form (RFC 4632 §3.1, RFC 4291 §2.3); bits after the prefix do not count. */
export function readIpRange(text: string): IpRange | undefined {
  const [addressText = '', bitsText, ...more] = text.split('/')
  const written = readIPv4(addressText) ?? readIPv6(addressText)
  if (!written || more.length > 0) return undefined
  const bits =
    bitsText === undefined ? written.length * 8 : /^(?:0|[1-9]\d{0,2})$/.test(bitsText) ? Number(bitsText) : -1
  if (bits < 0 || bits > written.length * 8) return undefined
  return isMapped(written) && bits >= 96 ? { address: written.slice(12), bits: bits - 96 } : { address: written, bits }
}

/** Whether an address is in a range of the same version of IP. */
export function isInRange(address: readonly number[], range: IpRange): boolean {
  if (address.length !== range.address.length) return false
  return range.address.every((byte, i) => {
    const bits = Math.min(Math.max(range.bits - i * 8, 0), 8)
    return (byte ^ address[i]!) >>> (8 - bits) === 0
  })
}
