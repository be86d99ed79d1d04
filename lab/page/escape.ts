const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text as it may stand in HTML. */
export function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, character => entities[character] ?? character)
}
