const encoder = new TextEncoder()
export const base64 = (text: string) => btoa(String.fromCharCode(...encoder.encode(text)))
export const formEncoded = (text: string) => new URLSearchParams({ '': text }).toString().slice(1)
const lowerHex = (text: string) => text.replace(/%../g, (byte) => byte.toLowerCase())

/** The forms in which a server may quote a text, by name. */
export const forms: [string, (text: string) => string][] = [
  ['plain', (text) => text],
  ['form-encoded', formEncoded],
  ['form-encoded in lower case', (text) => lowerHex(formEncoded(text))],
  ['percent-encoded', encodeURIComponent],
  ['percent-encoded twice', (text) => encodeURIComponent(encodeURIComponent(text))],
  ['base64', base64],
  ['base64url', (text) => base64(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')],
  ['base64 within another text', (text) => base64(`client:${text}`)],
  ['JSON', JSON.stringify],
  ['JSON in JSON', (text) => JSON.stringify(JSON.stringify(text))],
  ['JSON with escaped slashes', (text) => JSON.stringify(text).replaceAll('/', '\\/')],
  [
    'JSON in ASCII',
    (text) =>
      JSON.stringify(text).replace(/[^\x20-\x7e]|[+&"]/g, (c) => {
        return c === '"' ? c : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`
      }),
  ],
  ['HTML', (text) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('+', '&#43;')],
]
