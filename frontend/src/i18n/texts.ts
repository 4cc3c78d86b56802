/** The chat's own texts, in the reader's language. */

import { en, type Entries, type TextKey } from './locales/en'
import { patiently } from '../chat/patiently'
import { Store, until } from '../chat/store'

const files = import.meta.glob<Partial<Entries>>('./locales/*.json', { import: 'default' })
const translated = Object.keys(files).map((path) =>
  path.slice('./locales/'.length, -'.json'.length),
)

/** The translations for languages that have several, or another name. */
const FALLBACKS: Record<string, string> = {
  es: 'es-ES',
  fil: 'tl',
  fr: 'fr-FR',
  nn: 'nb-NO',
  no: 'nb-NO',
  pt: 'pt-BR',
  zh: 'zh-CN',
}

const RIGHT_TO_LEFT = new Set(['ar', 'fa', 'he', 'ur'])

/** Return the translation to use for a locale, or `null` for English. */
export function translationOf(
  locale: string,
  known: readonly string[] = translated,
): string | null {
  let wanted: Intl.Locale
  try {
    wanted = new Intl.Locale(locale).maximize()
  } catch {
    return null
  }
  const { language, script, region } = wanted
  const exact = [locale, `${language}-${region}`, language].find((each) => known.includes(each))
  if (exact !== undefined) return exact
  if (language === 'zh' && script === 'Hant') return region === 'MO' ? 'zh-HK' : 'zh-TW'
  if (language === 'es' && region !== 'ES') return 'es-419'
  return FALLBACKS[language] ?? known.find((each) => each.startsWith(`${language}-`)) ?? null
}

export function directionOf(locale: string): 'ltr' | 'rtl' {
  return RIGHT_TO_LEFT.has(locale.split('-')[0] ?? '') ? 'rtl' : 'ltr'
}

export type Say = (key: TextKey, values?: Record<string, string | number>) => string

export class Texts {
  /** The locale is empty until the texts are loaded. */
  readonly state = new Store({ locale: '', say: saying(en) })
  #wanted = ''

  get locale(): string {
    return this.state.get().locale
  }

  say: Say = (key, values) => this.state.get().say(key, values)

  /** Wait until there are texts. */
  loaded(): Promise<void> {
    return until(this.state, () => this.locale !== '')
  }

  /** Load and use the texts of a locale; missing ones stay English. */
  async use(locale: string): Promise<void> {
    this.#wanted = locale
    const load = files[`./locales/${translationOf(locale)}.json`]
    const attempt = async (): Promise<void> => {
      try {
        this.#show(locale, (await load?.()) ?? {})
      } catch (error) {
        this.#show(locale, {})
        throw error
      }
    }
    await patiently(attempt).catch(() => {
      console.warn(`The texts for ${locale} could not be loaded.`)
    })
  }

  #show(locale: string, entries: Partial<Entries>): void {
    if (this.#wanted !== locale) return
    // Dates and numbers follow the locale even where the texts do not.
    this.state.set({ locale, say: saying({ ...en, ...entries }) })
  }
}

function saying(entries: Entries): Say {
  return (key, values) =>
    entries[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values?.[name] ?? whole))
}
