/** A picture with a name for those who cannot see it and a caption for those who can. */
export function figure(
  label: string,
  { width, height }: { width: number; height: number },
  inside: string,
  caption: string,
): string {
  return `<figure><figcaption>${caption}</figcaption><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">${inside}</svg></figure>`
}

/** As exact as a picture needs. */
export function n(number: number): string {
  return number.toFixed(1)
}
