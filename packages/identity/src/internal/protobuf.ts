/** A field of the wire type LEN: a string, or a message. */
export interface Field {
  readonly number: number
  readonly bytes: Uint8Array
}

const LEN = 2

/** Encodes strings as fields of a Protocol Buffers message. */
export function encodeStrings(fields: readonly (readonly [number: number, text: string])[]): Uint8Array {
  const bytes: number[] = []
  for (const [number, text] of fields) {
    const value = new TextEncoder().encode(text)
    bytes.push(...varint((number << 3) | LEN), ...varint(value.length), ...value)
  }
  return Uint8Array.from(bytes)
}

/** The fields of a message that have the wire type LEN. Others are skipped. @throws RangeError when it is none. */
export function decodeFields(message: Uint8Array): Field[] {
  const fields: Field[] = []
  let at = 0
  const skip = (length: number) => {
    if (at + length > message.length) throw new RangeError('the message is cut off')
    at += length
    return message.subarray(at - length, at)
  }
  const readVarint = () => {
    let value = 0
    for (let shift = 0; shift < 64; shift += 7) {
      const [byte = 0] = skip(1)
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw new RangeError('a number is too long')
  }
  while (at < message.length) {
    const key = readVarint()
    const type = key & 7
    if (type === LEN) fields.push({ number: Math.floor(key / 8), bytes: skip(readVarint()) })
    else if (type === 0) readVarint()
    else if (type === 1) skip(8)
    else if (type === 5) skip(4)
    else throw new RangeError('a wire type is unknown')
  }
  return fields
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80)
  return [...bytes, rest]
}
