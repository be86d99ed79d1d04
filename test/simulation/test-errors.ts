/** What a loader fails with. */
export class SourceFailure extends Error {
  override readonly name: string = 'SourceFailure'
  readonly code: string = 'SOURCE_DOWN'
}

/** What a caller aborts with. */
export const callerLeft: Error = new Error('the caller has left')
