import { memo, useEffect, useState } from 'react'

import { CopyButton } from '../ui/CopyButton'
import { useText } from '../ui/context'
import { IconButton } from '../ui/IconButton'
import { FoldIcon, ExpandIcon, WrapIcon } from '../ui/icons'
import { codeNameOf } from './codeName'
import type { Node } from './grammar/node'
import type { ColoredWord } from './highlighting'
import { KeepSelection } from './KeepSelection'
import { words as marked } from './Words'

/** The most lines of code to show until the user asks for all. */
const LINES = 40

type Lines = readonly (readonly ColoredWord[])[]

/** A block of code with its name, which can be copied, wrapped and, if it is long, folded. */
export function CodeBlock({ node, isOpen }: { node: Node; isOpen: boolean }) {
  const text = useText()
  const [isWrapped, setWrapped] = useState(false)
  const [isUnfolded, setUnfolded] = useState(false)
  const code = node.value ?? ''
  const { language, name } = codeNameOf(node.lang ?? '', node.meta ?? '')
  const colored = useColors(code, language, isOpen)
  const lines = code.split('\n')
  const isLong = lines.length > LINES
  // Code that is being written is shown as it arrives.
  const isFolded = isLong && !isUnfolded && !isOpen
  return (
    <div
      className="code-block"
      dir="ltr"
      data-wrapped={isWrapped || undefined}
      data-folded={isFolded || undefined}
    >
      <div className="code-head">
        <span className="code-name">{name}</span>
        {isLong && !isOpen && (
          <IconButton
            small
            label={text(isFolded ? 'showMore' : 'showLess')}
            aria-expanded={!isFolded}
            onClick={() => setUnfolded(isFolded)}
          >
            {isFolded ? <ExpandIcon /> : <FoldIcon />}
          </IconButton>
        )}
        <IconButton
          small
          label={text('wrapLines')}
          aria-pressed={isWrapped}
          onClick={() => setWrapped(!isWrapped)}
        >
          <WrapIcon />
        </IconButton>
        <CopyButton textOf={() => code} />
      </div>
      <KeepSelection>
        <pre tabIndex={0} aria-label={name || text('code')}>
          <code>
            {lines.map((line, index) => (
              <Line
                key={index}
                text={index < lines.length - 1 ? `${line}\n` : line}
                words={wordsOf(line, colored[index])}
              />
            ))}
          </code>
        </pre>
      </KeepSelection>
    </div>
  )
}

interface LineProps {
  text: string
  words: readonly ColoredWord[] | undefined
}

const Line = memo(function Line({ text, words }: LineProps) {
  if (words === undefined) return marked(text)
  return (
    <>
      {words.map(({ content, htmlStyle }, index) => (
        <span
          key={index}
          style={
            { '--light': htmlStyle?.['color'], '--dark': htmlStyle?.['--shiki-dark'] } as object
          }
        >
          {marked(content)}
        </span>
      ))}
      {text.endsWith('\n') && '\n'}
    </>
  )
})

/** Return a line's colored words, if they match the current line. */
function wordsOf(
  line: string,
  words: readonly ColoredWord[] | undefined,
): readonly ColoredWord[] | undefined {
  return words?.map(({ content }) => content).join('') === line ? words : undefined
}

const NONE: Lines = []

/** Return the colored words of code, which arrive later than its lines. */
function useColors(code: string, language: string, isOpen: boolean): Lines {
  const [lines, setLines] = useState(NONE)
  useEffect(() => {
    if (language === '') return
    let isCurrent = true
    import('./highlighting').then(
      ({ highlight }) => {
        if (isCurrent)
          highlight(code, language, isOpen, (colored) => isCurrent && setLines(colored))
      },
      // The code stays without colors; the next block tries again.
      () => {},
    )
    return () => {
      isCurrent = false
    }
  }, [code, language, isOpen])
  return lines
}
