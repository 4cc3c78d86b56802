/** Reads dropped files, including those in folders. */

/** The most files to read from folders; no message has more. */
const MOST = 200

/** Return the dropped files, including those in folders. */
export async function filesOf({ items, files }: DataTransfer): Promise<File[]> {
  // Dropped items are available only during the event, but their entries stay valid.
  const entries = [...items].map((item) => item.webkitGetAsEntry?.() ?? null)
  if (!entries.some((entry) => entry?.isDirectory)) return [...files]
  const found: File[] = []
  for (const entry of entries) if (entry !== null) await collect(entry, found)
  return found
}

async function collect(entry: FileSystemEntry, found: File[]): Promise<void> {
  if (found.length >= MOST) return
  if (entry.isFile) {
    const file = await new Promise<File | null>((resolve) =>
      (entry as FileSystemFileEntry).file(resolve, () => resolve(null)),
    )
    if (file !== null) found.push(file)
    return
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  for (;;) {
    // Browsers return the entries of a folder in batches.
    const part = await new Promise<FileSystemEntry[]>((resolve) =>
      reader.readEntries(resolve, () => resolve([])),
    )
    if (part.length === 0) return
    for (const each of part) await collect(each, found)
  }
}
