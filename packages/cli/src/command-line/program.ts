import { nearestName } from '@tokenward/core'
import { SettingsError } from '../definition/settings-error'
import { EXIT_CODES, type ExitCode } from '../exit-codes'
import { checkCommand } from './check-command'
import type { Command } from './command'
import { readFlags } from './flags'
import { commandHelp, programHelp } from './help'
import { proxyCommand } from './proxy-command'
import { serveCommand } from './serve-command'
import type { Terminal } from './terminal'
import { tokenCommand } from './token-command'
import { UsageError } from './usage-error'

const COMMANDS: readonly Command[] = [checkCommand, tokenCommand, proxyCommand, serveCommand]

/** Runs the program. @param args what follows its name */
export async function runProgram(args: readonly string[], terminal: Terminal, version: string): Promise<ExitCode> {
  const { stdout, stderr } = terminal
  const [name, ...rest] = args
  try {
    if (name === undefined || name === '--help' || name === '-h' || (name === 'help' && rest.length === 0)) {
      const help = `${programHelp(COMMANDS)}\n`
      if (name !== undefined) stdout.write(help)
      else stderr.write(help)
      return name === undefined ? EXIT_CODES.usage : EXIT_CODES.ok
    }
    if (name === '--version' || name === '-v') {
      stdout.write(`${version}\n`)
      return EXIT_CODES.ok
    }
    const command = commandNamed(name === 'help' ? String(rest[0]) : name)
    if (name === 'help' || rest.includes('--help') || rest.includes('-h')) {
      stdout.write(`${commandHelp(command)}\n`)
      return EXIT_CODES.ok
    }
    return await command.run(readFlags(rest, command.flags), terminal)
  } catch (error) {
    if (error instanceof UsageError) {
      const topic = COMMANDS.some((command) => command.name === name) ? ` ${name}` : ''
      stderr.write(`${error.message}\nSee: tokenward${topic} --help\n`)
      return EXIT_CODES.usage
    }
    if (error instanceof SettingsError) {
      stderr.write(`${error.problems.join('\n')}\n`)
      return EXIT_CODES.definition
    }
    // Only its kind: the message of an error that nobody expected may hold anything.
    const { name: kind, code, stack = '' } = error as { name?: string; code?: string; stack?: string }
    const place = stack.split('\n').find((line) => line.trimStart().startsWith('at ')) ?? ''
    stderr.write(`tokenward failed: ${[kind, code].filter(Boolean).join(' ')}${place && `, ${place.trim()}`}\n`)
    stderr.write('That is a defect. Please report it: https://github.com/tokenward/tokenward/issues\n')
    return EXIT_CODES.unexpected
  }
}

function commandNamed(name: string): Command {
  const command = COMMANDS.find((each) => each.name === name)
  if (command) return command
  const names = COMMANDS.map((each) => each.name)
  const nearest = nearestName(name, names)
  const hint = nearest ? `did you mean ${nearest}?` : `there are ${names.join(', ')}`
  throw new UsageError(`${name.slice(0, 30)} is not a command; ${hint}`)
}
