import { KmsError } from '../errors.ts'

/** Refuses an input without a member that this kind of request needs. @throws KmsError `ValidationException` */
export function assertGiven<T extends object>(input: T, names: readonly (string & keyof T)[]): void {
  const missing = names.filter((name) => input[name] === undefined)
  if (missing.length > 0) throw new KmsError('ValidationException', `This request needs ${missing.join(', ')}.`)
}

/** Refuses members that mean nothing to this kind of request. @throws KmsError `ValidationException` */
export function assertNotGiven<T extends object>(input: T, names: readonly (string & keyof T)[], kind: string): void {
  const wrong = names.filter((name) => input[name] !== undefined)
  if (wrong.length > 0) throw new KmsError('ValidationException', `${wrong.join(', ')}: not valid for ${kind}.`)
}
