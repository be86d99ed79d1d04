const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const
const unitBytes: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 }

/** `1610612736` as `1.5 GiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : Number(value.toFixed(1))} ${units[unit]}`
}

/** Bytes of `8gb`, `512mb`, `1.5g`; a bare number is bytes. Undefined for anything else. */
export function parseBytes(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?$/i.exec(text.trim()) ?? []
  if (number === undefined) return undefined
  return Math.round(Number(number) * (unitBytes[(unit ?? '').toLowerCase() || 'b'] as number))
}

/** As redis.conf spells sizes, in whole megabytes: `6144mb`. */
export function redisBytes(bytes: number): string {
  return `${Math.max(1, Math.floor(bytes / 1024 ** 2))}mb`
}

export function formatMs(ms: number): string {
  if (ms === 0) return '0 ms'
  if (ms < 0.1) return `${Math.max(1, Math.round(ms * 1_000))} µs`
  if (ms < 1) return `${ms.toFixed(2)} ms`
  if (ms < 10) return `${Number(ms.toFixed(1))} ms`
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 120_000) return `${Number((ms / 1_000).toFixed(1))} s`
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`
  return `${Number((ms / 3_600_000).toFixed(1))} h`
}

export function formatCount(number: number): string {
  return Math.round(number).toLocaleString('en-US')
}

/** Of which share: `0.98` as `98 %`. Only a whole is called 100 %, only nothing 0 %. */
export function formatShare(share: number): string {
  const percent = share * 100
  if (percent > 99 && percent < 100) return `${(Math.floor(percent * 10) / 10).toFixed(1)} %`
  if (percent > 0 && percent < 1) return `${Math.max(0.1, Number(percent.toFixed(1)))} %`
  return `${Math.round(percent)} %`
}

/** `1 key`, `2 keys`. */
export function plural(number: number, singular: string): string {
  return `${formatCount(number)} ${singular}${number === 1 ? '' : 's'}`
}
