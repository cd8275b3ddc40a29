// Installs the pnpm that package.json names, for all programs on this machine. The workflows use it.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const { packageManager } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
// pnpm's install script puts its binary in place. Newer npm versions run only scripts that are allowed.
execFileSync('npm', ['install', '--global', '--allow-scripts=pnpm', packageManager], {
  stdio: 'inherit',
  shell: process.platform === 'win32',
})
