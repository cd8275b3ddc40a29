// Packs every package and installs it in an empty folder, as npm would. Third-party packages are linked from this repository.
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What else users' code and the scripts in that folder import, and where it is in this repository. */
const TOOLS = {
  '@keyv/postgres': 'packages/store-keyv/node_modules/@keyv/postgres',
  '@tokenward/identity-provider': 'apps/identity-provider',
  '@types/node': 'node_modules/@types/node',
  '@types/simple-oauth2': 'apps/docs/node_modules/@types/simple-oauth2',
  axios: 'packages/axios/node_modules/axios',
  ioredis: 'packages/store-redis/node_modules/ioredis',
  jose: 'packages/core/node_modules/jose',
  keyv: 'packages/store-keyv/node_modules/keyv',
  ky: 'packages/fetch/node_modules/ky',
  ofetch: 'packages/ofetch/node_modules/ofetch',
  'simple-oauth2': 'apps/docs/node_modules/simple-oauth2',
  undici: 'packages/undici/node_modules/undici',
  'undici-7': 'packages/undici/node_modules/undici-7',
  unstorage: 'packages/store-unstorage/node_modules/unstorage',
}

export const packages = readdirSync(join(root, 'packages')).filter((name) =>
  existsSync(join(root, 'packages', name, 'package.json')),
)

/** @returns {string} the folder, which contains `node_modules` and the scripts of test/packed */
export function installPacked() {
  const folder = mkdtempSync(join(tmpdir(), 'tokenward-packed-'))
  for (const name of packages) {
    const source = join(root, 'packages', name)
    const target = join(folder, 'node_modules/@tokenward', name)
    const tarball = join(folder, `${name}.tgz`)
    execFileSync('pnpm', ['pack', '--out', tarball], { cwd: source, stdio: 'pipe' })
    mkdirSync(target, { recursive: true })
    execFileSync('tar', ['-xzf', tarball, '-C', target, '--strip-components=1'])
    const { dependencies = {}, peerDependencies = {} } = JSON.parse(readFileSync(join(target, 'package.json'), 'utf8'))
    for (const dependency of Object.keys({ ...dependencies, ...peerDependencies })) {
      if (dependency.startsWith('@tokenward/')) continue
      link(join(source, 'node_modules', dependency), join(target, 'node_modules', dependency))
    }
  }
  for (const [name, path] of Object.entries(TOOLS)) link(join(root, path), join(folder, 'node_modules', name))
  for (const script of ['smoke.mjs', 'adapters.mjs', 'contract.mjs', 'portable.mjs']) {
    copyFileSync(join(root, 'test/packed', script), join(folder, script))
  }
  return folder
}

function link(target, path) {
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(target, path)
}
