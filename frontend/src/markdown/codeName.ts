/** The language of a code block, and its name if the fence gives one. */

export interface CodeName {
  language: string
  /** The name, such as a file name, or else the language as it was written. */
  name: string
}

const TITLE = /(?:^|\s)(?:title|filename|file|name)=(?:"([^"]*)"|'([^']*)'|(\S+))/i
const FILE = /^[\w@.+-]*(?:[\w@+-]\/)?[\w@./+-]*\.[A-Za-z][\w-]*$/

export function codeNameOf(lang: string, meta: string): CodeName {
  const title = TITLE.exec(meta)
  const named = title?.[1] ?? title?.[2] ?? title?.[3]
  const colon = /^([\w+#-]+):(.+)$/.exec(lang)
  const language = colon?.[1] ?? lang
  if (named !== undefined && named !== '') return { language, name: named }
  if (colon?.[2] !== undefined) return { language, name: colon[2] }
  if (/[./]/.test(lang) && FILE.test(lang))
    return { language: lang.slice(lang.lastIndexOf('.') + 1), name: lang }
  const [word = ''] = meta.trim().split(/\s+/)
  return { language, name: FILE.test(word) ? word : lang }
}
