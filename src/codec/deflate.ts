import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import type { Compression } from '../core/options/options.ts'

/** Raw deflate at its fastest level: the entry's checksum and length make a container's own redundant. */
export const deflate: Compression = {
  name: 'deflate',
  id: 1,
  compress: bytes => deflateRawSync(bytes, { level: constants.Z_BEST_SPEED }),
  decompress: (bytes, maxBytes) => inflateRawSync(bytes, { maxOutputLength: Math.max(1, maxBytes) }),
}
