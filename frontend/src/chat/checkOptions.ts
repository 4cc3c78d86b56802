/** Checks an app's options; the messages are for its developer. */

import type { Options } from '../element/options'
import { isObject } from './isObject'

export interface Checked {
  /** The options without the invalid ones. */
  options: Options
  /** The problem that prevents the chat from starting; `null` if it can start. */
  fatal: string | null
  /** A message for each invalid option. */
  problems: string[]
}

/** Return the valid part of a value, or `undefined`; add a message to `problems` for the rest. */
type Rule = (value: unknown, path: string, problems: string[]) => unknown

const is =
  (test: (value: unknown) => boolean, expected: string): Rule =>
  (value, path, problems) => {
    if (test(value)) return value
    problems.push(`${path} must be ${expected}.`)
    return undefined
  }

const oneOf = (...choices: unknown[]): Rule =>
  is((value) => choices.includes(value), choices.map((each) => JSON.stringify(each)).join(' or '))

const text = is((value) => typeof value === 'string', 'a string')
const flag = is((value) => typeof value === 'boolean', 'true or false')
const amount = is((value) => typeof value === 'number' && value >= 0, 'a number')
const call = is((value) => typeof value === 'function', 'a function')
const threadId = is((value) => value === null || typeof value === 'string', 'a string or null')
const color = is(
  (value) => typeof value === 'string' && CSS.supports('color', value),
  'a CSS color',
)
const sizes = is(
  (value) =>
    typeof value === 'number' ||
    (isObject(value) && Object.values(value).every((each) => typeof each === 'number')),
  'a number of bytes, or one for each type',
)
/** An invalid value means the stricter choice. */
const imageHosts: Rule = (value, path, problems) =>
  oneOf('https', 'self')(value, path, problems) ?? 'self'
const content = is(
  (value) => typeof value === 'string' || (Array.isArray(value) && value.every(isObject)),
  'a string or a list of content',
)
const language = is((value) => {
  try {
    return Intl.getCanonicalLocales(value as string).length === 1
  } catch {
    return false
  }
}, "a language such as 'de' or 'de-DE'")

const object =
  (rules: Record<string, Rule>, needed: readonly string[] = []): Rule =>
  (value, path, problems) => {
    if (!isObject(value)) {
      problems.push(`${path} must be an object.`)
      return undefined
    }
    const missing = needed.find((name) => value[name] === undefined || value[name] === null)
    if (missing !== undefined) {
      problems.push(`${path}.${missing} is missing.`)
      return undefined
    }
    const before = problems.length
    const kept: Record<string, unknown> = {}
    for (const [name, each] of Object.entries(value)) {
      const at = path === '' ? name : `${path}.${name}`
      const rule = rules[name]
      if (rule === undefined) console.warn(`${at} is not an option of this chat.`)
      const isLeftOut = each === undefined || (each === null && rule !== threadId)
      kept[name] = rule === undefined || isLeftOut ? each : rule(each, at, problems)
      if (kept[name] === undefined || (kept[name] === null && isLeftOut)) delete kept[name]
    }
    // Leave out an object as a whole if a required option in it is invalid.
    const isWhole = problems.length === before || needed.every((name) => name in kept)
    return isWhole ? kept : undefined
  }

const list =
  (rule: Rule): Rule =>
  (value, path, problems) => {
    if (!Array.isArray(value)) {
      problems.push(`${path} must be a list.`)
      return undefined
    }
    return value
      .map((each, index) => rule(each, `${path}[${index}]`, problems))
      .filter((each) => each !== undefined)
  }

const scheme = oneOf('light', 'dark')
const headerButton = object({ icon: text, onClick: call }, ['icon', 'onClick'])

