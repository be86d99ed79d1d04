import { parseArgs } from 'node:util'
import { type ContenderId, contenderIds } from './contenders/index.ts'
import { type ScenarioId, scenarioIds } from './scenarios.ts'
import { defaultSettings, mostArrivals, quickSettings, type Settings } from './settings.ts'

export interface Flags {
  readonly settings: Settings
  readonly contenders: readonly ContenderId[]
  readonly scenarios: readonly ScenarioId[]
  readonly quick: boolean
  readonly json: boolean
  readonly html: string | undefined
  readonly pictures: string | undefined
  readonly help: boolean
}

interface Numbers {
  readonly setting: keyof Settings
  readonly least: number
  readonly most: number
  readonly whole: boolean
  readonly says: string
}

const numbers: Readonly<Record<string, Numbers>> = {
  rate: { setting: 'perSecond', least: 1, most: 50_000, whole: false, says: 'requests per second in all' },
  duration: { setting: 'durationMs', least: 500, most: 600_000, whole: false, says: 'ms per measurement' },
  rounds: { setting: 'rounds', least: 1, most: 20, whole: true, says: 'plays of each scenario per contender' },
  workers: { setting: 'workers', least: 2, most: 32, whole: true, says: 'service processes' },
  generators: { setting: 'generators', least: 1, most: 8, whole: true, says: 'load-generating processes' },
  products: { setting: 'products', least: 1, most: 20_000, whole: true, says: 'products asked for at any moment' },
  skew: { setting: 'skew', least: 0, most: 5, whole: false, says: "Zipf's exponent" },
  churn: { setting: 'churn', least: 0, most: 1, whole: false, says: 'share of the products replaced by others, per second' },
  writes: { setting: 'writes', least: 0, most: 1, whole: false, says: 'share of requests that change and invalidate' },
  ttl: { setting: 'ttlMs', least: 100, most: 3_600_000, whole: false, says: 'ms that a product is cached' },
  latency: { setting: 'latencyMs', least: 1, most: 10_000, whole: false, says: 'ms awaited per load for a slow source' },
  'slow-share': { setting: 'slowShare', least: 0, most: 1, whole: false, says: 'share of loads that are slower still' },
  'slow-factor': { setting: 'slowFactor', least: 1, most: 100, whole: false, says: 'how many times slower those are' },
  'value-bytes': { setting: 'valueBytes', least: 1, most: 1_000_000, whole: true, says: 'bytes of text in a product' },
  timeout: { setting: 'timeoutMs', least: 100, most: 60_000, whole: false, says: 'ms until a request is given up' },
  connections: { setting: 'connections', least: 1, most: 8000, whole: true, says: 'connections per generator' },
  seed: { setting: 'seed', least: 0, most: 2 ** 31, whole: true, says: 'of the arrivals' },
}

function defaultsText(): string {
  return Object.entries(numbers)
    .map(([flag, { setting, says }]) => `  --${flag.padEnd(12)} ${says} (${defaultSettings[setting]})`)
    .join('\n')
}

export const usage: string = `npm run lab -- [options]

  --scenario <a,b>  of ${scenarioIds.join(', ')} (all)
  --contender <a,b> of ${contenderIds.join(', ')} (all)
  --quick        small and short, for CI: shows that everything runs, its figures are worth nothing
  --json         the result as JSON on stdout, progress on stderr (npm's own lines go away with npm run --silent)
  --html <file>  where to write the report, a page that stands alone (lab-report.html); --no-html: nowhere
  --pictures <folder>  some of its charts as SVG files, for other pages

${defaultsText()}

DATABASE_URL names a Postgres to use; else the lab starts an embedded one. It starts a Redis of its own for each run.`

/** @throws Error that names the flag which is wrong and what is allowed. */
export function parseFlags(args?: readonly string[]): Flags {
  const { values } = parseArgs({
    ...(args === undefined ? {} : { args: [...args] }),
    options: {
      scenario: { type: 'string', multiple: true },
      contender: { type: 'string', multiple: true },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      html: { type: 'string' },
      pictures: { type: 'string' },
      'no-html': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false, short: 'h' },
      ...Object.fromEntries(Object.keys(numbers).map(flag => [flag, { type: 'string' as const }])),
    },
  })
  const given = values as Readonly<Record<string, unknown>>
  const settings: Settings = { ...(values.quick ? quickSettings : defaultSettings), ...givenNumbers(given) }
  checkSize(settings)
  return {
    settings,
    contenders: picked('contender', values.contender, contenderIds),
    scenarios: picked('scenario', values.scenario, scenarioIds),
    quick: values.quick,
    json: values.json,
    html: values['no-html'] ? undefined : (values.html ?? (values.json ? undefined : 'lab-report.html')),
    pictures: values.pictures,
    help: values.help,
  }
}

function givenNumbers(given: Readonly<Record<string, unknown>>): Partial<Settings> {
  const found: [string, number][] = []
  for (const [flag, { setting, least, most, whole }] of Object.entries(numbers)) {
    const text = given[flag]
    if (typeof text !== 'string') continue
    const number = Number(text)
    const wrong = text.trim() === '' || !(number >= least && number <= most) || (whole && !Number.isInteger(number))
    if (wrong) throw new Error(`--${flag} takes a ${whole ? 'whole ' : ''}number from ${least} to ${most}, not ${text}`)
    found.push([setting, number])
  }
  return Object.fromEntries(found)
}

function picked<Id extends string>(flag: string, given: readonly string[] | undefined, all: readonly Id[]): readonly Id[] {
  if (given === undefined) return all
  const named = given.flatMap(text => text.split(','))
  const unknown = named.find(name => !all.some(id => id === name))
  if (unknown !== undefined) throw new Error(`--${flag} takes ${all.join(', ')}, not ${unknown}`)
  return all.filter(id => named.includes(id))
}

function checkSize({ perSecond, durationMs }: Settings): void {
  const arrivals = (2 * perSecond * durationMs) / 1000
  if (arrivals > mostArrivals) throw new Error(`--rate × --duration is too much to hold: at most ${mostArrivals / 2} requests`)
}
