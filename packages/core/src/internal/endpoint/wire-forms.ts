/** A secret shorter than this is redacted only where it stands as a word: "a" would take every "a" out of a sentence. */
const SHORTEST_ANYWHERE = 4
/**
 * From this length on, only the usual forms of a value are looked for. A longer pattern could take seconds, and an engine may refuse it by
 * an error that quotes it.
 */
const LONGEST_PATTERN = 512

const NAMED_ENTITIES: Readonly<Record<string, string>> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' }

/**
 * Where `text` has `value`, in any form in which a server may repeat it.
 *
 * @param asWord whether it is not looked for within words
 */
export function findForms(text: string, value: string, asWord = false): [start: number, end: number][] {
  if (value.length > LONGEST_PATTERN) return usualForms(value).flatMap((form) => findText(text, form))
  const patterns = [anyFormOf(value, asWord), ...base64Forms(value)]
  return patterns.flatMap((pattern) =>
    [...text.matchAll(pattern)].map(({ index, 0: found }): [number, number] => [index, index + found.length]),
  )
}

/**
 * A pattern for every form in which `value` can stand in a text: plain, form-encoded or percent-encoded (in upper and lower
 * case), as JSON string, escaped once or several times, and as HTML; each character in a form of its own.
 */
function anyFormOf(value: string, asWord: boolean): RegExp {
  // A server that decodes too little quotes a value that was encoded twice.
  const encoded = formEncoded(value)
  const either = [value, ...(encoded === value ? [] : [encoded])].map(patternOf).join('|')
  if (value.length >= SHORTEST_ANYWHERE && !asWord) return new RegExp(either, 'gu')
  return new RegExp(`(?<![\\p{L}\\p{N}])(?:${either})(?![\\p{L}\\p{N}])`, 'gu')
}

/** Patterns for `value` within a text that was encoded as base64 or base64url. */
function base64Forms(value: string): RegExp[] {
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

function usualForms(value: string): string[] {
  const form = formEncoded(value)
  const percent = form.replaceAll('+', '%20')
  const lower = (text: string) => text.replace(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase())
  const json = JSON.stringify(value).slice(1, -1)
  const texts = [value, form, percent, lower(form), lower(percent), json, json.replaceAll('/', '\\/')]
  const encoded = base64Texts(value)
  const urlSafe = encoded.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))
  return [...new Set([...texts, formEncoded(form), formEncoded(percent), ...encoded, ...urlSafe])]
}

function findText(text: string, form: string): [start: number, end: number][] {
  const found: [number, number][] = []
  for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + form.length))
    found.push([at, at + form.length])
  return found
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
