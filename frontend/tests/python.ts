/** Runs programs with the project's Python. */

import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '../..')

export const interpreter = process.env['PYTHON'] ?? `${root}/.venv/bin/python`

export function python(args: string[], env: Record<string, string> = {}): ChildProcess {
  const path = { PYTHONPATH: root }
  return spawn(interpreter, args, { cwd: root, env: { ...process.env, ...path, ...env } })
}

/** Return the output of a program. */
export async function output(args: string[]): Promise<string> {
  const child = python(args)
  let printed = ''
  let problems = ''
  child.stdout?.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (problems += chunk.toString()))
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error(problems)
  return printed
}
