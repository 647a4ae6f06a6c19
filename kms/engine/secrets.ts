import type { ActionContext } from './action.ts'
import { OutsideWork } from './outside.ts'

/**
 * Reads secrets, works with them outside the transaction, and wipes them: after the work, or at once if that is done
 * already. `subject` is {@link ActionContext.outside}'s.
 */
export async function withSecrets<T>(
  context: Pick<ActionContext, 'outside'>,
  read: readonly (() => Promise<Uint8Array>)[],
  work: (secrets: readonly Uint8Array[]) => Promise<T>,
  subject?: string,
): Promise<T> {
  const secrets: Uint8Array[] = []
  const wipe = (): void => {
    for (const secret of secrets) secret.fill(0)
  }
  let isTaken = false
  try {
    for (const one of read) secrets.push(await one())
    return await context.outside(() => work(secrets).finally(wipe), subject)
  } catch (error) {
    if (error instanceof OutsideWork) {
      isTaken = true
      error.discard = wipe
    }
    throw error
  } finally {
    if (!isTaken) wipe()
  }
}
