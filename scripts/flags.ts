import { parseArgs } from 'node:util'

/** What may follow a flag, and what a script gets of it. */
export interface Flag<Value> {
  /** A switch is followed by nothing. */
  readonly isSwitch?: true
  /** What was given, in order; nothing when the flag was left out. @throws FlagError */
  read(flag: string, given: readonly string[]): Value
}

export type Values<Flags> = { readonly [Name in keyof Flags]: Flags[Name] extends Flag<infer Value> ? Value : never }

/** Says in one line which flag is wrong, and what is allowed. */
export class FlagError extends Error {}

export const off: Flag<boolean> = { isSwitch: true, read: (_flag, given) => given.length > 0 }
export const texts: Flag<readonly string[] | undefined> = { read: (_flag, given) => (given.length === 0 ? undefined : given) }

export function text<Otherwise extends string | undefined>(otherwise: Otherwise): Flag<string | Otherwise> {
  return { read: (_flag, given) => given.at(-1) ?? otherwise }
}

export function whole<Otherwise extends number | undefined>(least: number, otherwise: Otherwise): Flag<number | Otherwise> {
  const isAllowed = (value: number): boolean => Number.isSafeInteger(value) && value >= least
  return { read: (flag, given) => numberOf(flag, given, isAllowed, `a whole number from ${least}`) ?? otherwise }
}

export function above0(otherwise: number): Flag<number> {
  const isAllowed = (value: number): boolean => Number.isFinite(value) && value > 0
  return { read: (flag, given) => numberOf(flag, given, isAllowed, 'a number above 0') ?? otherwise }
}

function numberOf(
  flag: string,
  given: readonly string[],
  isAllowed: (value: number) => boolean,
  allowed: string,
): number | undefined {
  const last = given.at(-1)
  if (last === undefined) return undefined
  // An empty text would be 0.
  const value = last.trim() === '' ? NaN : Number(last)
  if (isAllowed(value)) return value
  throw new FlagError(`--${flag} takes ${allowed}, not ${last === '' ? 'nothing' : last}`)
}

/** @throws FlagError */
export function parseFlags<Flags extends Readonly<Record<string, Flag<unknown>>>>(
  flags: Flags,
  args: readonly string[],
): Values<Flags> {
  const given = new Map<string, string[]>(Object.keys(flags).map(name => [name, []]))
  for (const { name, value } of pairsOf(flags, args)) {
    const isSwitch = flags[name]?.isSwitch === true
    if (isSwitch && value !== undefined) throw new FlagError(`--${name} takes no value, not ${value}`)
    if (!isSwitch && value === undefined) throw new FlagError(`--${name} takes a value`)
    given.get(name)?.push(value ?? '')
  }
  const values = Object.entries(flags).map(([name, flag]) => [name, flag.read(name, given.get(name) ?? [])])
  return Object.fromEntries(values) as Values<Flags>
}

function pairsOf(flags: Readonly<Record<string, Flag<unknown>>>, args: readonly string[]): { name: string; value?: string }[] {
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { isSwitch }]) => [
      name,
      { type: isSwitch ? 'boolean' : 'string', multiple: true } as const,
    ]),
  )
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true })
  return tokens.flatMap(token => {
    if (token.kind === 'positional') throw new FlagError(`${token.value} is no flag; --help lists them`)
    if (token.kind === 'option-terminator') return []
    if (options[token.name] === undefined) throw new FlagError(`there is no ${token.rawName}; --help lists the flags`)
    return [{ name: token.name, ...(token.value === undefined ? {} : { value: token.value }) }]
  })
}

/**
 * The flags that this process was started with. Ends it with `help` when it was asked for that, and with 2 and one line when a flag is wrong. From then on
 * Ctrl-C ends it without a word.
 */
export function readFlags<Flags extends Readonly<Record<string, Flag<unknown>>>>(help: string, flags: Flags): Values<Flags> {
  // Not once: the same signal may come twice, from the terminal and from whoever started this process.
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    process.on(signal, () => process.exit(code))
  const args = process.argv.slice(2)
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(`${help}\n`)
    process.exit(0)
  }
  try {
    return parseFlags(flags, args)
  } catch (error) {
    if (!(error instanceof FlagError)) throw error
    return refuse(error.message)
  }
}

/** Ends the process with 2: it was asked for what it cannot do. */
export function refuse(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(2)
}
