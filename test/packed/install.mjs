// Packs every package and installs it in an empty folder: with npm, or faster without a registry. Then third-party packages are
// linked from this repository.
import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What else users' code and the scripts in that folder import, and where it is in this repository. */
const TOOLS = {
  '@apollo/client': 'apps/docs/node_modules/@apollo/client',
  '@azure/core-auth': 'packages/azure/node_modules/@azure/core-auth',
  '@azure/identity': 'packages/azure/node_modules/@azure/identity',
  '@azure/keyvault-secrets': 'packages/azure/node_modules/@azure/keyvault-secrets',
  '@connectrpc/connect-web': 'apps/docs/node_modules/@connectrpc/connect-web',
  '@grpc/grpc-js': 'packages/grpc/node_modules/@grpc/grpc-js',
  '@grpc/proto-loader': 'packages/grpc/node_modules/@grpc/proto-loader',
  '@keyv/postgres': 'packages/store-keyv/node_modules/@keyv/postgres',
  '@modelcontextprotocol/client': 'packages/mcp/node_modules/@modelcontextprotocol/client',
  '@modelcontextprotocol/sdk': 'packages/mcp/node_modules/@modelcontextprotocol/sdk',
  '@nestjs/axios': 'packages/nestjs/node_modules/@nestjs/axios',
  '@nestjs/common': 'packages/nestjs/node_modules/@nestjs/common',
  '@nestjs/config': 'packages/nestjs/node_modules/@nestjs/config',
  '@nestjs/core': 'packages/nestjs/node_modules/@nestjs/core',
  '@octokit/request': 'apps/docs/node_modules/@octokit/request',
  '@opentelemetry/exporter-prometheus': 'apps/docs/node_modules/@opentelemetry/exporter-prometheus',
  '@opentelemetry/sdk-metrics': 'apps/docs/node_modules/@opentelemetry/sdk-metrics',
  '@tokenward/identity-provider': 'apps/identity-provider',
  '@trpc/client': 'apps/docs/node_modules/@trpc/client',
  '@trpc/server': 'apps/docs/node_modules/@trpc/server',
  '@types/node': 'node_modules/@types/node',
  '@types/simple-oauth2': 'apps/docs/node_modules/@types/simple-oauth2',
  '@types/ws': 'packages/websocket/node_modules/@types/ws',
  '@urql/core': 'apps/docs/node_modules/@urql/core',
  'amqp-connection-manager': 'packages/amqp/node_modules/amqp-connection-manager',
  amqplib: 'packages/amqp/node_modules/amqplib',
  axios: 'packages/axios/node_modules/axios',
  bullmq: 'apps/docs/node_modules/bullmq',
  consola: 'apps/docs/node_modules/consola',
  fastify: 'apps/docs/node_modules/fastify',
  got: 'apps/docs/node_modules/got',
  'graphql-request': 'apps/docs/node_modules/graphql-request',
  'graphql-ws': 'packages/websocket/node_modules/graphql-ws',
  ioredis: 'packages/store-redis/node_modules/ioredis',
  jose: 'packages/core/node_modules/jose',
  kafkajs: 'packages/kafka/node_modules/kafkajs',
  keyv: 'packages/store-keyv/node_modules/keyv',
  ky: 'packages/fetch/node_modules/ky',
  mqtt: 'packages/mqtt/node_modules/mqtt',
  ofetch: 'packages/ofetch/node_modules/ofetch',
  'openapi-fetch': 'apps/docs/node_modules/openapi-fetch',
  pino: 'apps/docs/node_modules/pino',
  'reflect-metadata': 'packages/nestjs/node_modules/reflect-metadata',
  'simple-oauth2': 'apps/docs/node_modules/simple-oauth2',
  undici: 'packages/undici/node_modules/undici',
  'undici-7': 'packages/undici/node_modules/undici-7',
  unstorage: 'packages/store-unstorage/node_modules/unstorage',
  winston: 'apps/docs/node_modules/winston',
  ws: 'packages/websocket/node_modules/ws',
}

export const packages = readdirSync(join(root, 'packages')).filter((name) =>
  existsSync(join(root, 'packages', name, 'package.json')),
)

