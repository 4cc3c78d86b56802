/** An app's theme as the variables that the style sheet reads. */

import type { AccentColor, FontObject, GrayscaleOptions, SurfaceColors } from '@openai/chatkit'

import type { Options, Theme } from '../element/options'
import { contrast, css, lightnessOf, mix, parseColor, readableOn, textOn, type Rgb } from './colors'

const RADII = { pill: [24, 12], round: [16, 10], soft: [10, 8], sharp: [2, 2] } as const
const GAPS = { compact: 16, normal: 24, spacious: 32 } as const

type Variables = Record<string, string>

/** The names of the variables that were set last. */
const names: string[] = []

/** Apply a theme to the document of the chat. */
export function applyTheme(theme: Options['theme'], root: HTMLElement): void {
  const options: Theme = typeof theme === 'string' ? { colorScheme: theme } : (theme ?? {})
  for (const name of names.splice(0)) root.style.removeProperty(name)
  const set = (variables: Variables): void => {
    for (const [name, value] of Object.entries(variables)) {
      root.style.setProperty(name, value)
      names.push(name)
    }
  }
  const scheme = options.colorScheme ?? 'light'
  root.dataset.theme = scheme
  root.style.colorScheme = scheme
  const { accent, surface, grayscale } = options.color ?? {}
  const { baseSize, fontFamily, fontFamilyMono, fontSources } = options.typography ?? {}
  const [radius, small] = RADII[options.radius ?? 'pill']
  set({
    '--chat-radius': `${radius}px`,
    '--chat-radius-small': `${small}px`,
    '--chat-gap': `${GAPS[options.density ?? 'normal']}px`,
    ...(baseSize && { '--chat-size': `${baseSize}px` }),
    ...(fontFamily && { '--chat-font': fontFamily }),
    ...(fontFamilyMono && { '--chat-mono': fontFamilyMono }),
  })
  // The order matters: each adjusts to the colors set before it.
  if (grayscale) set(grays(grayscale, root))
  if (surface) set(surfaces(surface))
  if (accent) set(accents(accent, parseColor(getComputedStyle(document.body).backgroundColor)))
  loadFonts(fontSources ?? [])
  // Last, so that an app's own variables override those that follow from its theme.
  set(
    Object.fromEntries(
      Object.entries(options.variables ?? {}).filter(([name]) => name.startsWith('--')),
    ),
  )
  linkStyle(options.css)
}

const GRAYS = [
  0, 25, 50, 75, 100, 150, 200, 250, 300, 350, 400, 450, 500, 550, 600, 650, 700, 750, 800, 850,
  900, 925, 950, 975, 1000,
]

/** Return the color scheme's grays with a hue; shades are darker above zero and lighter below. */
function grays({ hue, tint, shade = 0 }: GrayscaleOptions, root: HTMLElement): Variables {
  const style = getComputedStyle(root)
  const tinted = GRAYS.map((step) => {
    const name = `--gray-${step}`
    const lightness = lightnessOf(parseColor(style.getPropertyValue(name)))
    // White and black stay white and black.
    const middle = Math.sin(Math.PI * lightness)
    const chroma = tint * (0.002 + 0.003 * middle)
    const shaded = lightness - shade * 0.012 * middle
    return [name, `oklch(from hsl(${hue} 60% 50%) ${shaded.toFixed(4)} ${chroma.toFixed(4)} h)`]
  })
  return Object.fromEntries(tinted) as Variables
}

function surfaces({ background, foreground }: Partial<SurfaceColors>): Variables {
  const variables: Variables = background ? { '--chat-surface': background } : {}
  if (!foreground) return variables
  // ChatKit describes it as the text color, but many themes use it for raised surfaces.
  const isText = background && contrast(parseColor(foreground), parseColor(background)) >= 3
  return { ...variables, [isText ? '--color-text' : '--color-surface-elevated']: foreground }
}

/** Apply the accent as far as its level says: to buttons, then links, then sent messages. */
function accents({ primary, level = 1 }: AccentColor, surface: Rgb): Variables {
  const accent = parseColor(primary)
  const onAccent = textOn(accent)
  const variables: Variables = {
    '--chat-accent': primary,
    '--chat-on-accent': css(onAccent),
    '--color-background-primary-solid': primary,
    '--color-background-primary-solid-hover': css(mix(accent, onAccent, 0.12)),
    '--color-background-primary-solid-active': css(mix(accent, onAccent, 0.2)),
    '--color-text-primary-solid': css(onAccent),
  }
  if (level >= 1) {
    const link = css(readableOn(surface, accent))
    variables['--chat-link'] = link
    variables['--color-ring'] = css(readableOn(surface, accent, 3))
  }
  const bubble = level >= 3 ? accent : mix(surface, accent, 0.16)
  if (level >= 2) {
    variables['--chat-bubble'] = css(bubble)
    variables['--chat-on-bubble'] = css(textOn(bubble))
  }
  return variables
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
