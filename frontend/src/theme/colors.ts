/** Readable colors: contrast as WCAG 2 measures it. */

export type Rgb = readonly [red: number, green: number, blue: number]

const BLACK: Rgb = [0, 0, 0]
const WHITE: Rgb = [255, 255, 255]

export function contrast(one: Rgb, other: Rgb): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (lighter + 0.05) / (darker + 0.05)
}

/** Return black or white, whichever is easier to read on a color. */
export function textOn(background: Rgb): Rgb {
  return contrast(BLACK, background) > contrast(WHITE, background) ? BLACK : WHITE
}

/** Return the color closest to the given one that is readable on a background. */
export function readableOn(background: Rgb, color: Rgb, least = 4.5): Rgb {
  const end = textOn(background)
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = mix(color, end, share)
    if (contrast(mixed, background) >= least) return mixed
  }
  return end
}

/** Return a color mixed with a share of another. */
export function mix(color: Rgb, other: Rgb, share: number): Rgb {
  const [red, green, blue] = color.map((each, index) =>
    Math.round(each + ((other[index] ?? 0) - each) * share),
  )
  return [red ?? 0, green ?? 0, blue ?? 0]
}

export function css([red, green, blue]: Rgb): string {
  return `rgb(${red} ${green} ${blue})`
}

/** Return a CSS color as it looks on white. */
export function parseColor(color: string): Rgb {
  const context = document.createElement('canvas').getContext('2d')
  if (context === null) return BLACK
  context.fillStyle = '#fff'
  context.fillRect(0, 0, 1, 1)
  context.fillStyle = color
  context.fillRect(0, 0, 1, 1)
  const [red = 0, green = 0, blue = 0] = context.getImageData(0, 0, 1, 1).data
  return [red, green, blue]
}

/** Return how light a color looks, from 0 to 1: the lightness of Oklab, exact for grays. */
export function lightnessOf(color: Rgb): number {
  return Math.cbrt(luminance(color))
}

function luminance(color: Rgb): number {
  const [red = 0, green = 0, blue = 0] = color.map((each) => {
    const value = each / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
