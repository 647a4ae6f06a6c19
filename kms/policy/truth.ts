/**
 * What an evaluation knows. `unsure` is the answer where the public sources disagree, where a value of the request
 * cannot be read, and where two keys of the request differ only in case: a statement that is unsure denies if its effect
 * is Deny, and does not allow if it is Allow.
 */
export type Truth = 'yes' | 'no' | 'unsure'

export function truthOf(isTrue: boolean): Truth {
  return isTrue ? 'yes' : 'no'
}

export function not(truth: Truth): Truth {
  return truth === 'unsure' ? truth : truthOf(truth === 'no')
}

/** `yes` if one of them is, else `unsure` if one of them is. `no` for an empty list. */
export function anyOf<T>(items: readonly T[], test: (item: T) => Truth): Truth {
  let result: Truth = 'no'
  for (const item of items) {
    const truth = test(item)
    if (truth === 'yes') return truth
    if (truth === 'unsure') result = truth
  }
  return result
}

/** `no` if one of them is, else `unsure` if one of them is. `yes` for an empty list. */
export function allOf<T>(items: readonly T[], test: (item: T) => Truth): Truth {
  let result: Truth = 'yes'
  for (const item of items) {
    const truth = test(item)
    if (truth === 'no') return truth
    if (truth === 'unsure') result = truth
  }
  return result
}
