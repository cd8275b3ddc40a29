import 'reflect-metadata'
import { HttpService, HttpModule as NestHttpModule } from '@nestjs/axios'
import { Injectable, type LoggerService, Module } from '@nestjs/common'
import { ConfigModule, ConfigService } from '@nestjs/config'
import { NestFactory } from '@nestjs/core'
import { Test } from '@nestjs/testing'
import { attachTokens } from '@tokenward/axios'
import { ConfigurationError, createTokenManager, type TokenManager, WarmUpError } from '@tokenward/core'
import { type AuthorizedFetch, createFetch } from '@tokenward/fetch'
import type { IdentityProvider } from '@tokenward/identity-provider'
import {
  getClientToken,
  type HttpClients,
  InjectClient,
  InjectTokens,
  TOKEN_MANAGER,
  TokenwardModule,
  type TokenwardOptions,
} from '@tokenward/nestjs'
import { definitionsFor, SkippableClock, startProvider } from '@tokenward/test-support'
import { expect, onTestFinished, test } from 'vitest'

@Injectable()
class Catalog {
  constructor(
    @InjectClient('catalog') private readonly http: AuthorizedFetch,
    @InjectTokens() readonly tokens: TokenManager,
  ) {}

  async list(): Promise<number> {
    const response = await this.http('list')
    await response.body?.cancel()
    return response.status
  }
}

const catalogClient = (provider: IdentityProvider): HttpClients => ({
  catalog: (tokens) => createFetch(tokens, 'catalog.client', { baseURL: provider.catalog.baseURL }),
})

const silent: LoggerService = { log() {}, error() {}, warn() {}, debug() {} }

async function start(provider: IdentityProvider, options: Partial<TokenwardOptions> = {}) {
  @Module({
    imports: [
      TokenwardModule.forRoot({ clients: definitionsFor(provider), ...options } as TokenwardOptions),
      TokenwardModule.forFeature(catalogClient(provider)),
    ],
    providers: [Catalog],
  })
  class App {}
  const app = await NestFactory.createApplicationContext(App, { logger: silent, abortOnError: false })
  onTestFinished(() => app.close())
  return app
}

test('an injected client sends requests with a token, after a revocation too', async () => {
  const provider = await startProvider()
  const app = await start(provider)
  const catalog = app.get(Catalog)
  expect(await catalog.list()).toBe(200)
  provider.revokeIssued()
  expect(await catalog.list()).toBe(200)
  expect(provider.tokenRequests).toHaveLength(2)
})

test('a token that expires is replaced', async () => {
  const provider = await startProvider({ tokenLifetimeSeconds: 60 })
  const clock = new SkippableClock()
  const app = await start(provider, { clock })
  const catalog = app.get(Catalog)
  expect(await catalog.list()).toBe(200)
  clock.skip(61_000)
  expect(await catalog.list()).toBe(200)
  expect(provider.tokenRequests).toHaveLength(2)
})

test('the token manager is injected, and is the one of the clients', async () => {
  const provider = await startProvider()
  const app = await start(provider)
  const { tokens } = app.get(Catalog)
  expect(tokens).toBe(app.get(TOKEN_MANAGER))
  await tokens.getAccessToken('catalog.client')
  await app.get(Catalog).list()
  expect(provider.tokenRequests).toHaveLength(1)
})

test('forRootAsync and a factory of a client get a ConfigService', async () => {
  const provider = await startProvider()
  const { clientId, clientSecret } = provider.client('catalog.client')
  const values: Record<string, string> = {
    ISSUER: provider.issuer,
    CLIENT_ID: clientId,
    CLIENT_SECRET: clientSecret,
    API: provider.catalog.baseURL,
  }
  const config = ConfigModule.forRoot({ ignoreEnvFile: true, isGlobal: true, load: [() => values] })
  @Module({
    imports: [
      config,
      TokenwardModule.forRootAsync({
        inject: [ConfigService],
        useFactory: (settings: ConfigService) => ({
          clients: {
            'catalog.client': {
              issuer: settings.getOrThrow<string>('ISSUER'),
              clientId: settings.getOrThrow<string>('CLIENT_ID'),
              clientSecret: settings.getOrThrow<string>('CLIENT_SECRET'),
              scope: 'catalog',
            },
          },
        }),
      }),
      TokenwardModule.forFeature({
        catalog: {
          inject: [ConfigService],
          create: (tokens, settings: ConfigService) =>
            createFetch(tokens, 'catalog.client', { baseURL: settings.getOrThrow<string>('API') }),
        },
      }),
    ],
    providers: [Catalog],
  })
  class App {}
  const app = await NestFactory.createApplicationContext(App, { logger: silent, abortOnError: false })
  onTestFinished(() => app.close())
  expect(await app.get(Catalog).list()).toBe(200)
})

