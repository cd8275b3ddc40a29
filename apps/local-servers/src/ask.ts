import { once } from 'node:events'
import { connect } from 'node:net'

/** What a server on this machine answers to `command`, until `end` is in it: by hand, as clients go on trying, and log. */
export async function ask(port: number, command: string, end: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  try {
    await once(socket, 'connect')
    socket.write(`${command}\r\n`)
    let text = ''
    for await (const chunk of socket) {
      text += chunk
      if (text.includes(end)) break
    }
    return text
  } finally {
    socket.destroy()
  }
}
