import type { CallRecord } from './history.ts'
import type { SimulatedProcess } from './process.ts'
import { show } from './timeline.ts'

/** Listens to the status records of one process: how each call was answered, and which branches were taken. */
export function listenTo(process: SimulatedProcess): void {
  const { cache, world } = process
  const { coverage } = world
  const heard = (name: string, record: object): void => {
    coverage.count(name)
    world.note(process.name, () => `  ${name} ${show(brief(record))}`)
  }
  cache.on('hit', record => {
    const call = answered(process, record, record.from === 'local' ? 'hit local' : 'hit')
    if (call?.answer === 'hit') process.copies?.offered(call)
  })
  cache.on('lookup', ({ from, key }) => {
    const call = process.lookingUp.find(each => each.key === key)
    if (from === 'local' && call !== undefined) call.answer = 'hit local'
    coverage.count(`look-up ${from}`)
  })
  cache.on('miss', record => answered(process, record, `miss ${record.outcome}`))
  cache.on('stale', record => answered(process, record, `stale ${record.reason}`))
  cache.on('wait', record => {
    process.waiting.stopped(record)
    heard(`wait ${record.outcome}`, record)
  })
  cache.on('load', record => {
    const how = record.background ? 'refresh' : record.leased ? 'leased' : 'unleased'
    heard(`load ${how} ${record.outcome}`, record)
  })
  cache.on('commit', record => heard(`commit ${record.outcome}`, record))
  cache.on('lost', record => {
    process.waiting.lost(record)
    heard('lost', record)
  })
  cache.on('refresh', record => heard(`refresh ${record.reason} ${record.outcome}`, record))
  cache.on('set', record => heard(`set ${record.outcome}`, record))
  cache.on('invalidate', record => heard(`invalidate ${record.operation} ${record.outcome}`, record))
  cache.on('decode-error', record => heard(`unreadable ${record.reason}`, record))
  cache.on('store-error', record => heard(`store-error ${record.command} ${record.outcome}`, record))
  cache.on('journal', record => {
    if (record.change === 'replayed') process.replayed(record.waiting)
    heard(`journal ${record.change}`, record)
  })
  cache.on('connection', record => heard(`${record.part} ${record.state}`, record))
}

interface AnswerRecord {
  readonly key: string
  readonly version: number
  readonly durationMs: number
}

/** No two calls of a process begin at the same moment, so how long a call took tells which one it was. */
function answered(process: SimulatedProcess, record: AnswerRecord, answer: string): CallRecord | undefined {
  const { world, clock } = process
  if (world.over) return undefined
  world.coverage.count(answer)
  const call: CallRecord | undefined = process.callsByStart.get(clock.now() - record.durationMs)
  if (call === undefined || call.key !== record.key || call.version !== record.version || call.settled) {
    world.violate('status records', `${process.name} reported '${answer}' for ${record.key}, which no call can have caused`)
    return undefined
  }
  // A call that timed out softly may have reported an answer, and lost the race against the load itself.
  if (call.answer !== undefined)
    world.violate('status records', `call ${call.nth} was reported as '${call.answer}' and '${answer}'`)
  call.answer = answer
  world.note(process.name, () => `  ${answer} (call ${call.nth})`)
  return call
}

function brief(record: object): object {
  const { key, version, ...rest } = record as { key?: string; version?: number; at?: number }
  delete rest.at
  return key === undefined ? rest : { of: `${version}:${key}`, ...rest }
}
