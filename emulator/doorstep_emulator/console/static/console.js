// What the page can do without this script is a link or a form; here parts of it are replaced, and
// an execution that runs is followed.

const body = document.body
const drawing = document.querySelector('#drawing')
const states = new Map([...document.querySelectorAll('[data-state]')].filter(e => e.matches('g')).map(e => [e.dataset.state, e]))
const pointers = JSON.parse(drawing?.dataset.pointers ?? '[]')
const steps = drawing ? JSON.parse(drawing.dataset.timeline ?? '[]') : []
const slider = document.querySelector('#slider')
const range = slider?.querySelector('input')
const own = Boolean(body.dataset.stream)
let last = Number(body.dataset.after ?? 0)

// The graph -----------------------------------------------------------------------------------

function paint(until = Infinity) {
  const now = new Map()
  for (const [id, state, colour, counts] of steps) {
    if (id > until) break
    now.set(pointers[state], [colour, counts])
  }
  for (const [pointer, group] of states) {
    const [colour, counts] = now.get(pointer) ?? ['not reached', '']
    const name = `state ${colour.replaceAll(' ', '-')}${group.classList.contains('chosen') ? ' chosen' : ''}`
    if (group.getAttribute('class') !== name) group.setAttribute('class', name)
    const text = group.querySelector(':scope > text.counts')
    if (text && text.textContent !== counts) text.textContent = counts
    const link = group.closest('a')
    if (link) link.setAttribute('aria-label', `${label(group)}, ${colour} ${counts}`)
  }
  drawing.classList.toggle('past', until < last)
}

function label(group) {
  return group.querySelector('title').textContent.split('\n')[0]
}

function choose(pointer) {
  for (const [one, group] of states) group.classList.toggle('chosen', one === pointer)
}

for (const button of document.querySelectorAll('[data-zoom]')) {
  button.closest('.zoom').hidden = false
  button.addEventListener('click', () => {
    const picture = drawing.querySelector('svg')
    const factor = Number(button.dataset.zoom)
    drawing.classList.toggle('zoomed', factor > 0)
    const width = picture.viewBox.baseVal.width
    const wide = factor ? picture.getBoundingClientRect().width * factor : width
    picture.setAttribute('width', wide)
    picture.setAttribute('height', wide * picture.viewBox.baseVal.height / width)
  })
}

// The definition beside its graph: a state marks its lines, a line its state.

const lines = [...document.querySelectorAll('.definition [data-owner]')]
function mark(pointer) {
  choose(pointer)
  let first = null
  for (const line of lines) {
    const inside = line.dataset.owner === pointer || line.dataset.owner.startsWith(`${pointer}/`)
    line.classList.toggle('chosen', inside)
    if (inside) first ??= line
  }
  first?.scrollIntoView({block: 'nearest'})
  return first
}
if (lines.length) {
  for (const [pointer, group] of states) {
    if (!group.closest('a')) {
      for (const [name, value] of [['tabindex', '0'], ['role', 'button'], ['aria-label', label(group)]]) group.setAttribute(name, value)
      group.addEventListener('keydown', event => {
        if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); mark(pointer) }
      })
    }
    group.addEventListener('click', event => { event.preventDefault(); mark(pointer)?.scrollIntoView({block: 'center'}) })
  }
  for (const line of lines) line.addEventListener('click', () => line.dataset.owner && mark(line.dataset.owner))
}

// Parts of the page are asked for again, and replaced -------------------------------------------

let asking = null
async function load(address, {keep = true} = {}) {
  asking?.abort()
  const mine = asking = new AbortController()
  const url = new URL(address, location.href)
  if (drawing) url.searchParams.set('part', '1')
  let text
  try {
    const answer = await fetch(url, {signal: mine.signal, headers: {Accept: 'text/html'}})
    if (!answer.ok) return false
    text = await answer.text()
  } catch {
    return false
  }
  const fresh = new DOMParser().parseFromString(text, 'text/html')
  for (const part of document.querySelectorAll('[data-live]')) {
    const next = fresh.getElementById(part.id)
    if (!next || (keep && part.contains(document.activeElement) && isTyping())) continue
    const open = new Map([...part.querySelectorAll('details[id]')].map(one => [one.id, one.open]))
    const focus = part.contains(document.activeElement) ? document.activeElement.getAttribute('href') : null
    const top = part.scrollTop
    for (const one of next.querySelectorAll('details[id]')) if (open.has(one.id)) one.open = open.get(one.id)
    part.replaceChildren(...next.childNodes)
    part.scrollTop = top
    if (focus) [...part.querySelectorAll('a')].find(one => one.getAttribute('href') === focus)?.focus()
  }
  return true
}

