import { Logger } from '@nestjs/common'
import type { Logger as TokenwardLogger } from '@tokenward/core'

/** Writes log lines to the logger of the application. The details of an event are left out: NestJS would print them as lines of their own. */
export function nestLogger(): TokenwardLogger {
  const logger = new Logger('Tokenward')
  return {
    debug: (message) => logger.debug(message),
    info: (message) => logger.log(message),
    warn: (message) => logger.warn(message),
    error: (message) => logger.error(message),
  }
}
