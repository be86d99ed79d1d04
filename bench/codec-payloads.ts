/** Deterministic data with the entropy of catalogue text: repeated keys, few categories, words of a skewed vocabulary. */
export interface Product {
  readonly id: number
  readonly sku: string
  readonly title: string
  readonly price: number
  readonly currency: string
  readonly inStock: boolean
  readonly category: string
  readonly rating: number
  readonly reviews: number
}

function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const random = randomFrom(42)
const letters = 'abcdefghijklmnopqrstuvwxyz'
const vocabulary = Array.from({ length: 800 }, () => {
  const length = 3 + Math.floor(random() * 7)
  return Array.from({ length }, () => letters.charAt(Math.floor(random() * letters.length))).join('')
})

function words(count: number): string {
  return Array.from({ length: count }, () => vocabulary[Math.floor(random() * random() * vocabulary.length)]).join(' ')
}

/** About 170 bytes of JSON each. */
export function products(count: number): Product[] {
  return Array.from({ length: count }, (_, at) => ({
    id: 10_000 + Math.floor(random() * 90_000),
    sku: `SKU-${Math.floor(random() * 1_000_000)}`,
    title: words(5),
    price: Math.round(random() * 100_000) / 100,
    currency: 'EUR',
    inStock: random() < 0.7,
    category: ['home', 'garden', 'kitchen'][at % 3] as string,
    rating: Math.floor(random() * 50) / 10,
    reviews: Math.floor(random() * 500),
  }))
}

export const profile = {
  id: 'u_8f3k2j1',
  name: 'Ada Lovelace',
  email: 'ada@example.com',
  verified: true,
  roles: ['admin', 'editor'],
  team: { id: 42, name: 'Analytics' },
  createdAt: 1_700_000_000_123,
  score: 98.25,
  locale: 'en-GB',
} as const

/** The payloads that codecs are compared on, by JSON size. */
export const codecPayloads: Readonly<Record<string, unknown>> = {
  'profile 200 B': profile,
  'products 4 KiB': products(24),
  'records 100 KiB': products(600),
}