const themeObject = object({
  colorScheme: scheme,
  radius: oneOf('pill', 'round', 'soft', 'sharp'),
  density: oneOf('compact', 'normal', 'spacious'),
  color: object({
    grayscale: object(
      {
        hue: is((value) => typeof value === 'number', 'a number of degrees'),
        tint: is((value) => isWithin(value, 0, 9), 'a number from 0 to 9'),
        shade: is((value) => isWithin(value, -4, 4), 'a number from -4 to 4'),
      },
      ['hue', 'tint'],
    ),
    accent: object({ primary: color, level: oneOf(0, 1, 2, 3) }, ['primary']),
    surface: object({ background: color, foreground: color }),
  }),
  typography: object({
    baseSize: is((value) => isWithin(value, 14, 18), 'a number of pixels, from 14 to 18'),
    fontFamily: text,
    fontFamilyMono: text,
    fontSources: list(
      object(
        {
          family: text,
          src: text,
          weight: is((value) => ['string', 'number'].includes(typeof value), 'a CSS font weight'),
          style: oneOf('normal', 'italic', 'oblique'),
          display: oneOf('auto', 'block', 'swap', 'fallback', 'optional'),
          unicodeRange: text,
        },
        ['family', 'src'],
      ),
    ),
  }),
  css: text,
  variables: is(
    (value) => isObject(value) && Object.values(value).every((each) => typeof each === 'string'),
    'an object of strings',
  ),
})
const theme: Rule = (value, path, problems) =>
  (typeof value === 'string' ? scheme : themeObject)(value, path, problems)

const all = object({
  api: object({
    url: text,
    domainKey: text,
    fetch: call,
    getClientSecret: call,
    uploadStrategy: object({ type: oneOf('two_phase', 'direct'), uploadUrl: text }, ['type']),
  }),
  locale: language,
  theme,
  frameTitle: text,
  initialThread: threadId,
  onClientTool: call,
  header: object({
    enabled: flag,
    export: flag,
    title: object({ enabled: flag, text }),
    leftAction: headerButton,
    rightAction: headerButton,
  }),
  history: object({
    enabled: flag,
    showDelete: flag,
    showRename: flag,
    layout: oneOf('panel', 'sidebar'),
  }),
  startScreen: object({
    greeting: text,
    description: text,
    prompts: list(object({ label: text, prompt: content, icon: text }, ['label', 'prompt'])),
  }),
  threadItemActions: object({ feedback: flag, retry: flag, edit: flag }),
  composer: object({
    placeholder: text,
    attachments: object({
      enabled: flag,
      maxSize: sizes,
      maxCount: amount,
      accept: is(
        (value) => isObject(value) && Object.values(value).every((each) => Array.isArray(each)),
        'an object of lists of extensions',
      ),
    }),
    tools: list(
      object(
        {
          id: text,
          label: text,
          icon: text,
          shortLabel: text,
          placeholderOverride: text,
          pinned: flag,
          persistent: flag,
        },
        ['id', 'label'],
      ),
    ),
    models: list(
      object({ id: text, label: text, description: text, disabled: flag, default: flag }, [
        'id',
        'label',
      ]),
    ),
    dictation: object({ enabled: flag }),
  }),
  disclaimer: object({ text, highContrast: flag }, ['text']),
  entities: object({
    onTagSearch: call,
    showComposerMenu: flag,
    onClick: call,
    onRequestPreview: call,
  }),
  commands: object({ enabled: flag, onSearch: call, onSelect: call }),
  widgets: object({ onAction: call, images: imageHosts }),
  thread: object({ autoScroll: flag }),
})

/** Check an app's options, which may have any type. */
export function checkOptions(given: unknown): Checked {
  const problems: string[] = []
  const options = (all(given ?? {}, '', problems) ?? {}) as Options
  return { options, fatal: problemWith(given), problems }
}

function problemWith(given: unknown): string | null {
  const api = isObject(given) && isObject(given['api']) ? given['api'] : {}
  const url = api['url']
  if (typeof url === 'string' && url !== '') {
    return URL.canParse(url, parent.document.baseURI) ? null : `api.url is not a URL: ${url}`
  }
  if (api['getClientSecret'] !== undefined) {
    return (
      'api.getClientSecret is for chats that OpenAI hosts, and this UI talks to your own server. ' +
      "Set api: { url: '/chatkit', domainKey: 'local' }, with the URL of your AgentChatKitServer."
    )
  }
  return "api.url is missing. Set the URL of your server: api: { url: '/chatkit', domainKey: 'local' }."
}

function isWithin(value: unknown, least: number, most: number): boolean {
  return typeof value === 'number' && value >= least && value <= most
}
