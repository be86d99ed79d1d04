import { parseArgs } from 'node:util'

export interface Flags {
  readonly json: boolean
  readonly quick: boolean
  readonly noRedis: boolean
  readonly help: boolean
}

export const usage: string = `npm run demo [-- options]

  --json      print the result as JSON on stdout, progress on stderr (npm's own lines go away with npm run --silent)
  --quick     shorter scenes
  --no-redis  show the fallback without Redis: one worker, entries in its memory

REDIS_URL and DATABASE_URL name servers to use; else the demo starts its own and stops them at the end.`

/** @throws TypeError for an option that does not exist. */
export function parseFlags(): Flags {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      'no-redis': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false, short: 'h' },
    },
  })
  return { json: values.json, quick: values.quick, noRedis: values['no-redis'], help: values.help }
}
