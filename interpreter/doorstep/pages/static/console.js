// What the page can do without this script is a link or a form; here parts of it are replaced, and
// what changes is followed.

const body = document.body
const drawing = document.querySelector('#drawing')
const states = new Map([...document.querySelectorAll('g[data-state]')].map(e => [e.dataset.state, e]))
const slider = document.querySelector('#slider')
const range = slider?.querySelector('input')
const own = body.dataset.stream !== undefined
const marks = new Map()
let pointers = JSON.parse(drawing?.dataset.pointers ?? '[]')
let steps = JSON.parse(drawing?.dataset.timeline ?? '[]')
let last = Number(range?.max ?? 0)
let steps_until = own ? 0 : last

// The graph -----------------------------------------------------------------------------------

function colour(group, kind, mark) {
  const [name, counts, ended] = mark
  const chosen = group.classList.contains('chosen') ? ' chosen' : ''
  const classes = `${kind} ${name.replaceAll(' ', '-')}${ended ? ' ended' : ''}${chosen}`
  if (group.getAttribute('class') !== classes) group.setAttribute('class', classes)
  const text = group.querySelector(':scope > text.counts')
  if (text && text.textContent !== counts) text.textContent = counts
  say(group)
}

// What a state's colour says is said to those who do not see it.
function say(group) {
  const name = group.getAttribute('class').replace(/^state /, '').replace(' chosen', '').replaceAll('-', ' ')
  group.closest('a')?.setAttribute('aria-label', `${seen(group)}, ${name}`)
}
for (const group of states.values()) say(group)

function seen(group) {
  return [...group.querySelectorAll(':scope > text')].map(text => text.textContent).join(' ').trim()
}

function paint(until) {
  const now = new Map()
  for (const [id, state, name, counts] of steps) {
    if (id > until) break
    now.set(pointers[state], [name, counts])
  }
  for (const [pointer, group] of states) colour(group, 'state', now.get(pointer) ?? ['not reached', ''])
  drawing.classList.toggle('past', until < last)
  if (until >= last) for (const [pointer, mark] of marks) apply(pointer, mark)
}

function apply(pointer, mark) {
  for (const kind of ['state', 'way']) {
    for (const group of drawing?.querySelectorAll(`g[data-${kind}="${CSS.escape(pointer)}"]`) ?? []) {
      colour(group, group.classList[0], mark)
    }
  }
}

async function known_steps() {
  if (steps_until >= last || !own) return true
  const until = last
  const arn = new URL(location.href).searchParams.get('arn')
  const answer = await fetch(`/console/file?${new URLSearchParams({arn, what: 'steps'})}`)
  if (!answer.ok) return false
  const all = await answer.json()
  pointers = all.pointers
  steps = all.steps
  steps_until = until
  return true
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
      for (const [name, value] of [['tabindex', '0'], ['role', 'button'], ['aria-label', seen(group)]]) group.setAttribute(name, value)
      group.addEventListener('keydown', event => {
        if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); mark(pointer) }
      })
    }
    group.addEventListener('click', event => { event.preventDefault(); mark(pointer)?.scrollIntoView({block: 'center'}) })
  }
  for (const line of lines) line.addEventListener('click', () => line.dataset.owner && mark(line.dataset.owner))
}

// Parts of the page are asked for again, and replaced -------------------------------------------

const held = new Map()
function replace(part, text, asked = false) {
  if (!asked && part.contains(document.activeElement) && isTyping()) {
    held.set(part, text)
    return
  }
  held.delete(part)
  const next = document.createElement('template')
  next.innerHTML = text
  const open = new Map([...part.querySelectorAll('details[id]')].map(one => [one.id, one.open]))
  const inside = part.contains(document.activeElement) ? document.activeElement : null
  const [focus, number] = inside ? like(part, inside) : []
  const top = part.scrollTop
  for (const one of next.content.querySelectorAll('details[id]')) if (open.has(one.id)) one.open = open.get(one.id)
  part.replaceChildren(next.content)
  part.scrollTop = top
  if (focus) [...part.querySelectorAll(focus)][number]?.focus()
  ready(part)
}

// What has the focus is found again: by where it leads, or as the n-th of its kind.
function like(part, element) {
  const href = element.getAttribute('href')
  const focus = href ? `a[href="${CSS.escape(href)}"]` : element.localName
  return [focus, [...part.querySelectorAll(focus)].indexOf(element)]
}

