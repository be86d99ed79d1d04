import { register, type Metric, type Registry } from 'prom-client'
import type { Aggregator, MetricDefinition } from '../metrics/definitions.ts'
import type { Series } from '../metrics/metric-table.ts'
import { checkMethods } from '../check-arguments.ts'

interface Sample {
  readonly value: number
  readonly metricName?: string
  readonly labels: Readonly<Record<string, string | number>>
  /** prom-client formats these once per object and keeps the text. */
  readonly sharedLabels?: Readonly<Record<string, string>>
}

/**
 * What a registry of prom-client needs of a metric. The counts live with whoever counts and are read here, when someone asks: prom-client's own counters look
 * labels up by a text made of them, each time.
 */
export class RegisteredMetric {
  /** Without `_total` in an OpenMetrics registry, which changes it. */
  name: string
  readonly help: string
  readonly type: MetricDefinition['kind']
  readonly aggregator: Aggregator
  readonly #buckets: readonly number[] | undefined
  readonly #read: () => Iterable<Series> | Promise<Iterable<Series>>

  constructor(
    name: string,
    { help, kind, buckets, aggregator = 'sum' }: MetricDefinition,
    read: () => Iterable<Series> | Promise<Iterable<Series>>,
  ) {
    this.name = name
    this.help = help
    this.type = kind
    this.aggregator = aggregator
    this.#buckets = buckets
    this.#read = read
  }

  /** For `getMetricsAsJSON`, and so for the workers of a cluster. */
  async get(): Promise<object> {
    const { values, ...rest } = await this.getForPromString()
    return {
      ...rest,
      values: values.map(({ sharedLabels, ...sample }) => ({ ...sample, labels: { ...sharedLabels, ...sample.labels } })),
    }
  }

  async getForPromString(): Promise<{ name: string; help: string; type: string; aggregator: string; values: Sample[] }> {
    const { name, help, type, aggregator } = this
    const values: Sample[] = []
    for (const series of await this.#read()) this.#addSamples(values, series)
    return { name, help, type, aggregator, values }
  }

  /** prom-client resets metrics between tests. Counts that are read elsewhere go on. */
  reset(): void {}

  #addSamples(values: Sample[], { labels, value, distribution }: Series): void {
    if (distribution === undefined || this.#buckets === undefined) {
      values.push({ value, labels: {}, sharedLabels: labels })
      return
    }
    const { counts, sum } = distribution
    let count = 0
    for (const [place, bucket] of counts.entries()) {
      count += bucket
      values.push({
        metricName: `${this.name}_bucket`,
        value: count,
        labels: { le: this.#buckets[place] ?? '+Inf' },
        sharedLabels: labels,
      })
    }
    values.push({ metricName: `${this.name}_sum`, value: sum, labels: {}, sharedLabels: labels })
    values.push({ metricName: `${this.name}_count`, value: count, labels: {}, sharedLabels: labels })
  }
}

/** @throws Error of prom-client's, if another library has taken the name */
export function addToRegistry(registry: Registry, metric: RegisteredMetric): void {
  registry.registerMetric(metric as unknown as Metric)
}

/**
 * The registry that an option gives, or prom-client's global one.
 *
 * @throws LeaseholdError `INVALID_OPTION`
 */
export function registryOr(registry: Registry | undefined): Registry {
  if (registry === undefined) return register
  checkMethods('registry', registry, "a registry of prom-client's", 'registerMetric', 'getSingleMetric', 'metrics')
  return registry
}
