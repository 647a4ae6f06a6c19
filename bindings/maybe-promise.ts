/** A value that is there at once where the runtime's cryptography is synchronous, and later elsewhere. */
export type MaybePromise<T> = T | Promise<T>

/** Calls `next` with the value: at once if it is here, else when it comes. The promise may be of anybody's making. */
export function whenHere<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return isThenable(value) ? Promise.resolve(value).then(next) : next(value)
}

/** Whether the value has to be waited for. */
export function isThenable<T>(value: MaybePromise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** Does `work`, and `fail`, which throws, when that fails. */
export function orElse<T>(work: () => MaybePromise<T>, fail: (error: unknown) => never): MaybePromise<T> {
  try {
    const result = work()
    return isThenable(result) ? result.catch(fail) : result
  } catch (error) {
    return fail(error)
  }
}

/** Does `work`, and `end` when it is done or has failed. */
export function endWith<T>(work: () => MaybePromise<T>, end: () => void): MaybePromise<T> {
  let result: MaybePromise<T>
  try {
    result = work()
  } catch (error) {
    end()
    throw error
  }
  if (result instanceof Promise) return result.finally(end)
  end()
  return result
}

/** The value of work that was asked not to wait. */
export function now<T>(value: MaybePromise<T>): T {
  if (value instanceof Promise) throw new TypeError('asynchronous work where synchronous work was asked for')
  return value
}
