/** The number of letters at the end of a name that are always shown. */
const END = 12

/** A file's name. Without room for all of it, the middle is left out: ends tell files apart. */
export function FileName({ name }: { name: string }) {
  const letters = [...name]
  const [start, end] = [letters.slice(0, -END).join(''), letters.slice(-END).join('')]
  // Arabic letters keep the forms that they have within a word.
  const joiner =
    /\p{Script=Arabic}$/u.test(start) && /^\p{Script=Arabic}/u.test(end) ? '\u200d' : ''
  return (
    <span className="file-name" dir="auto" title={name}>
      <span>{start + joiner}</span>
      <span>{joiner + end}</span>
    </span>
  )
}
