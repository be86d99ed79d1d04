import { describe, expect, it } from 'vitest'
import { parseFlags } from '../../../demo/flags.ts'

describe('the flags of the demo', () => {
  it('serve no metrics unless told a port', () => {
    expect(parseFlags([]).metricsPort).toBeUndefined()
    expect(parseFlags(['--metrics-port', '9464']).metricsPort).toBe(9464)
    expect(parseFlags(['--metrics-port', '0']).metricsPort).toBe(0)
  })

  it.each(['', 'http', '-1', '1e3', '65536'])('refuse %j as a port', text => {
    expect(() => parseFlags([`--metrics-port=${text}`])).toThrow(`--metrics-port takes a port, 0 to 65535, not ${text}`)
  })
})
