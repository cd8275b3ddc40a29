/** A secret shorter than this is redacted only where it stands as a word: "a" would take every "a" out of a sentence. */
const SHORTEST_ANYWHERE = 4
/** From this length on, only the usual forms of a value are looked for, because the pattern would become too long. */
const LONGEST_PATTERN = 4_096

const NAMED_ENTITIES: Readonly<Record<string, string>> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' }

/**
 * A pattern for every form in which `value` can stand in a text: plain, form-encoded or percent-encoded (in upper and lower
 * case), as JSON string, escaped once or several times, and as HTML; each character in a form of its own.
 *
 * @param asWord whether it is not looked for within words
 */
export function anyFormOf(value: string, asWord = false): RegExp {
  const isLong = value.length > LONGEST_PATTERN
  const once = isLong ? usualForms(value) : patternOf(value)
  // A server that decodes too little quotes a value that was encoded twice.
  const encoded = formEncoded(value)
  const twice = isLong || encoded === value ? [] : [patternOf(encoded)]
  const either = [once, ...twice].join('|')
  if (value.length >= SHORTEST_ANYWHERE && !asWord) return new RegExp(either, 'gu')
  return new RegExp(`(?<![\\p{L}\\p{N}])(?:${either})(?![\\p{L}\\p{N}])`, 'gu')
}

/** Patterns for `value` within a text that was encoded as base64 or base64url. */
export function base64Forms(value: string): RegExp[] {
  return base64Texts(value).map((text) => new RegExp([...text].map(base64Character).join(''), 'gu'))
}

/**
 * What stands for `value` in a text that was encoded as base64. It begins at any of the three positions in a group of three
 * bytes; the characters that it shares with its neighbours are left out.
 */
export function base64Texts(value: string): string[] {
  if (value.length < SHORTEST_ANYWHERE) return []
  return [...new Set([value, formEncoded(value)])].flatMap((text) => {
    const bytes = new TextEncoder().encode(text)
    return [0, 1, 2].map((offset) => {
      const padded = new Uint8Array(offset + bytes.length)
      padded.set(bytes, offset)
      const whole = Math.floor((padded.length * 8) / 6)
      return base64(padded).slice(Math.ceil((offset * 8) / 6), whole)
    })
  })
}

/** As it stands in a form body. */
export function formEncoded(value: string): string {
  return new URLSearchParams([['', value]]).toString().slice(1)
}

function usualForms(value: string): string {
  const form = formEncoded(value)
  const percent = form.replaceAll('+', '%20')
  const lower = (text: string) => text.replace(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase())
  const json = JSON.stringify(value).slice(1, -1)
  const forms = new Set([value, form, percent, lower(form), lower(percent), json, json.replaceAll('/', '\\/')])
  return [...forms].map(literal).join('|')
}

function patternOf(value: string): string {
  let pattern = ''
  for (const [run] of value.matchAll(/\\+|[^\\]/gsu)) {
    // Any number of backslashes: a JSON string in a JSON string doubles them.
    if (run.startsWith('\\')) pattern += `(?:\\\\|%(?:25)*5[cC]){${run.length},}`
    else pattern += /[A-Za-z0-9]/.test(run) ? run : characterPattern(run, pattern.endsWith(',}'))
  }
  return pattern
}

/** Whatever stands for one character that is no letter or digit of ASCII. */
function characterPattern(character: string, followsBackslashes: boolean): string {
  const code = character.codePointAt(0) ?? 0
  const bytes = [...new TextEncoder().encode(character)].map((byte) => `%(?:25)*${hex(byte, 2)}`).join('')
  const units = character.split('').map((unit) => `u${hex(unit.charCodeAt(0), 4)}`)
  const backslashes = followsBackslashes ? '' : '\\\\+'
  const alternatives = [bytes, units.map((unit) => `${backslashes || '\\\\'}${unit}`).join('')]
  alternatives.push(`&#0*${code};`, `&#[xX]0*${hex(code, 0)};`)
  const entity = NAMED_ENTITIES[character]
  if (entity) alternatives.push(`&${entity};`)
  const short = JSON.stringify(character).slice(1, -1)
  if (short.length === 2) alternatives.push(`${backslashes || '\\\\'}${literal(short.slice(1))}`)
  if (character === '/') alternatives.push(`${backslashes}/`)
  if (character === ' ') alternatives.push('\\+')
  alternatives.push(literal(character))
  return `(?:${alternatives.join('|')})`
}

function base64Character(character: string): string {
  if (character === '+') return '(?:\\+|-|%2[bB]| )'
  if (character === '/') return '(?:/|_|\\\\+/|%2[fF])'
  return character
}

function hex(value: number, digits: number): string {
  const text = value.toString(16).padStart(digits, '0')
  return text.replace(/[a-f]/g, (letter) => `[${letter}${letter.toUpperCase()}]`)
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

function base64(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}
