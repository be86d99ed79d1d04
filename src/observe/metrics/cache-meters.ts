import type { Cache } from '../../core/cache.ts'
import { describeValue } from '../../core/describe-value.ts'
import { LeaseholdError } from '../../core/errors.ts'
import { CacheMeter, type ObservationListener } from './cache-meter.ts'

/** The meters whose series stand side by side, by the label `cache`. Those of closed caches leave by themselves. */
export class CacheMeters {
  readonly #byName: Map<string, CacheMeter> = new Map()

  /** @throws LeaseholdError `INVALID_OPTION` if another open cache has that name */
  add(cache: Cache, name: string, onObservation?: ObservationListener): CacheMeter {
    this.#dropClosed()
    if (this.#byName.has(name)) {
      const message = `metrics of a cache named ${describeValue(name)} are collected already; give this one another name, or stop the other`
      throw new LeaseholdError('INVALID_OPTION', message, { option: 'name' })
    }
    const meter = new CacheMeter(cache, name, onObservation)
    this.#byName.set(name, meter)
    return meter
  }

  remove(meter: CacheMeter): void {
    meter.stop()
    if (this.#byName.get(meter.name) === meter) this.#byName.delete(meter.name)
  }

  all(): Iterable<CacheMeter> {
    this.#dropClosed()
    return this.#byName.values()
  }

  #dropClosed(): void {
    for (const meter of this.#byName.values()) if (meter.closed) this.remove(meter)
  }
}
