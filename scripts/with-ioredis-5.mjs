/** `node --import` this: `ioredis` is version 5 from then on. For processes that tests start. */
import { register } from 'node:module'

const hooks = `export const resolve = (name, context, next) => next(name === 'ioredis' ? 'ioredis5' : name, context)`
register(`data:text/javascript,${encodeURIComponent(hooks)}`)
