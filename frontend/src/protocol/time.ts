/** Return the time that a server has sent; one without a zone is UTC. */
export function timeFrom(sent: string): Date {
  return new Date(/(?:Z|[+-]\d\d:?\d\d)$/i.test(sent) ? sent : `${sent}Z`)
}
