import type { Setting } from './settings-table'

/** As many as core takes. */
const MOST_SECRETS = 5

/** A value of a setting as a config file may have it, or what is wrong with it. */
export function checkValue({ kind, choices }: Setting, value: unknown): { value: unknown } | { problem: string } {
  switch (kind) {
    case 'switch':
      return typeof value === 'boolean' ? { value } : { problem: 'must be true or false' }
    case 'number':
      return typeof value === 'number' && value >= 1 && Number.isFinite(value)
        ? { value }
        : { problem: 'must be a number of at least 1' }
    case 'list': {
      const list = Array.isArray(value) ? value : [value]
      return list.length > 0 && list.every(isText)
        ? { value: list }
        : { problem: 'must be a string, or an array of strings' }
    }
    case 'texts':
    case 'files': {
      const list = Array.isArray(value) ? value : [value]
      const isGood = list.length > 0 && list.length <= MOST_SECRETS && list.every(isText)
      return isGood && new Set(list).size === list.length
        ? { value }
        : { problem: `must be a string, or an array of 1 to ${MOST_SECRETS} different strings` }
    }
    case 'pairs':
      return typeof value === 'object' &&
        value !== null &&
        !Array.isArray(value) &&
        Object.values(value).every((each) => typeof each === 'string')
        ? { value }
        : { problem: 'must be an object with strings as values' }
    default:
      if (!isText(value)) return { problem: value === '' ? 'is empty' : 'must be a string' }
      return !choices || choices.includes(value) ? { value } : { problem: `must be one of ${choices.join(', ')}` }
  }
}

/** A value from the text of an environment variable. */
export function parseVariable(setting: Setting, text: string): { value: unknown } | { problem: string } {
  switch (setting.kind) {
    case 'switch':
      if (/^(1|true|yes|on)$/i.test(text)) return { value: true }
      return /^(0|false|no|off)$/i.test(text) ? { value: false } : { problem: 'must be true or false' }
    case 'number':
      return checkValue(setting, Number(text))
    case 'list':
      return { value: text.split(/\s+/).filter((each) => each !== '') }
    case 'pairs':
      return { value: Object.fromEntries(new URLSearchParams(text)) }
    default:
      return { value: text }
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