/** What the scripts of test/packed and the examples of the documents need beside the packed packages, as npm finds it. */
const LIBRARIES = [
  '@apollo/client',
  '@azure/core-auth',
  '@azure/identity',
  '@azure/keyvault-secrets',
  '@bufbuild/protobuf',
  '@connectrpc/connect',
  '@connectrpc/connect-web',
  '@grpc/grpc-js',
  '@grpc/proto-loader',
  '@keyv/postgres',
  '@modelcontextprotocol/client',
  '@modelcontextprotocol/sdk',
  '@nestjs/axios',
  '@nestjs/common',
  '@nestjs/config',
  '@nestjs/core',
  '@octokit/request',
  '@opentelemetry/api',
  '@opentelemetry/exporter-prometheus',
  '@opentelemetry/sdk-metrics',
  '@trpc/client',
  '@trpc/server',
  '@urql/core',
  'amqp-connection-manager',
  'amqplib',
  'axios',
  'bullmq',
  'consola',
  'fastify',
  'got',
  'graphql',
  'graphql-request',
  'graphql-ws',
  'ioredis@5',
  'kafkajs',
  'keyv',
  'ky',
  'mqtt',
  'ofetch',
  'openapi-fetch',
  'pino',
  'reflect-metadata',
  'rxjs',
  'simple-oauth2',
  'undici',
  'undici-7@npm:undici@7',
  'unstorage',
  'winston',
  'ws',
]

const SCRIPTS = ['smoke.mjs', 'adapters.mjs', 'contract.mjs', 'portable.mjs']

/**
 * Packs every package.
 *
 * @returns {(name: string) => string} the path of a package's tarball
 */
export function packInto(folder) {
  const tarball = (name) => join(folder, `${name}.tgz`)
  for (const name of packages) {
    execFileSync('pnpm', ['pack', '--out', tarball(name)], { cwd: join(root, 'packages', name), stdio: 'pipe', shell })
  }
  return tarball
}

/**
 * Installs the packed packages without a registry.
 *
 * @returns {string} the folder, which contains `node_modules` and the scripts of test/packed
 */
export function installPacked() {
  const folder = mkdtempSync(join(tmpdir(), 'tokenward-packed-'))
  const tarball = packInto(folder)
  for (const name of packages) {
    const source = join(root, 'packages', name)
    const target = join(folder, 'node_modules/@tokenward', name)
    mkdirSync(target, { recursive: true })
    execFileSync('tar', ['-xzf', tarball(name), '-C', target, '--strip-components=1'])
    const { dependencies = {}, peerDependencies = {} } = JSON.parse(readFileSync(join(target, 'package.json'), 'utf8'))
    for (const dependency of Object.keys({ ...dependencies, ...peerDependencies })) {
      if (dependency.startsWith('@tokenward/')) continue
      link(join(source, 'node_modules', dependency), join(target, 'node_modules', dependency))
    }
  }
  for (const [name, path] of Object.entries(TOOLS)) link(join(root, path), join(folder, 'node_modules', name))
  copyScripts(folder)
  return folder
}

/** Installs the packed packages and all libraries that they work with by npm. @returns {string} the folder */
export function installFromRegistry(folder) {
  const tarball = packInto(folder)
  npmInstall(folder, [...packages.map(tarball), ...LIBRARIES])
  // It is not published.
  const provider = 'node_modules/@tokenward/identity-provider'
  link(join(root, TOOLS['@tokenward/identity-provider']), join(folder, provider))
  copyScripts(folder)
  // Bun and Deno only take files with this name for tests.
  copyFileSync(join(root, 'test/packed/contract.mjs'), join(folder, 'contract.test.mjs'))
  return folder
}

/**
 * Installs packages into an empty project.
 *
 * @param {object} [manifest] more of its package.json
 * @returns {string} the folder
 */
export function npmInstall(folder, names, manifest = {}) {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, ...manifest }))
  execFileSync('npm', ['install', '--no-audit', '--no-fund', ...names], { cwd: folder, stdio: 'pipe', shell })
  return folder
}

function copyScripts(folder) {
  for (const script of SCRIPTS) copyFileSync(join(root, 'test/packed', script), join(folder, script))
}

/** On Windows, npm and pnpm are scripts. */
const shell = process.platform === 'win32'

function link(target, path) {
  mkdirSync(dirname(path), { recursive: true })
  // A junction needs no special rights on Windows.
  symlinkSync(target, path, 'junction')
}
