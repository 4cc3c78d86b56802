import { lazy, Suspense, useMemo, type ComponentProps } from 'react'
import { defaultRehypePlugins, Streamdown, type Components, type StreamdownProps } from 'streamdown'

import { useText } from '../ui/context'
import { Link } from './Link'
import { withMath } from './math'
import { usePlugins } from './plugins'
import { hostOf } from './sources'
import { SourceMark } from './SourceMark'
import { useIsImageAllowed } from './useIsImageAllowed'

const Formula = lazy(() => import('./Formula'))

interface RichTextProps {
  text: string
  isOpen: boolean
}

/** Markdown as a model writes it, which may be unfinished, and which may mean harm. */
export default function RichText({ text, isOpen }: RichTextProps) {
  const say = useText()
  const plugins = usePlugins(text)
  const translations = useMemo(
    () => ({ copyCode: say('copy'), copied: say('copied'), copyLink: say('copy') }),
    [say],
  )
  return (
    <Streamdown
      mode={isOpen ? 'streaming' : 'static'}
      dir="auto"
      components={components}
      plugins={plugins}
      rehypePlugins={rehypePlugins}
      controls={CONTROLS}
      linkSafety={NO_DIALOG}
      lineNumbers={false}
      tableMaxHeight={0}
      translations={translations}
    >
      {plugins.math ? withMath(text) : text}
    </Streamdown>
  )
}

const CONTROLS = { table: false, mermaid: false, code: { copy: true, download: false } }
const NO_DIALOG = { enabled: false }

interface Schema {
  tagNames?: string[]
  attributes?: Record<string, unknown[]>
  protocols?: Record<string, string[]>
}

/** Streamdown's own, which let nothing harmful through, with marks and links to the app. */
const rehypePlugins = withMarksAndDeeplinks()

function withMarksAndDeeplinks(): NonNullable<StreamdownProps['rehypePlugins']> {
  const { raw, sanitize, harden } = defaultRehypePlugins
  const [sanitizer, schema] = sanitize as unknown as [never, Schema]
  const extended: Schema = {
    ...schema,
    tagNames: [...(schema.tagNames ?? []), 'source-mark'],
    attributes: { ...schema.attributes, 'source-mark': ['number'] },
    protocols: {
      ...schema.protocols,
      href: [...(schema.protocols?.['href'] ?? []), 'chatkit-link'],
      // Which of them are loaded, the image itself decides.
      src: [...(schema.protocols?.['src'] ?? []), 'data'],
    },
  }
  return [raw, [sanitizer, extended], harden] as NonNullable<StreamdownProps['rehypePlugins']>
}

type WithNode<T> = T & { node?: unknown }

const components = {
  a: ({ node: _, ...rest }: WithNode<ComponentProps<'a'>>) => <Link {...rest} />,
  img: Image,
  input: Checkbox,
  table: Table,
  'math-formula': ({ tex = '', display }: { tex?: string; display?: string }) => (
    <Suspense fallback={<code>{tex}</code>}>
      <Formula tex={tex} isDisplay={display !== undefined} />
    </Suspense>
  ),
  'source-mark': ({ number }: { number?: string }) => <SourceMark {...(number && { number })} />,
} as Components

function Image({ node: _, src, alt }: WithNode<ComponentProps<'img'>>) {
  const text = useText()
  const url = typeof src === 'string' ? src : ''
  const isAllowed = useIsImageAllowed(url)
  if (isAllowed) {
    return (
      <img
        className="image"
        src={src}
        alt={alt ?? ''}
        loading="lazy"
        referrerPolicy="no-referrer"
      />
    )
  }
  const name = alt || hostOf(url) || text('image')
  return <span className="caption">{text('imageHidden', { name })}</span>
}

/** Says whether a task of a list is done. */
function Checkbox({ checked }: { checked?: boolean }) {
  const text = useText()
  return <input type="checkbox" checked={checked ?? false} disabled aria-label={text('done')} />
}

/** A table that scrolls by itself when it is wider than the message. */
function Table({ node: _, children, ...rest }: WithNode<ComponentProps<'table'>>) {
  return (
    <div className="wide-table" role="group" tabIndex={0}>
      <table {...rest}>{children}</table>
    </div>
  )
}
