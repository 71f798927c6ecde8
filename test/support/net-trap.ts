/**
 * Notices every try to reach a network from this process, and lets none through. Whatever Node has for that ends in a few
 * calls: sockets that connect, datagrams, questions for names.
 */
import dgram from 'node:dgram'
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'

export interface Trap extends Disposable {
  /** What was tried, in order. */
  readonly tries: readonly string[]
}

/** Until it is disposed of. @param told hears of each try, too */
export function trapNetwork(told: (tried: string) => void = () => {}): Trap {
  const tries: string[] = []
  const undo: (() => void)[] = []
  const spring = <T extends object>(owner: T, name: keyof T & string): void => {
    const kept = owner[name]
    owner[name] = ((...args: unknown[]) => {
      const tried = `${name} ${JSON.stringify(args[0]) ?? ''}`
      tries.push(tried)
      told(tried)
      throw Object.assign(new Error(`trapped: ${tried}`), { code: 'ENETUNREACH', errno: -101 })
    }) as T[typeof name]
    undo.push(() => {
      owner[name] = kept
    })
  }
  spring(net.Socket.prototype, 'connect')
  spring(dgram.Socket.prototype, 'send')
  spring(dgram.Socket.prototype, 'bind')
  for (const owner of [dns, dns.promises]) {
    for (const name of Object.keys(owner) as (keyof typeof owner & string)[]) {
      if (/^(lookup|resolve|reverse)/.test(name)) spring(owner, name)
    }
  }
  syncBuiltinESMExports()
  return {
    tries,
    [Symbol.dispose]() {
      for (const each of undo) each()
      syncBuiltinESMExports()
    },
  }
}
