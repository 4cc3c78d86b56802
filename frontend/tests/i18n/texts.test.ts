import { readFileSync, readdirSync } from 'node:fs'

import { describe, expect, test } from 'vitest'

import { en } from '../../src/i18n/locales/en'
import { directionOf, Texts, translationOf } from '../../src/i18n/texts'

const folder = new URL('../../src/i18n/locales/', import.meta.url)
const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
const types = readFileSync(
  new URL('../../node_modules/@openai/chatkit/types/index.d.ts', import.meta.url),
  'utf8',
)
const namesOf = (type: string): string[] => {
  const definition = types.split(`export type ${type} =`)[1]?.split(';')[0] ?? ''
  return [...definition.matchAll(/'([^']+)'/g)].map((match) => match[1] ?? '')
}
const placesOf = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort()

test('each locale of ChatKit has a translation', () => {
  expect(names.map((name) => name.replace('.json', '')).sort()).toEqual(
    namesOf('TranslatedLocale').sort(),
  )
})

describe.each(names)('%s', (name) => {
  const entries = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Record<string, string>

  test('has every text, with the same values', () => {
    expect(Object.keys(entries)).toEqual(Object.keys(en))
    for (const [key, text] of Object.entries(en)) {
      expect(placesOf(entries[key] ?? ''), key).toEqual(placesOf(text))
      expect(entries[key]?.trim(), key).not.toBe('')
    }
  })

  test('a text keeps its direction if it begins with an English name', () => {
    // The first letter or mark decides the direction of a text.
    const begun = Object.entries(entries).filter(([, text]) => text.startsWith('{'))
    expect(directionOf(name.replace('.json', '')) === 'rtl' ? begun : []).toEqual([])
  })
})

test('every locale that ChatKit accepts finds its translation', () => {
  for (const locale of namesOf('SupportedLocale')) {
    const found = translationOf(locale)
    if (locale === 'en') expect(found).toBeNull()
    else expect(found?.split('-')[0]).toBe(locale.split('-')[0])
  }
})

test.each([
  ['de', 'de-DE'],
  ['de-AT', 'de-DE'],
  ['es', 'es-ES'],
  ['es-MX', 'es-419'],
  ['fr-BE', 'fr-FR'],
  ['pt', 'pt-BR'],
  ['pt-PT', 'pt-PT'],
  ['zh', 'zh-CN'],
  ['zh-Hant', 'zh-TW'],
  ['zh-HK', 'zh-HK'],
  ['zh-MO', 'zh-HK'],
  ['no', 'nb-NO'],
  ['en-GB', null],
  ['tlh', null],
  ['not a locale', null],
])('%s is spoken as %s', (locale, expected) => {
  expect(translationOf(locale)).toBe(expected)
})

test('texts are in the last requested language', async () => {
  const texts = new Texts()
  await Promise.all([texts.use('de-AT'), texts.use('fr')])
  expect(texts.locale).toBe('fr')
  const french = texts.say('rename', { title: 'A {title} B' })
  expect(french).toContain('A {title} B')
  expect(french).not.toContain('Rename')
  await texts.use('tlh')
  expect(texts.say('newChat')).toBe(en.newChat)
})

test('Arabic and Urdu are written from right to left', () => {
  expect(['ar', 'ur', 'de-DE'].map(directionOf)).toEqual(['rtl', 'rtl', 'ltr'])
})
