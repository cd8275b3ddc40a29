#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { runProgram } from './command-line/program'

const { stdin, stdout, stderr, env } = process
// A reader that has enough, such as `head`, closes the pipe.
for (const stream of [stdout, stderr]) stream.on('error', () => process.exit())
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const exitCode = await runProgram(process.argv.slice(2), { stdin, stdout, stderr, environment: env }, version)
await Promise.all([stdout, stderr].map((stream) => new Promise((resolve) => stream.write('', resolve))))
// A DNS query that nobody waits for any more would keep the process alive.
process.exit(exitCode)
