/** What went wrong in words for the user: printed without a stack trace, then the process exits with `exitCode`. */
export class CliError extends Error {
  readonly exitCode: number

  constructor(message: string, exitCode: number = exitCodes.failed) {
    super(message)
    this.exitCode = exitCode
  }
}

export const exitCodes = { fine: 0, found: 1, failed: 2 } as const
