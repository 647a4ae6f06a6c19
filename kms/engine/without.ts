/** A copy of an object without one of its members. */
export function without<T extends object, K extends keyof T>(object: T, name: K): Omit<T, K> {
  const copy: Partial<T> = { ...object }
  // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- `name` is one of the copy's own members
  delete copy[name]
  return copy as Omit<T, K>
}
