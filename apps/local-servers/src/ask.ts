import { once } from 'node:events'
import { connect } from 'node:net'

/**
 * Sends one command to a server on this machine and returns its response, up to the chunk that contains `end`. It uses a plain
 * socket, because a client library would reconnect and log.
 */
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
