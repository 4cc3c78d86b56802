import { memo, useEffect, useState } from 'react'

import { CopyButton } from '../ui/CopyButton'
import { useText } from '../ui/context'
import { IconButton } from '../ui/IconButton'
import { FoldIcon, ExpandIcon, WrapIcon } from '../ui/icons'
import { patiently } from '../chat/patiently'
import { codeNameOf } from './codeName'
import type { Node } from './grammar/node'
import { grouped, isSameGroup } from './groups'
import type { ColoredWord } from './highlighting'
import { KeepSelection } from './KeepSelection'
import { codeWords } from './Words'

/** The most lines of code to show until the user asks for all. */
const LINES = 40

/** The longest code, and the longest line, whose words are colored. */
const COLORED = { characters: 100_000, line: 2_000 }

type ColoredLines = readonly (readonly ColoredWord[])[]

/** A block of code with its name, which can be copied, wrapped and, if it is long, folded. */
export function CodeBlock({ node, isOpen }: { node: Node; isOpen: boolean }) {
  const text = useText()
  const [isWrapped, setWrapped] = useState(false)
  const [isUnfolded, setUnfolded] = useState(false)
  const code = node.value ?? ''
  const { language, name } = codeNameOf(node.lang ?? '', node.meta ?? '')
  const colored = useColors(code, language, isOpen)
  const groups = groupsOf(code)
  let lineCount = 0
  const starts = groups.map(({ length }) => (lineCount += length) - length)
  const isLong = lineCount > LINES
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
            {groups.map((lines, index) => (
              <Lines
                key={index}
                lines={lines}
                colored={colored.slice(starts[index], (starts[index] ?? 0) + lines.length)}
              />
            ))}
          </code>
        </pre>
      </KeepSelection>
    </div>
  )
}

/** The most lines, and characters, of code that are rendered, and skipped out of view, together. */
const GROUP = { lines: 50, characters: 10_000 }

/** Return the lines of code in groups; a line that is longer than a group is broken. */
function groupsOf(code: string): string[][] {
  const lines = code.split('\n').flatMap((text, index, { length }) => {
    const line = index < length - 1 ? `${text}\n` : text
    return line.length <= GROUP.characters ? [line] : (line.match(PARTS) ?? [])
  })
  return grouped(lines, GROUP.lines, GROUP.characters, ({ length }) => length)
}

const PARTS = new RegExp(`.{1,${GROUP.characters}}\n?`, 'gs')

interface LinesProps {
  lines: readonly string[]
  colored: ColoredLines
}

const Lines = memo(function Lines({ lines, colored }: LinesProps) {
  return (
    <span className="lines">
      {lines.map((line, index) => (
        <Line key={index} text={line} words={wordsOf(line, colored[index])} />
      ))}
    </span>
  )
}, isSameGroup)

interface LineProps {
  text: string
  words: readonly ColoredWord[] | undefined
}

const Line = memo(function Line({ text, words }: LineProps) {
  if (words === undefined) return codeWords(text)
  return (
    <>
      {words.map(({ content, htmlStyle }, index) => (
        <span
          key={index}
          style={
            { '--light': htmlStyle?.['color'], '--dark': htmlStyle?.['--shiki-dark'] } as object
          }
        >
          {codeWords(content)}
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
  const text = line.endsWith('\n') ? line.slice(0, -1) : line
  return words?.map(({ content }) => content).join('') === text ? words : undefined
}

const NONE: ColoredLines = []

/** Return the colored words of code, which arrive later than its lines. */
function useColors(code: string, language: string, isOpen: boolean): ColoredLines {
  const [lines, setLines] = useState(NONE)
  useEffect(() => {
    if (language === '' || !isColorable(code)) return
    let isCurrent = true
    patiently(() => import('./highlighting')).then(
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

function isColorable(code: string): boolean {
  if (code.length > COLORED.characters) return false
  return !code.split('\n').some((line) => line.length > COLORED.line)
}
