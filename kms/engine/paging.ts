import { KmsError } from '../errors.ts'

/** One page of something that has ids. */
export interface Page<T> {
  readonly items: readonly T[]
  readonly output: { readonly Truncated: false } | { readonly Truncated: true; readonly NextMarker: string }
}

/** Which page, of what. */
export interface PageRequest {
  readonly limit: number
  readonly marker: string | undefined
  /** What the ids of all items begin with; it is no part of a marker. */
  readonly prefix: string
  /** Whether this is, without the prefix, an id of this list. */
  readonly isId: (text: string) => boolean
}

/**
 * Reads one item more than the page to see whether there is another page. The marker is the last id of a page, as
 * base64url: nothing that a caller could not read by listing.
 *
 * @throws KmsError `InvalidMarkerException`
 */
export async function readPage<T extends { readonly row: { readonly id: string } }>(
  request: PageRequest,
  read: (after: string | undefined, limit: number) => Promise<readonly T[]>,
): Promise<Page<T>> {
  const { limit, prefix } = request
  const rows = await read(decodeMarker(request), limit + 1)
  const items = rows.slice(0, limit)
  const last = rows.length > limit ? items.at(-1) : undefined
  if (last === undefined) return { items, output: { Truncated: false } }
  return { items, output: { Truncated: true, NextMarker: encodeMarker(last.row.id.slice(prefix.length)) } }
}

/**
 * A page of what is in memory, each item with its id, in the order of the ids. A page begins behind its marker, whether or
 * not there still is an item of that id.
 *
 * @throws KmsError `InvalidMarkerException`
 */
export function pageOf<T extends { readonly id: string }>(
  items: readonly T[],
  request: Pick<PageRequest, 'limit' | 'marker' | 'isId'>,
): Page<T> {
  const after = decodeMarker({ ...request, prefix: '' })
  const rest = after === undefined ? items : items.filter(({ id }) => id > after)
  const page = rest.slice(0, request.limit)
  const last = rest.length > page.length ? page.at(-1) : undefined
  if (last === undefined) return { items: page, output: { Truncated: false } }
  return { items: page, output: { Truncated: true, NextMarker: encodeMarker(last.id) } }
}

/** @throws KmsError `ValidationException` if a limit that its shape allows is too high for its list */
export function assertLimit(limit: number, max: number): void {
  if (limit <= max) return
  throw new KmsError(
    'ValidationException',
    `1 validation error detected: Value '${String(limit)}' at 'limit' failed to satisfy constraint: ` +
      `Member must have value less than or equal to ${String(max)}`,
  )
}

function invalidMarker(): KmsError {
  return new KmsError('InvalidMarkerException', 'The marker is not one that this KMS answered.')
}

/** Base64url of UTF-8. As in JSON, what has no UTF-8 is escaped: the key of a tag may be any text. */
function encodeMarker(id: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(id).slice(1, -1))))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

function decodeMarker({ marker, prefix, isId }: PageRequest): string | undefined {
  if (marker === undefined) return undefined
  try {
    const bytes = Uint8Array.from(atob(marker.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0))
    const id = JSON.parse(`"${new TextDecoder().decode(bytes)}"`) as string
    if (isId(id) && encodeMarker(id) === marker) return prefix + id
  } catch {
    // Not base64, or not of such a text: refused below like any other.
  }
  throw invalidMarker()
}
