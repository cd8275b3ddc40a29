import type {
  EndpointRequest,
  EndpointState,
  LiveState,
  LogLine,
  RedisState,
  Tone,
  WorkerState,
} from '../live-view/live-state'

// The script of the page. It shows the state that the server sends, and sends the commands of the buttons.

const element = (id: string) => {
  const found = document.getElementById(id)
  if (!found) throw new Error(`the page has no element ${id}`)
  return found
}

/** Sets a text only when it has changed, so that screen readers and selections are left alone. */
function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text
}

function setTone(target: HTMLElement, tone: Tone): void {
  if (target.dataset.tone !== tone) target.dataset.tone = tone
}

function create(name: string, className: string, ...children: Element[]): HTMLElement {
  const created = document.createElement(name)
  created.className = className
  created.append(...children)
  return created
}

const number = new Intl.NumberFormat('en')
const seconds = (ms: number) => `${Math.ceil(ms / 1_000)} s`

/** The stage of a token. Each process draws its own moment of renewal, at about 20 % of the lifetime. */
function stageOf(token: WorkerState['token'], { lifetimeMs, lastStretchMs }: LiveState): Stage {
  if (token?.isRejected) return 'rejected'
  const remainingMs = token?.remainingMs ?? 0
  if (remainingMs <= lastStretchMs) return 'last'
  return remainingMs <= lifetimeMs * 0.2 ? 'ahead' : 'used'
}

const STAGE_NAMES = { used: 'in use', ahead: 'renewed ahead', last: 'last stretch', rejected: 'rejected by the API' }
type Stage = keyof typeof STAGE_NAMES

interface Card {
  readonly item: HTMLElement
  show(worker: WorkerState, state: LiveState): void
}

const cards = new Map<string, Card>()

function createCard(name: string): Card {
  const title = create('h3', '')
  title.textContent = name
  const phase = create('span', 'phase')
  const fill = create('div', 'fill')
  const bar = create('div', 'bar', fill)
  bar.setAttribute('role', 'meter')
  bar.setAttribute('aria-label', `Token of ${name}: seconds left`)
  bar.setAttribute('aria-valuemin', '0')
  const token = create('span', 'small token')
  const calls = create('span', 'small calls')
  const pid = create('span', 'small pid')
  const item = create('li', '', create('div', 'card', title, pid, phase, bar, token, calls))
  item.dataset.worker = name
  return {
    item,
    show(worker, state) {
      const remainingMs = worker.token?.remainingMs ?? 0
      const stage = stageOf(worker.token, state)
      const text = describeToken(worker.token, stage)
      setTone(item, worker.tone)
      item.dataset.phase = worker.phase
      setText(phase, worker.text)
      setText(token, text)
      setText(pid, worker.pid ? `pid ${worker.pid}` : 'no process')
      const failed = worker.failedCalls > 0 ? `, ${number.format(worker.failedCalls)} failed` : ''
      setText(calls, `${number.format(worker.calls)} calls${failed}`)
      bar.className = `bar stage-${stage}`
      bar.style.setProperty('--last-share', String(state.lastStretchMs / state.lifetimeMs))
      fill.style.setProperty('--left', String(Math.min(1, remainingMs / state.lifetimeMs)))
      bar.setAttribute('aria-valuemax', String(Math.ceil(state.lifetimeMs / 1_000)))
      bar.setAttribute(
        'aria-valuenow',
        String(Math.min(Math.ceil(remainingMs / 1_000), Math.ceil(state.lifetimeMs / 1_000))),
      )
      bar.setAttribute('aria-valuetext', text)
    },
  }
}

function describeToken(token: WorkerState['token'], stage: Stage): string {
  if (!token) return 'no token yet'
  if (token.remainingMs <= 0) return `token ${token.number}, expired`
  if (token.isRejected) return `token ${token.number}, ${STAGE_NAMES[stage]}`
  return `token ${token.number}, ${seconds(token.remainingMs)} left, ${STAGE_NAMES[stage]}`
}

function showWorkers(state: LiveState): void {
  for (const worker of state.workers) {
    let card = cards.get(worker.name)
    if (!card) {
      card = createCard(worker.name)
      cards.set(worker.name, card)
      element('workers').append(card.item)
    }
    card.show(worker, state)
  }
}

function showEndpoint({ isUp, latencyMs, requests }: EndpointState): void {
  const state = element('endpoint-state')
  setTone(state, isUp ? 'good' : 'warning')
  const up = latencyMs > 0 ? `Up. It takes ${latencyMs / 1_000} s to respond, so that you can see who waits.` : 'Up.'
  setText(state, isUp ? up : 'Down. It responds 503 to each request.')
  const rows = requests.map((request) => [request.number, `${request.worker}|${describeResponse(request)}`] as const)
  const list = element('requests')
  const key = JSON.stringify(rows)
  if (list.dataset.key === key) return
  list.dataset.key = key
  list.replaceChildren(
    ...requests.map((request) => {
      const worker = create('span', '')
      worker.textContent = `${request.number}. ${request.worker}`
      const isGood = request.status === 200
      const response = create('span', request.status === 'pending' ? 'pending' : isGood ? '' : 'failed')
      response.textContent = describeResponse(request)
      return create('li', '', worker, response)
    }),
  )
}

