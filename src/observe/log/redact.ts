const hidden = '***'

/** `redis://user:password@host`, whatever the scheme. */
const inUrl = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'<>]*@/gi
/** `password=…`, `"token": "…"`, `Authorization: Bearer …`. */
const named =
  /((?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|access[_-]?key|credentials?|authorization|cookie)["']?\s*[=:]\s*)(?:(?:bearer|basic)\s+)?("[^"]*"|'[^']*'|[^\s,;&"'}\]]+)/gi
const bearer = /\b(bearer|basic)\s+[\w.~+/=-]+/gi

/** Takes out what looks like a password, a token or a URL's credentials, and the texts in `secrets` wherever they stand. */
export function redactText(text: string, secrets: readonly string[] = []): string {
  let shown = text
  for (const secret of secrets) if (secret !== '') shown = shown.replaceAll(secret, hidden)
  return shown.replace(inUrl, `$1${hidden}@`).replace(named, `$1${hidden}`).replace(bearer, `$1 ${hidden}`)
}
