import type { Random } from '../core/ports.ts'
import { checkFinite } from './check-arguments.ts'

/**
 * Randomness that a test can repeat: the same seed gives the same numbers and tokens (xoshiro128**).
 * Different seeds give different tokens. Never for production: its tokens can be guessed.
 */
export function seededRandom(seed: number): Random {
  checkFinite('seed', seed)
  const state = new Uint32Array(4)
  let mixed = seed >>> 0
  for (let index = 0; index < state.length; index++) {
    mixed = (mixed + 0x9e3779b9) >>> 0
    state[index] = mix(mixed ^ Math.floor(seed / 2 ** 32))
  }

  function nextWord(): number {
    const [a = 0, b = 0, c = 0, d = 0] = state
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
    state[0] = a ^ d ^ b
    state[1] = b ^ c ^ a
    state[2] = c ^ a ^ (b << 9)
    state[3] = rotate(d ^ b, 11)
    return result
  }

  return {
    next: () => (nextWord() * 2 ** 21 + (nextWord() >>> 11)) / 2 ** 53,
    token() {
      const token = Buffer.alloc(16)
      for (let offset = 0; offset < token.length; offset += 4) token.writeUInt32BE(nextWord(), offset)
      return token
    },
  }
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}

/** splitmix32's finisher: neighbouring seeds end far apart. */
function mix(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x21f0aaad)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
  return (mixed ^ (mixed >>> 15)) >>> 0
}
