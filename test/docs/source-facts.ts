import ts from 'typescript5'
import { root } from './pages.ts'

export interface Field {
  readonly name: string
  /** The texts it may be, when its type is a union of such. */
  readonly choices: readonly string[]
}

const program = ts.createProgram([`${root}/src/core/events.ts`, `${root}/src/core/errors.ts`], {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  strict: true,
  noEmit: true,
  allowImportingTsExtensions: true,
  types: [`${root}/node_modules/@types/node`],
})
const checker = program.getTypeChecker()

/** The members of the `ErrorCode` union. */
export function errorCodes(): string[] {
  return literalsOf(checker.getDeclaredTypeOfSymbol(exported('errors', 'ErrorCode')))
}

/** Every event's own fields, and those that all key records have in common. */
export function eventFields(): ReadonlyMap<string, readonly Field[]> {
  const events = checker.getDeclaredTypeOfSymbol(exported('events', 'CacheEvents'))
  return new Map(events.getProperties().map(event => [event.name, checker.getTypeOfSymbol(event).getProperties().map(fieldOf)]))
}

function fieldOf(property: ts.Symbol): Field {
  return { name: property.name, choices: literalsOf(checker.getTypeOfSymbol(property)) }
}

function literalsOf(type: ts.Type): string[] {
  const members = type.isUnion() ? type.types : [type]
  return members.flatMap(member => (member.isStringLiteral() ? [member.value] : []))
}

function exported(file: string, name: string): ts.Symbol {
  const source = program.getSourceFile(`${root}/src/core/${file}.ts`)
  const module = source && checker.getSymbolAtLocation(source)
  const symbol = module && checker.getExportsOfModule(module).find(candidate => candidate.name === name)
  if (symbol === undefined) throw new Error(`src/core/${file}.ts exports no ${name}`)
  return symbol
}
