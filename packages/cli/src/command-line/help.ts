import { EXIT_CODES } from '../exit-codes'
import type { Command } from './command'

const EXIT_CODE_MEANINGS: Readonly<Record<keyof typeof EXIT_CODES, string>> = {
  ok: 'it works',
  unexpected: 'the program itself failed',
  usage: 'the command line is wrong',
  definition: 'the definition of the client is wrong, or a file cannot be read',
  connection: 'the server cannot be reached (DNS, connection, TLS, time limit)',
  discovery: 'the metadata of the issuer is missing or wrong',
  authentication: 'the server does not accept the client',
  token: 'the server issues no token, or none that can be used',
  api: 'the API does not accept the token',
}

export function programHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2
  const list = commands.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`)
  return [
    'tokenward: OAuth 2.0 access tokens for workers',
    '',
    'usage: tokenward <command> [options]',
    '',
    ...list,
    '',
    'tokenward <command> --help shows the options of a command, tokenward --version the version.',
    'https://github.com/tokenward/tokenward/tree/main/packages/cli#readme',
  ].join('\n')
}

export function commandHelp({ name, description, examples, flags, exitCodes }: Command): string {
  const rows = [...flags, { name: 'help', help: 'show this text' }].map((flag) => {
    const value = 'value' in flag && flag.value ? ` ${flag.value}` : ''
    return { left: `  --${flag.name}${value}`, right: flag.help }
  })
  const width = Math.max(...rows.map(({ left }) => left.length)) + 2
  return [
    `usage: tokenward ${name} [options]`,
    '',
    description,
    '',
    ...rows.map(({ left, right }) => `${left.padEnd(width)}${right}`),
    ...(examples.length > 0 ? ['', 'Examples:', ...examples.map((example) => `  ${example}`)] : []),
    ...(exitCodes ? ['', 'Exit codes:', ...exitCodeLines()] : []),
  ].join('\n')
}

function exitCodeLines(): string[] {
  return Object.entries(EXIT_CODES).map(
    ([name, code]) => `  ${code}  ${EXIT_CODE_MEANINGS[name as keyof typeof EXIT_CODES]}`,
  )
}
