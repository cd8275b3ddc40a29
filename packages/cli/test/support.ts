import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import selfsigned from 'selfsigned'
import { expect, onTestFinished } from 'vitest'
import type { CheckReport, CheckStep, ClientSettings } from '../src/index'
import { check } from '../src/index'

/** A folder that is deleted when the test ends. @returns the path of a file in it with this text */
export function file(name: string, content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'tokenward-cli-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

interface CertificateOptions {
  readonly name?: string
  readonly ip?: string
  readonly notBeforeDate?: Date
  readonly notAfterDate?: Date
}

export async function certificate({ name = 'localhost', ip = '127.0.0.1', ...dates }: CertificateOptions = {}) {
  const { cert, private: key } = await selfsigned.generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    ...dates,
    extensions: [
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: name },
          { type: 7, ip },
        ],
      },
    ],
  })
  return { cert, key }
}

/** A server whose certificate is the subject of the test. It responds 404. @returns its origin */
export async function tlsServer(options: { cert: string; key: string }): Promise<string> {
  const server: Server = createServer(options, (_request, response) => response.writeHead(404).end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** An origin where nothing listens. */
export async function closedOrigin(): Promise<string> {
  const server = createTcpServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `http://127.0.0.1:${port}`
}

/** The step that failed, which is the last one. */
export function failure({ steps, ok }: CheckReport): CheckStep {
  expect(ok).toBe(false)
  const last = steps.at(-1)
  if (last?.status !== 'failed') throw new Error(`nothing failed: ${JSON.stringify(steps)}`)
  return last
}

/** Everything that a report says, in one text. */
export const textOf = (step: CheckStep) => [step.summary, step.meaning, ...(step.remedies ?? [])].join('\n')

export const checked = (settings: ClientSettings, environment = {}) => check(settings, { environment })
