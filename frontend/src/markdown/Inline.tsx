import { Fragment, lazy, Suspense, useContext, type ReactNode } from 'react'

import { useText } from '../ui/context'
import { patiently } from '../chat/patiently'
import { useDefinition, useNoteNumber } from './Definitions'
import type { Node } from './grammar/node'
import { Link } from './Link'
import { hostOf } from './sources'
import { SourceMark } from './SourceMark'
import { TextContext, type TextSetting } from './TextContext'
import { useIsImageAllowed } from './useIsImageAllowed'
import { words } from './Words'

const Formula = lazy(() => patiently(() => import('./Formula')))

/** Inline nodes. */
export function Inline({ nodes }: { nodes: readonly Node[] | undefined }) {
  const setting = useContext(TextContext)
  return nodes?.map((node, index) => <Fragment key={index}>{drawn(node, setting)}</Fragment>)
}

function drawn(node: Node, { keepsLines, Element }: TextSetting): ReactNode {
  const inner = <Inline nodes={node.children} />
  switch (node.type) {
    case 'text':
      return keepsLines ? withLines(node.value ?? '') : words(node.value ?? '')
    case 'break':
      return <br />
    case 'emphasis':
      return <em>{inner}</em>
    case 'strong':
      return <strong>{inner}</strong>
    case 'delete':
      return <del>{inner}</del>
    case 'inlineCode':
      return <code dir="ltr">{words(node.value ?? '')}</code>
    case 'link':
      return (
        <Link href={node.url} title={node.title ?? undefined}>
          {inner}
        </Link>
      )
    case 'image':
      return <Image url={node.url ?? ''} alt={node.alt ?? ''} />
    case 'linkReference':
    case 'imageReference':
      return <Reference node={node} />
    case 'footnoteReference':
      return <NoteMark node={node} />
    case 'inlineMath':
    case 'math':
      return (
        <Suspense fallback={node.source}>
          <Formula
            tex={node.value ?? ''}
            source={node.source ?? ''}
            isDisplay={node.isDisplay === true}
            isBlock={node.type === 'math'}
          />
        </Suspense>
      )
    case 'sourceMark':
      return <SourceMark number={String(node.number)} />
    case 'element':
      return <Element node={node} parent={null} />
    default:
      return node.value ?? inner
  }
}

function withLines(text: string): ReactNode {
  const lines = text.split('\n')
  if (lines.length === 1) return words(text)
  return lines.map((line, index) => (
    <Fragment key={index}>
      {index > 0 && <br />}
      {words(index > 0 ? `\n${line}` : line)}
    </Fragment>
  ))
}

/** A link or an image that is defined elsewhere in the text. */
function Reference({ node }: { node: Node }) {
  const { url = '', title } = useDefinition(node.identifier ?? '') ?? {}
  if (node.type === 'imageReference') return <Image url={url} alt={node.alt ?? ''} />
  return (
    <Link href={url} title={title ?? undefined}>
      <Inline nodes={node.children} />
    </Link>
  )
}

/** The number of a note, which links to it. */
function NoteMark({ node }: { node: Node }) {
  const number = useNoteNumber(node.identifier ?? '')
  if (number === undefined) return `[^${node.label}]`
  return (
    <sup>
      <Link href={`#user-content-fn-${number}`} id={`user-content-fnref-${number}`}>
        {number}
      </Link>
    </sup>
  )
}

function Image({ url, alt }: { url: string; alt: string }) {
  const text = useText()
  const isAllowed = useIsImageAllowed(url)
  if (isAllowed)
    return <img className="image" src={url} alt={alt} loading="lazy" referrerPolicy="no-referrer" />
  const name = alt || hostOf(url) || text('image')
  return <span className="caption">{text('imageHidden', { name })}</span>
}
