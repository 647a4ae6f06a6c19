import { KmsError } from '../errors.ts'
import type { KeyRecord } from './records.ts'
import type { Tag } from './types.ts'

/** Of a key. */
export const MAX_TAGS = 50

export function tooManyTags(): KmsError {
  return new KmsError('TagException', 'Too many tags')
}

/** @throws KmsError `TagException` */
export function recordTags(tags: readonly Tag[]): KeyRecord['tags'] {
  const names = tags.map(({ TagKey }) => TagKey)
  if (tags.length > MAX_TAGS) throw tooManyTags()
  if (new Set(names).size !== names.length) throw new KmsError('TagException', 'Duplicate tag keys')
  assertTagKeys(names)
  return tags.map(({ TagKey, TagValue }) => ({ key: TagKey, value: TagValue }))
}

/** @throws KmsError `TagException` for the names that AWS keeps for itself */
export function assertTagKeys(names: readonly string[]): void {
  if (names.some((name) => name.toLowerCase().startsWith('aws:'))) {
    throw new KmsError('TagException', 'Tags beginning with aws: are reserved')
  }
}

/** Sets tags, those that are there and new ones. @throws KmsError `TagException` if there would be too many */
export function addTags(tags: KeyRecord['tags'], added: KeyRecord['tags']): KeyRecord['tags'] {
  const others = tags.filter(({ key }) => !added.some((tag) => tag.key === key))
  if (others.length + added.length > MAX_TAGS) throw tooManyTags()
  return [...others, ...added]
}
