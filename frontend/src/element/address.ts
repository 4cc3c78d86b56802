/** Where the element's script comes from, and so where its files are. */

/** Return the address of the script that is running. */
export function addressOfScript(): string {
  const script = document.currentScript
  if (script instanceof HTMLScriptElement && script.src !== '') return script.src
  // A module has no current script, and one that is also a plain script no `import.meta`.
  return addressIn(new Error().stack ?? '') ?? document.baseURI
}

/** Return the first address of a script in a stack trace, as each browser writes it. */
export function addressIn(stack: string): string | null {
  return /((?:https?|file|blob):[^\s()]+?):\d+(?::\d+)?\)?$/m.exec(stack)?.[1] ?? null
}
