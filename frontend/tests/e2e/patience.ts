/** How long browsers wait for what a test expects, in milliseconds. Only broken code takes so long. */
export const PATIENCE = 60_000
