/** Finds the address of the element's script, next to which its files are. */

/** Return the address of the script that is running. */
export function addressOfScript(): string {
  const script = document.currentScript
  if (script instanceof HTMLScriptElement && script.src !== '') return script.src
  // Modules have no current script, and files that may run as classic scripts no `import.meta`.
  return addressIn(new Error().stack ?? '') ?? document.baseURI
}

/** Return the first script address in a stack trace, in any browser's format. */
export function addressIn(stack: string): string | null {
  return /((?:https?|file|blob):[^\s()]+?):\d+(?::\d+)?\)?$/m.exec(stack)?.[1] ?? null
}
