import { useMemo } from 'react'

import { Blocks } from './Blocks'
import type { Node } from './grammar/node'
import { inParts } from './grammar/view'
import { grouped } from './groups'

/** The most blocks, and characters, that are rendered, and skipped out of view, together. */
const PIECE = { blocks: 30, characters: 5_000 }

interface PiecesProps {
  nodes: readonly Node[]
  /** Whether the last block is being written. */
  isOpen?: boolean
}

/** Blocks in pieces, so that the browser lays out only those near the view. */
export function Pieces({ nodes, isOpen = false }: PiecesProps) {
  const pieces = useMemo(() => inPieces(nodes), [nodes])
  return pieces.map((piece, index, { length }) => (
    <div key={index} className="piece">
      <Blocks nodes={piece} isOpen={isOpen && index === length - 1} />
    </div>
  ))
}

function inPieces(nodes: readonly Node[]): Node[][] {
  const parts = nodes.flatMap(inParts)
  return grouped(parts, PIECE.blocks, PIECE.characters, ({ start, end }) => end - start)
}
