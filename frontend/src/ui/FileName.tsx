/** The number of letters at the end of a name that are always shown. */
const END = 12

/** A file's name. Without room for all of it, the middle is left out: ends tell files apart. */
export function FileName({ name }: { name: string }) {
  const letters = [...name]
  return (
    <span className="file-name" dir="auto" title={name}>
      <span>{letters.slice(0, -END).join('')}</span>
      <span>{letters.slice(-END).join('')}</span>
    </span>
  )
}
