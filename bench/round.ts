export interface Round {
  readonly perSecond: number
  readonly cpuUs: number
}

const roundMs = 250

/** `inFlight` callers in a closed loop over `keyCount` keys, for a short while. */
export async function playRound(read: (index: number) => Promise<unknown>, keyCount: number, inFlight: number): Promise<Round> {
  let reads = 0
  const cpuBefore = process.cpuUsage()
  const startedAt = performance.now()
  const endsAt = startedAt + roundMs
  await Promise.all(
    Array.from({ length: inFlight }, async (_, caller) => {
      for (let index = caller; performance.now() < endsAt; index += inFlight) {
        await read(index % keyCount)
        reads++
      }
    }),
  )
  const perSecond = (reads / (performance.now() - startedAt)) * 1000
  const { user, system } = process.cpuUsage(cpuBefore)
  return { perSecond, cpuUs: (user + system) / reads }
}
