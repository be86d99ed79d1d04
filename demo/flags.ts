import { parseArgs } from 'node:util'

export interface Flags {
  readonly json: boolean
  readonly quick: boolean
  readonly noRedis: boolean
  /** Where the first worker serves its metrics, the others on the ports after it; 0 for free ones. */
  readonly metricsPort: number | undefined
  readonly help: boolean
}

export const usage: string = `npm run demo [-- options]

  --json      print the result as JSON on stdout, progress on stderr (npm's own lines go away with npm run --silent)
  --quick     shorter scenes
  --no-redis  show the fallback without Redis: one worker, entries in its memory
  --metrics-port <n>  serve Leasehold's metrics for Prometheus, the first worker on 127.0.0.1:<n>, the others on the ports after it; 0: on free ones

REDIS_URL and DATABASE_URL name servers to use; else the demo starts its own and stops them at the end.`

const lastPort = 65_535

/** @throws TypeError for an option that does not exist, RangeError for a port that does not. */
export function parseFlags(args?: readonly string[]): Flags {
  const { values } = parseArgs({
    ...(args === undefined ? {} : { args: [...args] }),
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      'no-redis': { type: 'boolean', default: false },
      'metrics-port': { type: 'string' },
      help: { type: 'boolean', default: false, short: 'h' },
    },
  })
  const metricsPort = portOf('metrics-port', values['metrics-port'])
  return { json: values.json, quick: values.quick, noRedis: values['no-redis'], metricsPort, help: values.help }
}

function portOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const port = /^\d+$/.test(text) ? Number(text) : Infinity
  if (port > lastPort) throw new RangeError(`--${flag} takes a port, 0 to ${lastPort}, not ${text}`)
  return port
}
