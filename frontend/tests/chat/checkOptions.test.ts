// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { checkOptions } from '../../src/chat/checkOptions'

const api = { url: '/chatkit', domainKey: 'local' }
const warn = vi.fn()

beforeEach(() => {
  vi.stubGlobal('CSS', { supports: (_: string, value: string) => value.startsWith('#') })
  vi.spyOn(console, 'warn').mockImplementation(warn)
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
  warn.mockClear()
})

test('valid options are unchanged', () => {
  const options = {
    api,
    locale: 'de-DE',
    theme: {
      colorScheme: 'dark',
      color: { accent: { primary: '#123456', level: 2 } },
      typography: { baseSize: 18 },
    },
    initialThread: null,
    header: { leftAction: { icon: 'menu', onClick: () => {} } },
    startScreen: {
      prompts: [
        { label: 'Tag', prompt: [{ type: 'input_tag', id: 'a', text: 'a' }], icon: 'lucide:bird' },
      ],
    },
    composer: {
      attachments: { enabled: true, maxSize: { 'image/*': 10 }, accept: { 'image/*': ['.png'] } },
    },
  }
  expect(checkOptions(options)).toEqual({ options, fatal: null, problems: [] })
  expect(warn).not.toHaveBeenCalled()
})

test.each<[object, string, object]>([
  [{ theme: 'blue' }, 'theme must be "light" or "dark".', {}],
  [
    { theme: { radius: 'huge', density: 'compact' } },
    'theme.radius must be "pill" or "round" or "soft" or "sharp".',
    { theme: { density: 'compact' } },
  ],
  [
    { theme: { color: { accent: { primary: 'nice', level: 1 } } } },
    'theme.color.accent.primary must be a CSS color.',
    { theme: { color: {} } },
  ],
  [
    { theme: { typography: { baseSize: 13, fontFamily: 'serif' } } },
    'theme.typography.baseSize must be a number of pixels, from 14 to 18.',
    { theme: { typography: { fontFamily: 'serif' } } },
  ],
  [{ locale: 'de_DE' }, "locale must be a language such as 'de' or 'de-DE'.", {}],
  [{ header: [] }, 'header must be an object.', {}],
  [
    { header: { leftAction: { icon: 'menu' } } },
    'header.leftAction.onClick is missing.',
    { header: {} },
  ],
  [
    { startScreen: { prompts: 'Hello' } },
    'startScreen.prompts must be a list.',
    { startScreen: {} },
  ],
  [
    { startScreen: { prompts: [{ label: 'A' }, { label: 'B', prompt: 'B' }] } },
    'startScreen.prompts[0].prompt is missing.',
    { startScreen: { prompts: [{ label: 'B', prompt: 'B' }] } },
  ],
  [
    { composer: { models: [{ id: 7, label: 'Seven' }] } },
    'composer.models[0].id must be a string.',
    { composer: { models: [] } },
  ],
  [
    { widgets: { images: 'own' } },
    'widgets.images must be "https" or "self".',
    { widgets: { images: 'self' } },
  ],
  [{ onClientTool: 'run' }, 'onClientTool must be a function.', {}],
  [{ initialThread: 7 }, 'initialThread must be a string or null.', {}],
])('%j is left out, in words', (bad, problem, left) => {
  expect(checkOptions({ api, ...bad })).toEqual({
    options: { api, ...left },
    fatal: null,
    problems: [problem],
  })
})

test('an unknown name only causes a warning, because later versions may have it', () => {
  const { problems, options } = checkOptions({ api, startscreen: {} })
  expect(problems).toEqual([])
  expect(options).toHaveProperty('startscreen')
  expect(warn).toHaveBeenCalledWith('startscreen is not an option of this chat.')
})

test.each([
  [undefined, 'api.url is missing'],
  [{}, 'api.url is missing'],
  ['api', 'api.url is missing'],
  [{ api: { url: 'https://' } }, 'api.url is not a URL: https://'],
  [{ api: { getClientSecret: async () => 'x' } }, 'for chats that OpenAI hosts'],
])('without a server there is no chat: %j', (given, words) => {
  expect(checkOptions(given).fatal).toContain(words)
})
