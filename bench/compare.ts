import { median, type Measurement } from './measurement.ts'
import { playRound, type Round } from './round.ts'

export interface Contender {
  readonly name: string
  readonly payload: string
  /** One read of key `index`. */
  readonly read: (index: number) => Promise<unknown>
}

export const keyCount = 256

/** Lets the contenders take turns, round by round. The first of them is the control. */
export async function compare(contenders: readonly Contender[], inFlight: number, rounds: number): Promise<Measurement[]> {
  const taken = contenders.map((): Round[] => [])
  for (let index = -2; index < rounds; index++) {
    for (const [which, contender] of contenders.entries()) {
      const result = await playRound(contender.read, keyCount, inFlight)
      if (index >= 0) taken[which]?.push(result)
    }
  }
  return contenders.map(({ name, payload }, which) => {
    const own = taken[which] ?? []
    const ratios = own.map(({ perSecond }, index) => perSecond / (taken[0]?.[index]?.perSecond ?? Number.NaN))
    const perSecond = median(own.map(each => each.perSecond))
    return { name, payload, inFlight, perSecond, ratio: median(ratios), cpuUs: median(own.map(each => each.cpuUs)) }
  })
}
