/** Screen settings of users, in each of which pages are tested. */

const wide = { width: 1200, height: 800 }
const narrow = { width: 320, height: 568 }

export const surroundings = {
  'light, wide': { colorScheme: 'light', viewport: wide },
  'dark, wide': { colorScheme: 'dark', viewport: wide },
  'light, narrow': { colorScheme: 'light', viewport: narrow },
  'dark, narrow': { colorScheme: 'dark', viewport: narrow },
  // A zoomed page has fewer but larger CSS pixels.
  '200 % zoom': {
    colorScheme: 'light',
    viewport: { width: 640, height: 400 },
    deviceScaleFactor: 2,
  },
  '200 % zoom, narrow': {
    colorScheme: 'light',
    viewport: { width: 320, height: 284 },
    deviceScaleFactor: 2,
  },
  'forced colors': { colorScheme: 'light', viewport: wide, forcedColors: 'active' },
  'forced colors, dark, narrow': {
    colorScheme: 'dark',
    viewport: narrow,
    forcedColors: 'active',
  },
} as const
