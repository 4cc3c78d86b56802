import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'

/** Checks that the guide's table lists everything in the types of `@openai/chatkit`. */

const page = readFileSync(new URL('../../../docs/compatibility.md', import.meta.url), 'utf8')

/** Return the names in the first column of a section, without our own. */
function listed(section: string): string[] {
  const body = page.split(`\n## ${section}\n`)[1]!.split('\n## ')[0]!
  const rows = [...body.matchAll(/^\| `([^`]+?)(?:\(\))?`( †)?/gm)]
  return rows.filter(([, , ours]) => ours === undefined).map(([, name]) => name!)
}

const file = fileURLToPath(
  new URL('../../node_modules/@openai/chatkit/types/index.d.ts', import.meta.url),
)
const program = ts.createProgram([file], { lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'], types: [] })
const checker = program.getTypeChecker()
const names = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)!)!)

function typeOf(name: string): ts.Type {
  return checker.getDeclaredTypeOfSymbol(names.find((each) => each.name === name)!)
}

/** Options that the table lists as a whole, because their parts mean nothing alone. */
const whole = new Set([
  'api.uploadStrategy',
  'header.leftAction',
  'header.rightAction',
  'theme.color.accent',
  'theme.color.grayscale',
  'theme.color.surface',
])

/** Return the paths of the options below a type, without those of functions and lists. */
function paths(type: ts.Type, path = ''): string[] {
  const parts = (type.isUnion() ? type.types : [type]).filter(
    (part) =>
      part.flags & ts.TypeFlags.Object &&
      part.getCallSignatures().length === 0 &&
      !checker.isArrayType(part),
  )
  const properties = whole.has(path) ? [] : parts.flatMap((part) => part.getProperties())
  if (properties.length === 0) return [path]
  return properties.flatMap((each) => {
    const own = path === '' ? each.name : `${path}.${each.name}`
    return paths(checker.getNonNullableType(checker.getTypeOfSymbol(each)), own)
  })
}

test('every option', () => {
  expect([...new Set(paths(typeOf('ChatKitOptions')))].sort()).toEqual(listed('Options').sort())
})

test('every method', () => {
  const element = typeOf('OpenAIChatKit')
  const methods = element
    .getProperties()
    .filter((each) => each.declarations?.[0]?.getSourceFile().fileName === file)
    .map((each) => each.name)
    .filter((name) => !name.endsWith('EventListener'))
  expect(methods.sort()).toEqual(listed('Methods').sort())
})

test('every event', () => {
  const events = checker.getPropertiesOfType(typeOf('ChatKitEvents')).map((each) => each.name)
  expect(events.sort()).toEqual(listed('Events').sort())
})
