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

/** A page of what is in memory, each item with its id, in the order of the array. */
export function pageOf<T extends { readonly id: string }>(
  items: readonly T[],
  { limit, marker }: Pick<PageRequest, 'limit' | 'marker'>,
): Page<T> {
  const last = items.findIndex(({ id }) => marker !== undefined && encodeMarker(id) === marker)
  if (marker !== undefined && last < 0) throw invalidMarker()
  const end = last + 1 + limit
  const page = items.slice(last + 1, end)
  if (end >= items.length) return { items: page, output: { Truncated: false } }
  return { items: page, output: { Truncated: true, NextMarker: encodeMarker(items[end - 1]?.id ?? '') } }
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

function encodeMarker(id: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(id)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

function decodeMarker({ marker, prefix, isId }: PageRequest): string | undefined {
  if (marker === undefined) return undefined
  try {
    const id = atob(marker.replaceAll('-', '+').replaceAll('_', '/'))
    if (isId(id) && encodeMarker(id) === marker) return prefix + id
  } catch {
    // Not base64: refused below like any other text.
  }
  throw invalidMarker()
}
