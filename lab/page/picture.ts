import { escape } from './escape.ts'
import { style } from './style.ts'

/** A drawing with a name for those who cannot see it and a caption for those who can. */
export interface Picture {
  readonly label: string
  readonly caption: string
  readonly width: number
  readonly height: number
  /** SVG. */
  readonly inside: string
}

/** As a part of the page. */
export function figure({ label, caption, width, height, inside }: Picture): string {
  return `<figure><figcaption>${caption}</figcaption><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(label)}">${inside}</svg></figure>`
}

/** As a file that stands alone. */
export function svgFile({ label, width, height, inside }: Picture): string {
  const background = '<rect width="100%" height="100%" style="fill: var(--page)"/>'
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(label)}"><style>${style}</style>${background}${inside}</svg>\n`
}

/** As exact as a picture needs. */
export function n(number: number): string {
  return number.toFixed(1)
}
