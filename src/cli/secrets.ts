/** Shorter passwords are too likely to be part of an innocent word. */
const shortestSecret = 5
const hidden = '***'

/**
 * The last line of defence: nothing that is printed is meant to hold a password, and should it do so all the same, it goes here.
 * What stands before the @ of a URL is hidden in any case.
 */
export class Secrets {
  readonly #secrets = new Set<string>()

  /** Hides the password of `url` from now on, as it is spelled there and decoded. */
  keepUrl(url: string): void {
    const credentials = /^[a-z]+:\/\/(.*)@/is.exec(url)?.[1]
    if (credentials === undefined) return
    const password = credentials.slice(credentials.indexOf(':') + 1)
    for (const secret of [password, decoded(password)]) if (secret.length >= shortestSecret) this.#secrets.add(secret)
  }

  conceal(text: string): string {
    let shown = text.replace(/\b(rediss?:\/\/)\S*@/gi, `$1${hidden}@`)
    for (const secret of this.#secrets) shown = shown.replaceAll(secret, hidden)
    return shown
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
