/** The event loop's own, taken before a test runner can put fakes in their place: the server is real. */
export const endOfTurn: typeof setImmediate = setImmediate
export const nextTick: (callback: () => void) => void = process.nextTick.bind(process)
