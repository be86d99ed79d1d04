/** No answer: go and load. Not `undefined`, which a loader may have returned. */
export const absent: unique symbol = Symbol('absent')
