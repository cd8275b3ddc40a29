import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'

test('keepFresh does not keep a process alive', async () => {
  const script = `
    import { createTokenManager } from ${JSON.stringify(new URL('../packages/core/dist/index.js', import.meta.url).href)}
    const tokens = createTokenManager({
      clients: { c: { tokenEndpoint: 'https://as.example/token', clientId: 'c', clientSecret: 's' } },
      requester: { request: async () => ({ access_token: 't', token_type: 'Bearer', expires_in: 3600 }) },
    })
    tokens.keepFresh('c', () => console.log('delivered'))
  `
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script])
  let output = ''
  child.stdout.on('data', (text) => (output += text))
  child.stderr.on('data', (text) => (output += text))
  const [code] = await once(child, 'exit')
  expect([output, code]).toEqual(['delivered\n', 0])
})
