import { mix } from './dice.ts'

/** Longer than any value may be, and noise, so that it does not compress to less. */
export const longText: string = Array.from({ length: 6000 }, (_, at) => String.fromCharCode(33 + (mix(at) % 90))).join('')

/** Long enough to be compressed. */
export const padding: string = 'compress me '.repeat(30)
