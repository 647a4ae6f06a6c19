/** A request that is answered with an error before the engine sees it. */
export class Refusal extends Error {
  /** Name of the exception, as AWS clients know it. */
  readonly type: string
  readonly status: number

  constructor(type: string, message: string, status = 400) {
    super(message)
    this.name = 'Refusal'
    this.type = type
    this.status = status
  }
}

/** The refusal of one request too many. */
export function throttled(): Refusal {
  return new Refusal('ThrottlingException', 'You have exceeded the rate at which you may call KMS.')
}
