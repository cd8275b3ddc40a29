import { createHash } from 'node:crypto'
import luaparse, { type Expression, type Statement } from 'luaparse'

/** A value in a script. Lua's nil is `undefined`. A table has the keys 1, 2, 3 and so on, or names. */
export type LuaValue = undefined | boolean | number | string | LuaTable
export interface LuaTable {
  [key: string | number]: LuaValue
}

/** Runs one command of Redis for a script. What it throws ends the script, unless the script used `pcall`. */
type RedisCall = (command: string, args: readonly string[]) => LuaValue

export type CompiledScript = (call: RedisCall, keys: readonly string[], args: readonly string[]) => LuaValue

/** An error reply of Redis. */
export class RedisError extends Error {
  override readonly name = 'ReplyError'
}

/**
 * Compiles a script of Redis to JavaScript, so that a model runs the very scripts that are sent to a real Redis. It knows the
 * part of Lua that scripts of this project use.
 *
 * @throws Error that names what it does not know
 */
export function compileLua(source: string): CompiledScript {
  const { body } = luaparse.parse(source, { luaVersion: '5.1', comments: false, encodingMode: 'pseudo-latin1' })
  const code = `'use strict';\n${block(body as Statement[])}`
  const run = new Function('L', 'KEYS', 'ARGV', code) as (lua: object, keys: LuaTable, args: LuaTable) => LuaValue
  return (call, keys, args) => run(runtime(call), toTable(keys), toTable(args))
}

export function toTable(values: readonly LuaValue[]): LuaTable {
  const table: LuaTable = {}
  values.forEach((value, index) => {
    table[index + 1] = value
  })
  return table
}

/** The values under 1, 2, 3 and so on, up to the first that is missing. */
export function fromTable(table: LuaTable): LuaValue[] {
  const values: LuaValue[] = []
  for (let index = 1; table[index] !== undefined; index++) values.push(table[index])
  return values
}

function block(statements: readonly Statement[]): string {
  return statements.map(statement).join('\n')
}

function statement(node: Statement): string {
  switch (node.type) {
    case 'LocalStatement':
      return node.variables
        .map((variable, index) => {
          const init = node.init[index]
          return `let ${name(variable.name)} = ${init ? expression(init) : 'undefined'};`
        })
        .join(' ')
    case 'AssignmentStatement':
      return node.variables
        .map(
          (variable, index) => `${expression(variable as Expression)} = ${expression(node.init[index] as Expression)};`,
        )
        .join(' ')
    case 'CallStatement':
      return `${expression(node.expression as Expression)};`
    case 'ReturnStatement':
      return `return ${node.arguments[0] ? expression(node.arguments[0]) : 'undefined'};`
    case 'IfStatement':
      return node.clauses
        .map((clause) => {
          if (clause.type === 'ElseClause') return `else {\n${block(clause.body as Statement[])}\n}`
          const word = clause.type === 'IfClause' ? 'if' : 'else if'
          return `${word} (L.truthy(${expression(clause.condition)})) {\n${block(clause.body as Statement[])}\n}`
        })
        .join(' ')
    case 'ForNumericStatement': {
      const variable = name(node.variable.name)
      const end = expression(node.end)
      const { step } = node
      if (step && !(step.type === 'NumericLiteral' && step.value > 0))
        throw new Error('a script has a step of a loop that the model does not know')
      const by = step ? expression(step) : '1'
      return `for (let ${variable} = ${expression(node.start)}; ${variable} <= ${end}; ${variable} += ${by}) {\n${block(node.body as Statement[])}\n}`
    }
    case 'ForGenericStatement': {
      const [iterator] = node.iterators
      const [index, value] = node.variables.map((variable) => name(variable.name))
      return `for (const [${index}, ${value ?? '$none'}] of ${expression(iterator as Expression)}) {\n${block(node.body as Statement[])}\n}`
    }
    default:
      throw new Error(`a script has a ${node.type}, which the model does not know`)
  }
}

const ARITHMETIC = new Set(['+', '-', '*', '/', '<', '<=', '>', '>='])

function expression(node: Expression): string {
  switch (node.type) {
    case 'Identifier':
      return name(node.name)
    case 'StringLiteral':
    case 'NumericLiteral':
      return JSON.stringify(node.value)
    case 'BooleanLiteral':
      return String(node.value)
    case 'NilLiteral':
      return 'undefined'
    case 'IndexExpression':
      return `${expression(node.base)}[${expression(node.index)}]`
    case 'MemberExpression':
      return `${expression(node.base)}[${JSON.stringify(node.identifier.name)}]`
    case 'CallExpression':
      return `${expression(node.base)}(${node.arguments.map(expression).join(', ')})`
    case 'UnaryExpression':
      if (node.operator === 'not') return `!L.truthy(${expression(node.argument)})`
      if (node.operator === '#') return `L.length(${expression(node.argument)})`
      return `(${node.operator}${expression(node.argument)})`
    case 'LogicalExpression':
      return `L.${node.operator}(${expression(node.left)}, () => ${expression(node.right)})`
    case 'BinaryExpression':
      return binary(node.operator, expression(node.left), expression(node.right))
    case 'TableConstructorExpression':
      return `L.table([${node.fields.map((field) => expression(field.value)).join(', ')}])`
    default:
      throw new Error(`a script has a ${node.type}, which the model does not know`)
  }
}

function binary(operator: string, left: string, right: string): string {
  if (operator === '==') return `(${left} === ${right})`
  if (operator === '~=') return `(${left} !== ${right})`
  if (operator === '..') return `(String(${left}) + String(${right}))`
  if (ARITHMETIC.has(operator)) return `(${left} ${operator} ${right})`
  throw new Error(`a script has the operator ${operator}, which the model does not know`)
}

const LIBRARY = new Set(['redis', 'string', 'tonumber', 'tostring', 'ipairs'])

/** Variables get a prefix: Lua allows names that are words of JavaScript. */
function name(identifier: string): string {
  if (identifier === 'KEYS' || identifier === 'ARGV') return identifier
  return LIBRARY.has(identifier) ? `L.${identifier}` : `$${identifier}`
}

const truthy = (value: LuaValue): boolean => value !== false && value !== undefined

function runtime(call: RedisCall): object {
  const text = (value: LuaValue) => String(value)
  return {
    truthy,
    and: (left: LuaValue, right: () => LuaValue) => (truthy(left) ? right() : left),
    or: (left: LuaValue, right: () => LuaValue) => (truthy(left) ? left : right()),
    length: (value: LuaValue) => (typeof value === 'string' ? value.length : fromTable(value as LuaTable).length),
    table: toTable,
    tonumber: (value: LuaValue) => {
      const number = typeof value === 'string' || typeof value === 'number' ? Number(value) : Number.NaN
      return Number.isNaN(number) ? undefined : number
    },
    tostring: text,
    ipairs: (table: LuaTable) => fromTable(table).map((value, index) => [index + 1, value]),
    string: {
      format(format: string, value: number) {
        if (format !== '%.0f') throw new Error(`a script has the format ${format}, which the model does not know`)
        return value.toFixed(0)
      },
    },
    redis: {
      call: (command: string, ...args: LuaValue[]) => call(command, args.map(text)),
      pcall(command: string, ...args: LuaValue[]) {
        try {
          return call(command, args.map(text))
        } catch (error) {
          if (error instanceof RedisError) return { err: error.message }
          throw error
        }
      },
      sha1hex: (value: string) => createHash('sha1').update(value).digest('hex'),
    },
  }
}
