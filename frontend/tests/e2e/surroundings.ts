/** Screen settings of users, in each of which pages are tested. */

const wide = { width: 1200, height: 800 }

export const surroundings = {
  'light, wide': { colorScheme: 'light', viewport: wide },
  'dark, narrow': { colorScheme: 'dark', viewport: { width: 320, height: 568 } },
  // A zoomed page has fewer but larger CSS pixels.
  '200 % zoom, narrow': {
    colorScheme: 'light',
    viewport: { width: 320, height: 284 },
    deviceScaleFactor: 2,
  },
  'forced colors': { colorScheme: 'light', viewport: wide, forcedColors: 'active' },
} as const
