import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import type { Library } from './libraries/library'
import type { Environment, MeasuredLibrary } from './result'

/** Where the benchmark runs. It names neither the host nor a path. */
export function environment(): Environment {
  const processors = cpus()
  return {
    node: process.versions.node,
    platform: process.platform,
    arch: process.arch,
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cpus: processors.length,
    loadAverage: Number((loadavg()[0] ?? 0).toFixed(1)),
  }
}

/** A library, with the version that is installed. */
export function measuredLibrary({ id, packageName, httpClient, use }: Library): MeasuredLibrary {
  if (packageName === undefined) return { id, httpClient, use }
  return { id, packageName, version: installedVersion(packageName), httpClient, use }
}

const require = createRequire(import.meta.url)

/** Reads package.json itself, because many packages do not export it. */
function installedVersion(packageName: string): string {
  const folders = require.resolve.paths(packageName) ?? []
  const path = folders.map((folder) => join(folder, packageName, 'package.json')).find((each) => existsSync(each))
  if (path === undefined) throw new Error(`${packageName} is not installed`)
  return JSON.parse(readFileSync(path, 'utf8')).version
}
