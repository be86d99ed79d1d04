import { checkObject } from '../core/options/check-option.ts'
import { invalidOption, unknownOption } from '../core/options/invalid-option.ts'
import type { ChaosCall, ChaosScript } from './chaos-store.ts'
import { checkFault, type Fault } from './faults.ts'

const commands: Readonly<Record<ChaosCall['command'], true>> = {
  read: true,
  'read-header': true,
  acquire: true,
  renew: true,
  commit: true,
  release: true,
  put: true,
  remove: true,
  expire: true,
  stamp: true,
  'newest-tag': true,
  'bump-tags': true,
  clear: true,
  wake: true,
  change: true,
}

/** A script that gives each command the faults listed for it, in order; the calls after those pass, as do those given `undefined`. */
export function inTurn(faults: { readonly [Command in ChaosCall['command']]?: readonly (Fault | undefined)[] }): ChaosScript {
  for (const [command, listed] of Object.entries(
    checkObject('faults', faults, 'an object with a list of faults for each command'),
  )) {
    if (!Object.hasOwn(commands, command)) throw unknownOption(command, Object.keys(commands))
    if (!Array.isArray(listed)) throw invalidOption(command, listed, 'a list of faults')
    for (const fault of listed) checkFault(command, fault)
  }
  const used = new Map<string, number>()
  return ({ command }) => {
    const index = used.get(command) ?? 0
    used.set(command, index + 1)
    return faults[command]?.[index]
  }
}
