const hidden = '***'

/*
 * Each pattern takes time in proportion to the text: what may be of any length either ends where the next match could begin, or is taken to the end of the
 * text, so that it is not looked at again.
 */

/** `redis://user:password@host`, whatever the scheme; of a password with `/` in it too, unless what comes before the `/` could be a port. */
const inUrl =
  /\b([a-z][a-z0-9+.-]{0,30}:\/\/)(?:[^\s/?#"'<>:@]*:(?!\d{1,5}(?:[/?#]|$))(?:(?!:\/\/)[^\s"'<>]){0,512}|[^\s/?#"'<>]*)@/gi
const privateKeyBlock = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}-----|$)/g
/** Between a name and its value: `name=`, `"name": `, `\"name\":`, `'name' => `. */
const assigned = String.raw`(?:\\{0,15}["'])?\s{0,8}(?:=>?|:)\s{0,8}`
/** `"…"`, and `\"…\"` where JSON stands in JSON. Without its end it goes on to the end of the text. */
const quoted = String.raw`(?<slashes>\\{0,15})(?<quote>["'])[\s\S]*?(?:(?<!\\)\k<slashes>\k<quote>|$)`
/** Headers have values of many parts: all of the line. */
const header = new RegExp(String.raw`((?:authorization|cookie)${assigned})(?:${quoted}|[^\r\n]+)`, 'gi')
const names = [
  'pass(?:word|wd|phrase|code)',
  String.raw`\bpass`,
  'pwd',
  'secret',
  'token',
  '(?:api|access|private)[_-]?key',
  'credentials?',
  String.raw`\bauth`,
  'session(?:[_-]?id)?',
  'jwt',
].join('|')
/** `password=…`, `"token": "…"`, `secret '…'`. */
const named = new RegExp(
  String.raw`((?:${names})(?:${assigned}|(?:\\{0,15}["'])?\s{1,8}(?=\\{0,15}["'])))(?:(?:bearer|basic)\s{1,8})?(?:${quoted}|(?:[^\s,;&"'}\]]|,(?!\s|$))+)`,
  'gi',
)
const bearer = /\b(bearer|basic)\s+[\w.~+/=-]+/gi
const webToken = /(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g

/** Takes out what looks like a password, a token or a URL's credentials, and the texts in `secrets` wherever they stand. `docs/logging.md` says what is known. */
export function redactText(text: string, secrets: readonly string[] = []): string {
  let shown = text
  for (const secret of secrets) if (secret !== '') shown = shown.replaceAll(secret, hidden)
  return shown
    .replace(privateKeyBlock, hidden)
    .replace(inUrl, `$1${hidden}@`)
    .replace(header, `$1${hidden}`)
    .replace(named, `$1${hidden}`)
    .replace(bearer, `$1 ${hidden}`)
    .replace(webToken, hidden)
}
