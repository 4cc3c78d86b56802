/** HTML of the chat's own, for pages that demand Trusted Types. */

interface Policy {
  createHTML: (html: string) => unknown
}

interface Factory {
  createPolicy: (name: string, rules: { createHTML: (html: string) => string }) => Policy
}

let policy: Policy | null = null

/**
 * Return HTML that may be assigned where a page has `require-trusted-types-for 'script'`.
 *
 * Such a page allows the policy by its name, and that of the editor: `trusted-types chatkit ProseMirrorClipboard`.
 */
export function trusted(html: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: Factory }
  if (trustedTypes === undefined) return html
  policy ??= trustedTypes.createPolicy('chatkit', { createHTML: (given) => given })
  return policy.createHTML(html) as string
}
