import fc from 'fast-check'

type Damage =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'set'; readonly at: number; readonly byte: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'remove' | 'repeat'; readonly at: number; readonly length: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array }

/** A place in bytes of any length, as a share of it. Half of them lie near the beginning, where the structure is. */
const at = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 0.1, noNaN: true }))
const length = fc.integer({ min: 1, max: 24 })
const byte = fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xc1, 0xd9, 0xdf, 0xff), fc.nat({ max: 255 }))

const damage: fc.Arbitrary<Damage> = fc.oneof(
  // Those that keep the length get past more checks.
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('flip' as const), at, bit: fc.nat({ max: 7 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('set' as const), at, byte }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), at }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('remove' as const, 'repeat' as const), at, length }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('insert' as const), at, bytes: fc.uint8Array({ minLength: 1, maxLength: 24 }) }),
  },
)

/** What befalls bytes on their way: nothing up to a few of flips, cuts, holes, repetitions and insertions. */
export const damages: fc.Arbitrary<readonly Damage[]> = fc.array(damage, { maxLength: 4 })

export function damaged(bytes: Buffer, all: readonly Damage[]): Buffer {
  return all.reduce<Buffer>((sum, each) => apply(sum, each), Buffer.from(bytes))
}

function apply(bytes: Buffer, each: Damage): Buffer {
  const place = Math.min(bytes.length, Math.floor(each.at * (bytes.length + 1)))
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)]
  switch (each.kind) {
    case 'flip':
      return Buffer.concat([before, after.subarray(0, 1).map(old => old ^ (1 << each.bit)), after.subarray(1)])
    case 'set':
      return Buffer.concat([before, after.subarray(0, 1).map(() => each.byte), after.subarray(1)])
    case 'cut':
      return Buffer.from(before)
    case 'remove':
      return Buffer.concat([before, after.subarray(each.length)])
    case 'repeat':
      return Buffer.concat([before, after.subarray(0, each.length), after])
    case 'insert':
      return Buffer.concat([before, each.bytes, after])
  }
}
