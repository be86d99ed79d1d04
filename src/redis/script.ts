export type ScriptArgument = string | number | Buffer

/** A Lua script: its text, the name the server knows it by, and the types of what it is called with. */
export interface Script<Keys extends readonly string[], Arguments extends readonly ScriptArgument[]> {
  readonly name: string
  readonly sha1: string
  readonly source: string
  /** Only carries the types. */
  readonly takes?: { readonly keys: Keys; readonly arguments: Arguments }
}
