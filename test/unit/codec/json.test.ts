import { expect, test } from 'vitest'
import { json } from '../../../src/codec/json.ts'
import { sameValue } from '../../same-value.ts'

test.each<[string, unknown]>([
  ['null and falsy values', [null, 0, '', false]],
  ['nested objects', { a: [{ b: { c: [1.5, -2e300] } }] }],
  ['unicode and lone surrogates', ['größe 👩‍🚀', '\ud800', { '\udfff': 1 }]],
  ['keys that could pollute a prototype', JSON.parse('{"__proto__":{"x":1},"constructor":2}')],
])('brings back %s', (_what, value) => {
  expect(sameValue(json.deserialize(Buffer.from(json.serialize(value))), value)).toBe(true)
  expect(({} as { x?: number }).x).toBeUndefined()
})

test('stores plain JSON, readable by anyone', () => {
  expect(Buffer.from(json.serialize({ a: [1, 'é'] })).toString()).toBe('{"a":[1,"é"]}')
})

test('garbage raises an ordinary error', () => {
  expect(() => json.deserialize(Buffer.from('{"a":'))).toThrow(SyntaxError)
})
