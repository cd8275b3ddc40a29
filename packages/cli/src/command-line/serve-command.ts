import type { Command } from './command'
import { numberOf } from './number-of'
import { UsageError } from './usage-error'

/** oidc-provider, which is the authorization server, runs on this version and later. */
const LEAST_NODE_MAJOR = 22

export const serveCommand: Command = {
  name: 'serve',
  summary: 'run a local authorization server and two protected APIs, to try everything without an account',
  description: `Runs an authorization server and two protected APIs on 127.0.0.1, until Ctrl-C. It prints a definition to paste, and the ids and
secrets of its demo clients. They are public, so do not use it for anything else.

Lines on standard input change how it behaves: revoke, slow MS, fail N, clear. POST requests to the control server do the same.
In the background, start it with </dev/null.`,
  examples: ['tokenward serve --lifetime 30', 'tokenward serve --fail-rate 0.3 --slow 500'],
  flags: [
    {
      name: 'port',
      value: 'N',
      help: 'port of the authorization server, default 5001; the APIs and the control server use the next three; 0: any',
    },
    { name: 'lifetime', value: 'SECONDS', help: 'lifetime of tokens, default 300' },
    { name: 'dpop', help: 'issue only tokens that are bound to a key (RFC 9449)' },
    {
      name: 'fail-rate',
      value: 'RATE',
      help: 'how many token requests fail with status 503: 0 for none (default) to 1 for all',
    },
    { name: 'slow', value: 'MS', help: 'how much later the token endpoint responds, in milliseconds' },
  ],
  async run(values, terminal) {
    const options = {
      port: numberOf(values, 'port', 5001, { least: 0, most: 65_532, whole: true }),
      lifetimeSeconds: numberOf(values, 'lifetime', 300, { least: 1, most: 31_536_000, whole: true }),
      dpop: values.dpop === true,
      failRate: numberOf(values, 'fail-rate', 0, { least: 0, most: 1, whole: false }),
      delayMs: numberOf(values, 'slow', 0, { least: 0, most: 600_000, whole: true }),
    }
    const [major = 0] = process.versions.node.split('.').map(Number)
    if (major < LEAST_NODE_MAJOR) {
      const how = `npx -p node@${LEAST_NODE_MAJOR} -p @tokenward/cli tokenward serve`
      throw new UsageError(
        `tokenward serve needs Node ${LEAST_NODE_MAJOR} or later, and this is Node ${process.versions.node}. The other commands run here. Without an update: ${how}`,
      )
    }
    // Loaded only here: the other commands need neither the server nor its Node.
    const { serve } = await import('../serve/serve')
    return serve(options, terminal)
  },
}
