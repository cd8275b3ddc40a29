import type { Readable, Writable } from 'node:stream'

/** Where the program reads and writes. A test passes its own. */
export interface Terminal {
  readonly stdout: Writable & { readonly isTTY?: boolean }
  readonly stderr: Writable & { readonly isTTY?: boolean }
  readonly stdin: Readable
  readonly environment: Readonly<Record<string, string | undefined>>
}

type Colour = 'red' | 'green' | 'yellow' | 'bold' | 'dim'

const CODES: Readonly<Record<Colour, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
}

/** Colours a text, if the stream is a terminal and the user has not said NO_COLOR (https://no-color.org). */
export type Paint = (colour: Colour, text: string) => string

export function painter(stream: Terminal['stdout'], { NO_COLOR, TERM }: Terminal['environment']): Paint {
  const isColoured = stream.isTTY === true && !NO_COLOR && TERM !== 'dumb'
  return (colour, text) => {
    const [on, off] = CODES[colour]
    return isColoured ? `\u001b[${on}m${text}\u001b[${off}m` : text
  }
}
