/** Return whether a key belongs to a composing input method, which handles it. */
export function isOfInputMethod(event: KeyboardEvent): boolean {
  // In Safari, the key that ends a composition comes after it, with this code.
  return event.isComposing || event.keyCode === 229
}
