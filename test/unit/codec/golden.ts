/** What the fixtures of wire version 1 were made from. */
export const goldenKey = { key: 'user:größe', version: 7 } as const
export const goldenNamespace = 'golden'
export const goldenToken: Buffer = Buffer.from('00112233445566778899aabbccddeeff', 'hex')
export const goldenTimes = {
  createdAt: 1_800_000_000_123,
  freshUntil: 1_800_000_300_123,
  hardUntil: 1_800_086_400_123,
  loadMs: 250,
} as const

export const goldenValues: Readonly<Record<string, unknown>> = {
  json: { id: 'u_1', name: 'Ada', tags: ['a', 'b'], nested: { ok: true, none: null } },
  msgpack: {
    users: [
      { id: 1, name: 'Ada', at: new Date(1_700_000_000_123) },
      { id: 2, name: 'größe', at: new Date(NaN) },
    ],
    map: new Map<unknown, unknown>([
      ['k', 1n],
      [2, 2n ** 80n],
    ]),
    set: new Set(['x', undefined]),
    binary: [Buffer.from('bytes'), new Float64Array([0.5, -1])],
    numbers: [0, -1, 1.5, NaN, Infinity, 2 ** 40],
    falsy: [null, undefined, false, ''],
  },
  disguised: {
    zero: -0,
    holes: Object.assign([], { 2: 'x' }),
    bare: Object.assign(Object.create(null) as object, { a: 1 }),
    keys: JSON.parse('{"__proto__":1}'),
  },
  deflate: { text: 'all work and no play '.repeat(100) },
  lz4: { text: 'all work and no play '.repeat(100) },
  expired: 'still here',
  'json-deflate': { text: 'all work and no play '.repeat(100) },
  'json-lz4': { text: 'all work and no play '.repeat(100) },
  'json-expired': ['still', 'here'],
  plain: {
    users: [
      { id: 1, name: 'Ada', score: 0.5 },
      { id: -70_000, name: '', score: 2 ** 40 },
    ],
    flags: [true, false, null],
  },
}
