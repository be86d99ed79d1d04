import { onTestFinished } from 'vitest'

/** The process warnings of Leasehold from now on until the test ends. */
export function leaseholdWarnings(): string[] {
  const seen: string[] = []
  const listener = (warning: Error): void => void (warning.name === 'LeaseholdWarning' && seen.push(warning.message))
  process.on('warning', listener)
  onTestFinished(() => void process.off('warning', listener))
  return seen
}
