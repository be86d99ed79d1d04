/** How many invalidated tags a namespace remembers. Beyond it the oldest are forgotten, and what was stored before them counts as invalid. */
export const mostTableTags = 250_000

/** How many an invalidation forgets at most, beside making room for its own. */
export const prunedPerBump = 64

/** How many tags one command invalidates; more are sent as several. */
export const mostTagsPerCommand = 500
