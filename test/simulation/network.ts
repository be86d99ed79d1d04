import { mix } from './dice.ts'
import type { Command, Weather } from './plan.ts'
import type { World } from './world.ts'

export type Trouble = 'lost request' | 'lost reply' | 'late' | 'resent'

/** What becomes of one command on its way there and back. */
export interface Fate {
  readonly requestMs: number
  readonly replyMs: number
  readonly trouble: Trouble | undefined
  /** Executed once more, that much later. */
  readonly againMs: number | undefined
}

export type BusMessage = 'wake' | 'change'

/** No way takes less: what was sent later cannot be answered before. */
export const shortestMs = 0.6
const commands: readonly (Command | 'time' | 'hello' | BusMessage)[] = [
  'read',
  'acquire',
  'renew',
  'commit',
  'release',
  'put',
  'remove',
  'expire',
  'time',
  'wake',
  'record',
  'stamp',
  'newest-tag',
  'bump-tags',
  'clear',
  'read-header',
  'pulse',
  'change',
  'hello',
]

/** Repeatable numbers for one message, whatever was sent before it. */
class MessageDice {
  readonly id: string
  #state: number

  constructor(world: World, process: string, command: Command | 'time' | 'hello' | BusMessage, nth: number) {
    this.id = `${process} ${command} ${nth}`
    let name = 0
    for (let at = 0; at < process.length; at++) name = name * 131 + process.charCodeAt(at)
    this.#state = mix(world.plan.seed, name, commands.indexOf(command), nth)
  }

  next(): number {
    this.#state = mix(this.#state)
    return this.#state / 2 ** 32
  }

  chance(share: number): boolean {
    return this.next() < share
  }

  way(longestMs: number): number {
    return shortestMs + this.next() * longestMs
  }
}

export function fateOf(world: World, process: string, command: Command | 'time', nth: number): Fate {
  const { weather, spared } = world.plan
  const dice = new MessageDice(world, process, command, nth)
  let requestMs = dice.way(weather.requestMs)
  const replyMs = dice.way(weather.replyMs)
  const fair: Fate = { requestMs, replyMs, trouble: undefined, againMs: undefined }
  const trouble = troubleOf(dice, weather)
  if (trouble === undefined || spared.has(dice.id)) return fair
  world.spoil(dice.id)
  switch (trouble) {
    case 'lost request':
    case 'lost reply':
      return { ...fair, trouble }
    case 'late':
      requestMs += dice.next() * weather.lateMs
      return { ...fair, trouble, requestMs }
    case 'resent':
      return { ...fair, trouble, againMs: dice.chance(0.5) ? 0 : dice.next() * weather.requestMs * 2 }
  }
}

/** How long it takes a new connection to learn which server it has reached. */
export function helloMs(world: World, process: string, nth: number): number {
  const dice = new MessageDice(world, process, 'hello', nth)
  return dice.way(world.plan.weather.requestMs) + dice.way(world.plan.weather.replyMs)
}

function troubleOf(dice: MessageDice, weather: Weather): Trouble | undefined {
  if (dice.chance(weather.lostRequest)) return 'lost request'
  if (dice.chance(weather.lostReply)) return 'lost reply'
  if (dice.chance(weather.lateRequest)) return 'late'
  if (dice.chance(weather.resent)) return 'resent'
  return undefined
}

export interface Ways {
  /** None for a message that is lost, two for one that is repeated. */
  readonly waysMs: readonly number[]
  /** It may be overtaken. */
  readonly late: boolean
}

/** How long a message of the bus is under way. */
export function waysOf(world: World, process: string, message: BusMessage, nth: number): Ways {
  const { weather, spared } = world.plan
  const dice = new MessageDice(world, process, message, nth)
  const wayMs = dice.way(weather.wakeMs)
  const shares =
    message === 'wake'
      ? [weather.lostWake, weather.repeatedWake, weather.lateWake]
      : [weather.lostChange, weather.repeatedChange, weather.lateChange]
  const [lost, repeated, late] = shares.map(share => dice.chance(share))
  if (!(lost || repeated || late) || spared.has(dice.id)) return { waysMs: [wayMs], late: false }
  if (lost) {
    world.spoil(dice.id)
    return { waysMs: [], late: false }
  }
  if (late) {
    world.spoil(dice.id)
    return { waysMs: [wayMs + dice.next() * 500], late: true }
  }
  world.spoil(dice.id)
  return { waysMs: [wayMs, wayMs + dice.way(weather.wakeMs)], late: false }
}
