import { connectionChecks } from './checks/connection.ts'
import { keyChecks } from './checks/keys.ts'
import { memoryChecks } from './checks/memory.ts'
import { policyChecks } from './checks/policy.ts'
import { serverChecks } from './checks/server.ts'
import type { Facts } from './facts.ts'
import { type Check, type CheckedFinding, unknown } from './finding.ts'

const checks: readonly Check[] = [...serverChecks, ...connectionChecks, ...policyChecks, ...memoryChecks, ...keyChecks]

const unanswered = 'not known: Redis stopped answering before'

/** What every check says of these facts; checks that do not concern the role are left out. */
export function diagnose(facts: Facts): CheckedFinding[] {
  return checks.flatMap(({ name, run }) => {
    const finding = run(facts)
    if (finding === undefined) return []
    // A refusal is not why.
    if (facts.interruption !== undefined && finding.state === 'unknown') return [{ check: name, ...unknown(unanswered) }]
    return [{ check: name, ...finding }]
  })
}
