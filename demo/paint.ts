import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

/** Colours where they can be seen, else plain text. */
export type Paint = (style: Style, text: string) => string

export function paintFor(stream: NodeJS.WriteStream): Paint {
  const coloured = stream.isTTY && stream.hasColors() && process.env['NO_COLOR'] === undefined
  return coloured ? (style, text) => styleText(style, text) : (_style, text) => text
}

export function count(number: number): string {
  return number.toLocaleString('en-US')
}

export function milliseconds(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : count(Math.round(ms))} ms`
}
