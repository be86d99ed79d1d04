import { describe, expect, it } from 'vitest'
import { ServerIdentity } from '../../../src/redis/server-identity.ts'

function open(): { readonly identity: ServerIdentity; readonly changes: () => number } {
  let count = 0
  return { identity: new ServerIdentity(() => count++), changes: () => count }
}

describe('who answers', () => {
  it('has not changed when a server is met for the first time, or again', () => {
    const { identity, changes } = open()
    for (let meeting = 0; meeting < 3; meeting++) identity.meet('a')
    expect(changes()).toBe(0)
  })

  it('has changed when the server is another, or was started anew', () => {
    const { identity, changes } = open()
    identity.meet('a')
    identity.meet('b')
    identity.meet('b')
    expect(changes()).toBe(1)
  })

  it('may have changed when the server does not say who it is', () => {
    const { identity, changes } = open()
    identity.meet(undefined)
    identity.meet(undefined)
    expect(changes()).toBe(1)
  })

  it('has changed when the server lost its role, once', () => {
    const { identity, changes } = open()
    identity.meet('a')
    identity.loseRole()
    identity.loseRole()
    expect(changes()).toBe(1)
    identity.meet('a')
    expect(changes()).toBe(1)
  })
})