addEventListener('focusout', () => setTimeout(() => {
  for (const [part, text] of [...held]) replace(part, text)
}))

let asking = null
async function load(address) {
  asking?.abort()
  const mine = asking = new AbortController()
  const url = new URL(address, location.href)
  url.searchParams.set('part', '1')
  let text
  try {
    const answer = await fetch(url, {signal: mine.signal, headers: {Accept: 'text/html'}})
    if (!answer.ok) { location.assign(address); return }
    text = await answer.text()
  } catch {
    return
  }
  const fresh = new DOMParser().parseFromString(text, 'text/html')
  for (const part of document.querySelectorAll('[data-live]')) {
    const next = fresh.getElementById(part.id)
    if (next) replace(part, next.innerHTML, true)
  }
  version = fresh.querySelector('#announced').dataset.version
}

function isTyping() {
  return document.activeElement.matches('input, textarea, select')
}

async function go(address) {
  history.pushState(null, '', address)
  await moved()
}

let opening
async function moved() {
  close_stream()
  clearTimeout(opening)
  await load(location.href)
  follow_choice()
  opening = setTimeout(open_stream, 300)
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
  addEventListener('popstate', moved)
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

async function show(number) {
  range.value = number
  slider.querySelector('output').textContent = range.value
  if (await known_steps()) paint(Number(range.value))
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
    addEventListener('hashchange', () => chosen() && show(chosen()))
    if (chosen()) show(chosen())
  }
  follow_choice()
}

// Texts are copied --------------------------------------------------------------------------------

function ready(part) {
  for (const button of part.querySelectorAll('button[data-copy]')) button.hidden = !navigator.clipboard
}
ready(document)

document.addEventListener('click', async event => {
  const from = event.target.closest?.('[data-copy], [data-copy-from]')
  if (!from || !navigator.clipboard || event.ctrlKey || event.metaKey || event.shiftKey) return
  let text = from.dataset.copy
  if (text === undefined) {
    event.preventDefault()
    const answer = await fetch(from.href)
    if (!answer.ok) { location.assign(from.href); return }
    text = await answer.text()
  }
  try {
    await navigator.clipboard.writeText(text)
    announce(`Copied ${text.length > 80 ? `${text.slice(0, 60)}…` : text}`)
  } catch {
    announce('The browser does not let this page copy')
  }
})

let fading
function announce(text) {
  const line = document.querySelector('#announced')
  line.textContent = text
  line.classList.add('said')
  clearTimeout(fading)
  fading = setTimeout(() => line.classList.remove('said'), 4000)
}

// What changes is followed ------------------------------------------------------------------------

let source = null
let version = document.querySelector('#announced').dataset.version
let status = document.querySelector('h1 .status')?.textContent

function open_stream() {
  if (source || document.hidden || !own) return
  const query = new URLSearchParams(location.search)
  query.set('version', version)
  const mine = source = new EventSource(`/console/stream/${body.dataset.stream}?${query}`)
  mine.addEventListener('open', () => body.classList.add('live'))
  mine.addEventListener('error', () => {
    body.classList.remove('live')
    // A browser tries again by itself, unless the server has answered that it can't.
    if (mine.readyState === EventSource.CLOSED && source === mine) { close_stream(); setTimeout(open_stream, 1000) }
  })
  mine.addEventListener('message', event => {
    version = event.lastEventId
    advance(JSON.parse(event.data))
  })
}

function advance(parts) {
  const at_end = !range || Number(range.value) >= last
  if (parts.last && range) {
    last = parts.last
    range.max = last
    slider.querySelector('.last').textContent = last
    if (at_end) {
      range.value = last
      slider.querySelector('output').textContent = last
    }
  }
  for (const [name, part] of Object.entries(parts)) {
    if (name.startsWith('mark:')) {
      marks.set(name.slice(5), part)
      if (at_end) apply(name.slice(5), part)
    } else if (document.getElementById(name)?.matches('[data-live]')) {
      replace(document.getElementById(name), part)
    }
  }
  if (parts.gone) announce(parts.gone)
  if (parts.status && parts.status !== status) {
    status = parts.status
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
    else open_stream()
  })
  addEventListener('pagehide', close_stream)
  addEventListener('pageshow', open_stream)
}
