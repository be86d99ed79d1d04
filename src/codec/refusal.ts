/** A part of a value that a serializer cannot keep, and the way there, innermost step first. */
export interface Refusal {
  what: string
  readonly steps: (string | number)[]
  readonly containers: Set<object>
}

const maxSteps = 12
const maxNameLength = 64

export function refuse(what: string): Refusal {
  return { what, steps: [], containers: new Set() }
}

/** Adds a step outwards. A container met twice on the way means that the value contains itself. */
export function within(refusal: Refusal, container: object, step?: string | number): Refusal {
  if (step !== undefined) {
    refusal.steps.push(step)
    if (refusal.containers.has(container)) refusal.what = 'part of a cycle'
  }
  refusal.containers.add(container)
  return refusal
}

/** Names the path and the type, never the value. */
export function refusalMessage(refusal: Refusal, codec: string): string {
  let path = '$'
  for (let left = refusal.steps.length; left > 0; left--) {
    if (refusal.steps.length - left === maxSteps) {
      path += '…'
      break
    }
    path += spell(refusal.steps[left - 1] as string | number)
  }
  return `${path} is ${refusal.what}, which the codec '${codec}' cannot bring back the same`
}

function spell(step: string | number): string {
  if (typeof step === 'number') return `[${step}]`
  if (/^[A-Za-z_$][\w$]*$/.test(step) && step.length <= maxNameLength) return `.${step}`
  if (step.startsWith('<')) return `[${step}]`
  return `[${JSON.stringify(step.length > maxNameLength ? `${step.slice(0, maxNameLength)}…` : step)}]`
}

/** Says what class an object is of without running code of that class. */
export function describeInstance(prototype: object | null): string {
  const constructor: unknown = prototype && Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
  const name: unknown =
    typeof constructor === 'function' ? Object.getOwnPropertyDescriptor(constructor, 'name')?.value : undefined
  return typeof name === 'string' && name !== '' ? `an instance of ${name.slice(0, maxNameLength)}` : 'an instance of a class'
}