test('the HttpService of @nestjs/axios sends requests with a token', async () => {
  const provider = await startProvider()
  @Module({
    imports: [
      TokenwardModule.forRoot({ clients: definitionsFor(provider) }),
      TokenwardModule.forFeature(
        {
          catalog: {
            inject: [HttpService],
            create(tokens, http: HttpService) {
              attachTokens(http.axiosRef, tokens, 'catalog.client')
              return http
            },
          },
        },
        [NestHttpModule.register({ baseURL: provider.catalog.baseURL })],
      ),
    ],
  })
  class App {}
  const app = await NestFactory.createApplicationContext(App, { logger: silent, abortOnError: false })
  onTestFinished(() => app.close())
  const http = app.get<HttpService>(getClientToken('catalog'), { strict: false })
  expect((await http.axiosRef.get('list')).status).toBe(200)
  expect(provider.catalog.requests[0]?.headers.authorization).toMatch(/^Bearer /)
})

test('the end of the application ends the token manager that the module has made, and no other', async () => {
  const provider = await startProvider()
  const app = await start(provider)
  const own = app.get<TokenManager>(TOKEN_MANAGER)
  await app.close()
  await expect(own.getAccessToken('catalog.client')).rejects.toMatchObject({ error: 'closed' })

  const tokens = createTokenManager({ clients: definitionsFor(provider) })
  onTestFinished(() => tokens.close())
  const other = await start(provider, { tokens } as TokenwardOptions)
  expect(other.get(TOKEN_MANAGER)).toBe(tokens)
  await other.close()
  expect((await tokens.getAccessToken('catalog.client')).type).toBe('Bearer')
})

test('an application with wrong definitions does not start, and the error names all of them', async () => {
  const provider = await startProvider()
  const error = await start(provider, {
    clients: { c: { issuer: 'https://login.company.com', clientId: '' } },
  } as TokenwardOptions).then(undefined, (thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(ConfigurationError)
  expect(String(error)).toContain('clientId')
})

test('with warmUp, an application whose secret is wrong does not start', async () => {
  const provider = await startProvider()
  const { tokenEndpoint } = provider
  const clients = { 'catalog.client': { tokenEndpoint, clientId: 'unknown', clientSecret: 'wrong' } }
  const error = await start(provider, { clients, warmUp: true } as TokenwardOptions).then(
    undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(WarmUpError)
  await start(provider, { warmUp: ['catalog.client'] })
  expect(provider.tokenRequests.at(-1)?.status).toBe(200)
})

test('log lines go to the logger of the application, with the context Tokenward', async () => {
  const provider = await startProvider()
  const lines: unknown[][] = []
  const note = (...line: unknown[]) => void lines.push(line)
  @Module({ imports: [TokenwardModule.forRoot({ clients: definitionsFor(provider) })] })
  class App {}
  const logger: LoggerService = { log: note, error: note, warn: note, debug: note }
  const app = await NestFactory.createApplicationContext(App, { logger, abortOnError: false })
  onTestFinished(() => app.close())
  await app.get<TokenManager>(TOKEN_MANAGER).getAccessToken('catalog.client')
  expect(lines).toContainEqual([expect.stringContaining("client 'catalog.client'"), 'Tokenward'])
})

test('a test of the user replaces a client by its injection token', async () => {
  const app = await Test.createTestingModule({
    imports: [TokenwardModule.forRoot({ clients: {} }), TokenwardModule.forFeature({ catalog: () => fetch })],
    providers: [Catalog],
  })
    .overrideProvider(getClientToken('catalog'))
    .useValue(async () => new Response('[]', { status: 299 }))
    .compile()
  onTestFinished(() => app.close())
  expect(await app.get(Catalog).list()).toBe(299)
})
