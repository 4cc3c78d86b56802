import { expect, test } from 'vitest'

import { withMath } from '../../src/markdown/math'

test.each([
  ['It costs $5 and $6.', 'It costs $5 and $6.'],
  ['From $5/$6 to US$7', 'From $5/$6 to US$7'],
  ['$HOME and $PATH', '$HOME and $PATH'],
  ['\\$x^2\\$', '\\$x^2\\$'],
  ['so $x^2 + 1$ is', 'so $$x^2 + 1$$ is'],
  ['for $n$ of $f(n)$, all', 'for $$n$$ of $$f(n)$$, all'],
  ['$$x$$ stays', '$$x$$ stays'],
  ['so \\(x < 1\\) is', 'so $$x < 1$$ is'],
  ['so\n\\[ \\frac{1}{2} \\]\nis', 'so\n\n$$\n\\frac{1}{2}\n$$\n\nis'],
  ['code `$x^2$` and `\\(x\\)`', 'code `$x^2$` and `\\(x\\)`'],
  ['```tex\n\\(x\\)\n```\n\\(y\\)', '```tex\n\\(x\\)\n```\n$$y$$'],
  ['```tex\n\\(x\\) goes on', '```tex\n\\(x\\) goes on'],
  ['``a ` $x^2$`` and $x^2$', '``a ` $x^2$`` and $$x^2$$'],
])('%j is read as %j', (text, expected) => {
  expect(withMath(text)).toBe(expected)
})
