/** Parse a time that a server sent; without a time zone, it is in UTC. */
export function timeFrom(sent: string): Date {
  return new Date(/(?:Z|[+-]\d\d:?\d\d)$/i.test(sent) ? sent : `${sent}Z`)
}
