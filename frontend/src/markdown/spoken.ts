/** Return Markdown as it is read aloud: its words, without its signs. */
export function spoken(markdown: string): string {
  return markdown
    .replaceAll(/^[ \t]*(`{3,}|~{3,}).*$/gm, '')
    .replaceAll(/!?\[([^\]\n]*)\]\([^)\n]*\)/g, '$1')
    .replaceAll(/<\/?[a-z][^<>\n]*>/gi, '')
    .replaceAll(/^[ \t]*(?:#{1,6}|>|[-*+]|\|?(?:[ \t]*:?-{3,}:?[ \t]*\|?)+$)[ \t]*/gm, '')
    .replaceAll(/(\*\*|__|~~|`)/g, '')
    .replaceAll(/(?<![\w*])\*(?=\S)|(?<=\S)\*(?![\w*])/g, '')
    .replaceAll(/\n{2,}/g, '\n')
    .trim()
}