function isTyping() {
  return document.activeElement.matches('input, textarea, select')
}

async function go(address) {
  history.pushState(null, '', address)
  await load(address, {keep: false})
  follow_choice()
}

if (own) {
  document.addEventListener('click', event => {
    const link = event.target.closest?.('a')
    const address = link?.getAttribute('href')
    if (!address || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return
    const state = link.closest('#drawing') && !address.startsWith('#')
    if (!link.hasAttribute('data-part') && !state) return
    event.preventDefault()
    go(link.getAttribute('href'))
  })
  document.addEventListener('submit', event => {
    const form = event.target
    if (!form.hasAttribute('data-part')) return
    event.preventDefault()
    const query = new URLSearchParams(new FormData(form))
    go(`${form.getAttribute('action')}?${query}`)
  })
  addEventListener('popstate', () => { load(location.href, {keep: false}).then(follow_choice) })
}

function follow_choice() {
  const query = new URL(location.href).searchParams
  const name = query.get('state')
  const group = [...states.values()].find(one => label(one).replace(/ \([^()]*\)$/, '') === name)
  choose(group?.dataset.state)
  const event = Number(query.get('event'))
  if (range && event) show(event)
}

// The slider steps through the events -----------------------------------------------------------

function show(number) {
  range.value = number
  slider.querySelector('output').textContent = range.value
  paint(Number(range.value))
}
if (range && drawing) {
  slider.hidden = false
  slider.addEventListener('submit', event => event.preventDefault())
  range.addEventListener('input', () => show(Number(range.value)))
  range.addEventListener('change', () => {
    if (!own) { location.hash = `event-${range.value}`; return }
    const url = new URL(location.href)
    url.searchParams.set('event', range.value)
    url.searchParams.delete('page')
    go(url.pathname + url.search)
  })
  const chosen = () => Number(location.hash.match(/^#event-(\d+)$/)?.[1] ?? 0)
  if (!own) {
    last = Number(range.max)
    addEventListener('hashchange', () => chosen() && show(chosen()))
    if (chosen()) show(chosen())
  }
  follow_choice()
}

// Keys and values are copied ----------------------------------------------------------------------

document.addEventListener('click', event => {
  const text = event.target.closest?.('[data-copy]')?.dataset.copy
  if (text && navigator.clipboard) navigator.clipboard.writeText(text).then(() => announce(`Copied ${text}`), () => {})
})

function announce(text) {
  document.querySelector('#announced').textContent = text
}

// What runs is followed -----------------------------------------------------------------------------

let source = null
let due = null
let pause = 300
let status = document.querySelector('h1 .status')?.textContent

function later() {
  // A page that takes long to make is asked for less often.
  due ??= setTimeout(async () => {
    due = null
    const began = performance.now()
    await load(location.href)
    pause = Math.max(300, 8 * (performance.now() - began))
  }, pause)
}

function open_stream() {
  if (source || document.hidden) return
  const query = new URLSearchParams({of: body.dataset.stream, after: last})
  source = new EventSource(`/console/stream?${query}`)
  source.addEventListener('open', () => body.classList.add('live'))
  source.addEventListener('error', () => {
    body.classList.remove('live')
    // A browser tries again by itself, unless the server has answered that it can't.
    if (source?.readyState === EventSource.CLOSED) { close_stream(); setTimeout(open_stream, 1000) }
  })
  let first = true
  source.addEventListener('message', event => {
    const news = JSON.parse(event.data)
    const changed = news.last !== last || (news.status && news.status !== status)
    if (drawing && news.status) advance(news)
    if (changed || (!news.status && !first)) later()
    first = false
  })
}

function advance(news) {
  const at_end = !range || Number(range.value) >= last
  steps.push(...news.steps.filter(step => step[0] > last))
  last = Math.max(last, news.last)
  if (range) {
    range.max = last
    slider.querySelector('.last').textContent = last
  }
  if (at_end) { if (range) show(last); else paint() }
  if (news.status !== status) {
    status = news.status
    announce(`Execution ${status.toLowerCase().replace('_', ' ')}`)
  }
}

function close_stream() {
  source?.close()
  source = null
  body.classList.remove('live')
}

if (own) {
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) close_stream()
    else { open_stream(); later() }
  })
  addEventListener('pagehide', close_stream)
  addEventListener('pageshow', open_stream)
}
