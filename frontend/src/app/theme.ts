/** An app's theme as the variables that the style sheet reads. */

import type { FontObject, GrayscaleOptions } from '@openai/chatkit'

import type { Options, Theme } from '../element/options'

const RADII = { pill: [24, 12], round: [16, 10], soft: [10, 8], sharp: [2, 2] } as const
const GAPS = { compact: 16, normal: 24, spacious: 32 } as const

/** The names of the variables that the app has set itself. */
let ownVariables: string[] = []

/** Apply a theme to the document of the chat. */
export function applyTheme(theme: Options['theme'], root: HTMLElement): void {
  const options: Theme = typeof theme === 'string' ? { colorScheme: theme } : (theme ?? {})
  const scheme = options.colorScheme ?? 'light'
  for (const name of ownVariables) root.style.removeProperty(name)
  root.dataset.theme = scheme
  root.style.colorScheme = scheme
  const set = (name: string, value: string | undefined): void => {
    if (value === undefined) root.style.removeProperty(name)
    else root.style.setProperty(name, value)
  }
  const [radius, small] = RADII[options.radius ?? 'pill']
  set('--chat-radius', `${radius}px`)
  set('--chat-radius-small', `${small}px`)
  set('--chat-gap', `${GAPS[options.density ?? 'normal']}px`)
  const { accent, surface, grayscale } = options.color ?? {}
  set('--chat-accent', accent?.primary)
  set('--chat-on-accent', accent && (isLight(accent.primary) ? '#000' : '#fff'))
  set('--chat-surface', surface?.background)
  set('--color-surface-elevated', surface?.foreground)
  setGrays(grayscale, root)
  const { baseSize, fontFamily, fontFamilyMono, fontSources } = options.typography ?? {}
  set('--chat-size', baseSize && `${baseSize}px`)
  set('--chat-font', fontFamily)
  set('--chat-mono', fontFamilyMono)
  loadFonts(fontSources ?? [])
  setVariables(options.variables ?? {}, root)
  linkStyle(options.css)
}

const GRAYS = [
  0, 25, 50, 75, 100, 150, 200, 250, 300, 350, 400, 450, 500, 550, 600, 650, 700, 750, 800, 850,
  900, 925, 950, 975, 1000,
]

/** Tint and shade the grays, which the design system has for each scheme: white is first in one, black in the other. */
function setGrays(options: GrayscaleOptions | undefined, root: HTMLElement): void {
  for (const step of GRAYS) root.style.removeProperty(`--gray-${step}`)
  if (options === undefined) return
  const { hue, tint, shade = 0 } = options
  const system = getComputedStyle(root)
  const grays = GRAYS.map((step) => system.getPropertyValue(`--gray-${step}`).trim())
  // Most in the middle: the lightest stay light, and the darkest dark.
  const middle = '(l * (1 - l))'
  const color = `calc(l - ${shade * 0.06} * ${middle}) calc(${tint * 0.004} * (0.2 + 3.2 * ${middle})) ${hue}`
  GRAYS.forEach((step, index) => {
    root.style.setProperty(`--gray-${step}`, `oklch(from ${grays[index]} ${color})`)
  })
}

/** Set an app's own variables last, so that they come before what follows from its theme. */
function setVariables(variables: Record<string, string>, root: HTMLElement): void {
  ownVariables = Object.keys(variables).filter((name) => name.startsWith('--'))
  for (const name of ownVariables) root.style.setProperty(name, variables[name] ?? '')
}

function linkStyle(css: string | undefined): void {
  const href = css === undefined ? null : new URL(css, parent.document.baseURI).href
  const known = document.querySelector<HTMLLinkElement>('link[data-own-style]')
  if (known?.href === href) return
  known?.remove()
  if (href === null) return
  const link = document.createElement('link')
  link.rel = 'stylesheet'
  link.dataset['ownStyle'] = ''
  link.href = href
  document.head.append(link)
}

const loaded = new Set<string>()

function loadFonts(sources: readonly FontObject[]): void {
  for (const { family, src, ...descriptors } of sources) {
    if (loaded.has(src)) continue
    loaded.add(src)
    const { weight, style, display, unicodeRange } = descriptors
    const url = new URL(src, parent.document.baseURI).href
    const face = new FontFace(family, `url(${JSON.stringify(url)})`, {
      ...(weight !== undefined && { weight: String(weight) }),
      ...(style && { style }),
      ...(display && { display }),
      ...(unicodeRange && { unicodeRange }),
    })
    document.fonts.add(face)
    face.load().catch(() => {
      console.warn(`The font ${family} could not be loaded from ${url}.`)
    })
  }
}

/** Return whether black is easier to read on a color than white. */
function isLight(color: string): boolean {
  const context = document.createElement('canvas').getContext('2d')
  if (context === null) return false
  context.fillStyle = color
  context.fillRect(0, 0, 1, 1)
  const [red = 0, green = 0, blue = 0] = context.getImageData(0, 0, 1, 1).data
  return red * 0.299 + green * 0.587 + blue * 0.114 > 150
}
