import { createTokenManager, TokenRequestError } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { settingsOf } from './settings'

// A job that cron, systemd or a CronJob of Kubernetes starts. It ends by itself, because nothing of tokenward keeps a process alive.
const { issuer, clientId, clientSecret, api } = settingsOf(process.env)
const tokens = createTokenManager({
  clients: { 'catalog.client': { issuer, clientId, clientSecret, scope: 'catalog' } },
})
const catalog = createFetch(tokens, 'catalog.client', { baseURL: api })

try {
  const response = await catalog('list')
  await response.body?.cancel()
  console.log(`the catalog responded with ${response.status}`)
  // The exit code tells the scheduler.
  if (!response.ok) process.exitCode = 1
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  // 75 is EX_TEMPFAIL: worth another try.
  process.exitCode = error instanceof TokenRequestError && error.retryable ? 75 : 1
}
