import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { checkCommand } from '../src/command-line/check-command'
import type { Command } from '../src/command-line/command'
import { CLIENT_FLAGS } from '../src/command-line/flags'
import { proxyCommand } from '../src/command-line/proxy-command'
import { serveCommand } from '../src/command-line/serve-command'
import { tokenCommand } from '../src/command-line/token-command'
import { readConfigFile } from '../src/definition/config-file'
import { SettingsError } from '../src/definition/settings-error'
import { flagOf, SETTINGS, type Setting, variableOf } from '../src/definition/settings-table'
import { EXIT_CODES } from '../src/exit-codes'
import { file } from './support'

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const page = read('../../../docs/cli.md')
const schema = JSON.parse(read('../tokenward.schema.json'))

/** The first column of the table whose first heading is `head`. */
function rowsOf(head: string): string[] {
  const [, table = ''] = page.split(`| ${head} |`)
  const lines = table.trimEnd().split('\n\n')[0]?.split('\n').slice(2) ?? []
  return lines.map((line) => String(line.split(' | ')[0]).replace(/^\| |`/g, ''))
}

const ownFlags = ({ flags }: Command) =>
  flags
    .filter((flag) => !CLIENT_FLAGS.includes(flag))
    .map(({ name, value }) => (value === undefined ? `--${name}` : `--${name} ${value}`))

test.each([
  ['option of check', ownFlags(checkCommand)],
  ['option of token', ownFlags(tokenCommand)],
  ['option of proxy', ownFlags(proxyCommand)],
  ['option of serve', ownFlags(serveCommand)],
  ['code', Object.values(EXIT_CODES).map(String)],
  ['command', ['tokenward check', 'tokenward token', 'tokenward proxy', 'tokenward serve']],
  ['step', [...checkSteps()]],
  ['field of the report', fieldsOf('CheckReport')],
  ['field of a step', fieldsOf('CheckStep')],
])('the page lists each %s, and no other', (head, expected) => {
  expect(rowsOf(head)).toEqual(expected)
})

function checkSteps(): string[] {
  const [, union = ''] = /type CheckStepName =([\s\S]*?)\n\n/.exec(read('../src/check-report.ts')) ?? []
  return [...union.matchAll(/'(\w+)'/g)].map(([, name]) => String(name))
}

function fieldsOf(name: string): string[] {
  const [, body = ''] = read('../src/check-report.ts').split(`interface ${name} {`)
  return [...String(body.split('\n}')[0]).matchAll(/readonly (\w+)\??:/g)].map(([, field]) => String(field))
}

test('the schema, the page and the flags have the same settings', () => {
  const names = SETTINGS.map(({ name }) => name)
  expect(Object.keys(schema.$defs.client.properties).sort()).toEqual(names.toSorted())
  const rows = [...page.matchAll(/^\| `(--[\w-]+)[^`]*` \| `(\w+)` \| `(TOKENWARD_\w+)` \|/gm)].map(([, ...row]) => row)
  const expected = names.map((name) => [`--${flagOf(name)}`, name, variableOf(name)])
  expect(rows.sort()).toEqual(expected.sort())
})

// `format` is a note for editors: the reader checks URLs when it makes a definition of the settings.
const validate = new Ajv2020({ validateFormats: false, allowUnionTypes: true }).compile(schema)

async function isRead(config: unknown): Promise<boolean> {
  try {
    await readConfigFile(file('tokenward.json', JSON.stringify(config)), undefined)
    return true
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsError)
    return false
  }
}

const ANYTHING = [
  'x',
  '',
  1,
  0,
  0.5,
  true,
  false,
  null,
  [],
  ['x'],
  [''],
  [1],
  ['x', 'x'],
  [...'abcdef'],
  {},
  { a: 'x' },
  { a: 1 },
]
const GOOD: Readonly<Record<Setting['kind'], unknown>> = {
  text: 'x',
  texts: ['new', 'old'],
  url: 'https://login.company.com',
  file: 'x.pem',
  files: ['new.txt', 'old.txt'],
  switch: true,
  number: 500,
  list: ['urn:a'],
  pairs: { tenant: 'a' },
}

test.each(SETTINGS.map(({ name, kind }) => [name, kind] as const))(
  'the schema and the reader accept and reject the same values of %s',
  async (name, kind) => {
    const accepted = []
    for (const value of [...ANYTHING, GOOD[kind], 'none']) {
      const config = { clients: { a: { [name]: value } } }
      const reads = await isRead(config)
      expect({ value, accepted: validate(config) }).toEqual({ value, accepted: reads })
      if (reads) accepted.push(value)
    }
    expect(accepted.length).toBeGreaterThan(0)
  },
)

test.each<[unknown, boolean]>([
  [{ clients: { a: {} } }, true],
  [{ $schema: './schema.json', clients: { a: {} } }, true],
  [{ $schema: 1, clients: { a: {} } }, false],
  [{ clients: {} }, false],
  [{ clients: [] }, false],
  [{ clients: { a: [] } }, false],
  [{ clients: { a: { clientid: 'x' } } }, false],
  [{ clients: { a: {} }, client: 'a' }, false],
  [{}, false],
  [[], false],
  ['x', false],
])('the schema and the reader agree on %j: %s', async (config, accepted) => {
  expect({ schema: validate(config), reader: await isRead(config) }).toEqual({ schema: accepted, reader: accepted })
})
