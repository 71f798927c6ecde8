/** What one server bears. Times in milliseconds. */
export interface Limits {
  readonly connections: number
  /** Bodies that are received at once. */
  readonly uploads: number
  readonly headers: number
  readonly keepAlive: number
  /** Without a byte in either direction. */
  readonly idle: number
  /** Of a body: how long it may pause, and how many bytes a second it must bring on average once `idleBody` has passed. */
  readonly idleBody: number
  readonly slowestBody: number
  /** How long requests that run may take when the server stops. */
  readonly stop: number
  /** Wrong tokens from one address in a minute. */
  readonly wrongTokens: number
}

export const LIMITS: Limits = {
  connections: 512,
  uploads: 32,
  headers: 15_000,
  keepAlive: 30_000,
  idle: 120_000,
  idleBody: 20_000,
  slowestBody: 1024,
  stop: 30_000,
  wrongTokens: 30,
}