function describeResponse({ status, durationMs }: EndpointRequest): string {
  if (status === 'pending') return 'waits for the response …'
  if (status === 'none') return 'no response'
  const meaning = status === 200 ? 'a new token' : status === 401 ? 'invalid_client' : 'failed'
  return `${status}, ${meaning}${durationMs === undefined ? '' : `, ${(durationMs / 1_000).toFixed(1)} s`}`
}

function showRedis({ isUp, tokenMs, leaseMs, leaseHolder, isLeaseOrphaned }: RedisState): void {
  const state = element('redis-state')
  setTone(state, isUp ? 'good' : 'warning')
  setText(state, isUp ? 'Up.' : 'Gone. The workers go on without it.')
  setText(element('redis-token'), tokenMs === undefined ? 'none' : `kept for ${seconds(tokenMs)} more`)
  const ended = isLeaseOrphaned ? ', which has ended' : ''
  const holder = leaseHolder === undefined ? 'held' : `held by ${leaseHolder}${ended}`
  setText(element('redis-lease'), leaseMs === undefined ? 'nobody holds it' : `${holder}, for ${seconds(leaseMs)} more`)
}

const logItems = new Map<number, HTMLElement>()

function showLog(lines: readonly LogLine[]): void {
  const log = element('log')
  const ids = new Set(lines.map(({ id }) => id))
  for (const [id, item] of logItems) {
    if (ids.has(id)) continue
    item.remove()
    logItems.delete(id)
  }
  for (const { id, time, tone, text } of lines.toReversed()) {
    let item = logItems.get(id)
    if (!item) {
      item = create('li', '', create('time', ''), create('span', ''))
      logItems.set(id, item)
      log.prepend(item)
    }
    setTone(item, tone)
    const [clock, sentence] = item.children
    if (clock) setText(clock, time)
    if (sentence) setText(sentence, text)
  }
}

/** A button that breaks something when all is well, and mends it when it is broken. Each has a description. */
function showToggle(
  name: string,
  isBroken: boolean,
  breaks: [command: string, text: string],
  mends: [command: string, text: string],
) {
  const button = element(`${name}-button`)
  const descriptions = [`about-${name}`, `about-${name}-mend`] as const
  const [shown, hidden] = isBroken ? descriptions.toReversed() : descriptions
  button.setAttribute('aria-describedby', String(shown))
  element(String(shown)).classList.remove('unseen')
  element(String(hidden)).classList.add('unseen')
  const [command, text] = isBroken ? mends : breaks
  button.dataset.command = command
  button.classList.toggle('mends', isBroken)
  setText(button, text)
}

function show(state: LiveState): void {
  setTone(element('now'), state.now.tone)
  setText(element('now'), state.now.text)
  setText(element('announcement'), state.announcement)
  setText(element('calls'), number.format(state.calls))
  setText(element('failed'), number.format(state.failedCalls))
  setText(element('token-requests'), number.format(state.tokenRequests))
  setText(element('tokens'), number.format(state.tokens))
  element('totals').classList.toggle('has-failures', state.failedCalls > 0)
  const reasons = Object.entries(state.failures).map(([reason, count]) => `${number.format(count)} × ${reason}`)
  setText(element('failures'), reasons.length > 0 ? `Failed calls: ${reasons.join(', ')}` : 'No call has failed.')
  showWorkers(state)
  showEndpoint(state.endpoint)
  showRedis(state.redis)
  showLog(state.log)
  showToggle(
    'endpoint',
    !state.endpoint.isUp,
    ['endpoint-down', 'Take the token endpoint down'],
    ['endpoint-up', 'Bring the endpoint back'],
  )
  showToggle('redis', !state.redis.isUp, ['redis-down', 'Stop Redis'], ['redis-up', 'Start Redis again'])
  showToggle(
    'secret',
    state.hasWrongSecret,
    ['wrong-secret', 'Give a wrong secret'],
    ['right-secret', 'Give the right secret back'],
  )
}

function showProblem(text: string): void {
  setTone(element('now'), 'bad')
  setText(element('now'), text)
  setText(element('announcement'), text)
}

async function press(button: HTMLElement): Promise<void> {
  try {
    const response = await fetch(`commands/${button.dataset.command}`, { method: 'POST' })
    const text = await response.text()
    if (response.ok) setText(element('announcement'), text)
    else showProblem(`That did not work: ${text}`)
  } catch {
    showProblem('The sample does not respond.')
  }
}

for (const button of document.querySelectorAll<HTMLElement>('button[data-command]')) {
  button.addEventListener('click', () => void press(button))
}

const events = new EventSource('state')
events.addEventListener('message', ({ data }: MessageEvent<string>) => {
  document.body.classList.remove('ended')
  show(JSON.parse(data))
})
events.addEventListener('error', () => {
  document.body.classList.add('ended')
  showProblem(
    'The sample has ended or cannot be reached. Start it again with npm start -- --watch, and open the URL that it prints.',
  )
})
