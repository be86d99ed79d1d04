const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/** Resolves with the exit code on Ctrl-C and the like. The children ignore Ctrl-C, so that they are stopped in order. */
export function interrupted(): Promise<number> {
  return new Promise(resolve => {
    for (const [signal, exitCode] of Object.entries(exitCodes)) process.once(signal, () => resolve(exitCode))
  })
}

/** @throws Error when `work` takes longer. */
export async function within<T>(longestMs: number, doing: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${doing} took more than ${longestMs / 1000} s, given up`)), longestMs)
  })
  try {
    return await Promise.race([work, tooLong])
  } finally {
    clearTimeout(timer)
  }
}
