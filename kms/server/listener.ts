/** A port that is listened on. */
export interface Listener {
  /** With the port that was taken. */
  readonly url: string
  /** Takes no more connections, answers the requests that are in progress, and ends. */
  readonly close: () => Promise<void>
}
