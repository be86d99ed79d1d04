/** Values of the sizes that hits are measured with; `index` tells them apart. */
export const payloads: Readonly<Record<string, (index: number) => unknown>> = {
  '200 B': index => ({
    id: `u_${index}`,
    name: 'Ada Lovelace',
    email: 'ada@example.com',
    plan: 'team',
    roles: ['admin', 'billing'],
    createdAt: '2026-01-02T03:04:05.678Z',
    active: true,
    score: 98.6,
  }),
  '4 KiB': index => listOf(index, 34),
}

/** Products, each of about 120 bytes as JSON. */
export function listOf(index: number, rows: number): unknown {
  return Array.from({ length: rows }, (_, row) => ({
    id: index * 100 + row,
    sku: `SKU-${index}-${row}`,
    name: `Product number ${row}`,
    price: 19.99 + row,
    stock: row * 7,
    tags: ['new', 'sale'],
    available: row % 2 === 0,
  }))
}
