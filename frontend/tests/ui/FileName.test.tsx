// @vitest-environment jsdom
import { render } from '@testing-library/react'
import { expect, test } from 'vitest'

import { FileName } from '../../src/ui/FileName'

const JOINER = '\u200d'

test.each([
  ['a very long report.txt', ['a very lon', 'g report.txt']],
  ['تقرير النهائي جدا.txt', [`تقرير الن${JOINER}`, `${JOINER}هائي جدا.txt`]],
])('letters stay joined where the name %s is divided', (name, parts) => {
  const { container } = render(<FileName name={name} />)
  const spans = container.querySelectorAll('.file-name > span')
  expect([...spans].map((span) => span.textContent)).toEqual(parts)
})
