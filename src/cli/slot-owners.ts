import type { Redis } from 'ioredis'

/** A primary of a cluster, and the slots that it serves. */
export interface SlotOwner {
  readonly host: string
  readonly port: number
  serves(slot: number): boolean
}

type SlotsReply = [
  from: number,
  to: number,
  primary: [host: string | null, port: number, ...rest: unknown[]],
  ...rest: unknown[],
][]

/** The primaries as one node knows them. A host that the node does not know is the one it was reached at. */
export async function readSlotOwners(node: Redis): Promise<readonly SlotOwner[]> {
  const reply = (await node.call('CLUSTER', 'SLOTS')) as SlotsReply
  const ranges = new Map<string, { host: string; port: number; slots: [number, number][] }>()
  for (const [from, to, [told, port]] of reply) {
    const host = told === null || told === '' || told === '?' ? (node.options.host ?? '127.0.0.1') : told
    const name = `${host}:${port}`
    const owner = ranges.get(name) ?? { host, port, slots: [] }
    owner.slots.push([from, to])
    ranges.set(name, owner)
  }
  return [...ranges.values()].map(({ host, port, slots }) => ({
    host,
    port,
    serves: slot => slots.some(([from, to]) => slot >= from && slot <= to),
  }))
}
