/** Cuts a long text of Markdown where it may be drawn in pieces, each of them once. */

const CHUNK = 4_000

/** What may go on with the block before it: indented lines, lists, quotes, tables, HTML. */
const CONTINUES = /^(\s|[-*+>|<#:[]|\d+[.)])/
const FENCE = /^ {0,3}(`{3,}|~{3,})/

/**
 * Returns the pieces of a text that grows.
 *
 * Where a text is cut depends on nothing after the cut, so pieces that are finished stay as they
 * are; and only what is new is read.
 */
export class MarkdownChunks {
  #text = ''
  #starts: number[] = [0]
  /** How far the text has been read: the beginning of a line. */
  #read = 0
  #fence: string | null = null
  #isAfterBlank = false

  of(text: string): string[] {
    if (!text.startsWith(this.#text)) {
      this.#starts = [0]
      this.#read = 0
      this.#fence = null
      this.#isAfterBlank = false
    }
    this.#text = text
    for (let end = text.indexOf('\n', this.#read); end >= 0; end = text.indexOf('\n', this.#read)) {
      this.#takeLine(text.slice(this.#read, end))
      this.#read = end + 1
    }
    return this.#starts.map((start, index) => text.slice(start, this.#starts[index + 1]))
  }

  #takeLine(line: string): void {
    const last = this.#starts.at(-1) ?? 0
    const isOpen = this.#fence !== null
    if (!isOpen && this.#isAfterBlank && this.#read - last >= CHUNK && line.trim() !== '') {
      if (!CONTINUES.test(line)) this.#starts.push(this.#read)
    }
    const fence = FENCE.exec(line)?.[1]
    if (fence !== undefined) {
      if (this.#fence === null) this.#fence = fence
      else if (fence.startsWith(this.#fence)) this.#fence = null
    }
    this.#isAfterBlank = line.trim() === ''
  }
}
