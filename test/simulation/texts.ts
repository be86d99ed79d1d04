import { mix } from './dice.ts'

/** Longer than any value may be, and noise, so that it does not compress to less. */
export const longText: string = Array.from({ length: 6000 }, (_, at) => String.fromCharCode(33 + (mix(at) % 90))).join('')

/** Makes a value so large that its header is asked for alone once it is remembered. */
export const largeText: string = (longText + longText).slice(0, 8500)

/** Too long even where values are large. */
export const hugeText: string = longText + longText + longText

/** Long enough to be compressed. */
export const padding: string = 'compress me '.repeat(30)
