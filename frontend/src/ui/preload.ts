/** Loads the files of parts of the page. The build calls this in place of Vite's preloading. */

import { parts } from '../chat/patiently'

const loading = new Map<string, Promise<void>>()

/**
 * Import a module once its files have arrived.
 *
 * Browsers remember that an import failed, and never request its files again. So nothing is
 * imported before all of its files are there.
 */
export async function preload<T>(
  load: () => Promise<T>,
  files: readonly string[] = [],
  importer = '',
): Promise<T> {
  try {
    await Promise.all(files.map((file) => arrive(new URL(file, importer).href)))
    return await load()
  } catch (error) {
    parts.set({ isMissing: true })
    throw error
  }
}

/** Request a file, unless the page has it, and wait until it is there. */
async function arrive(url: string): Promise<void> {
  let arriving = loading.get(url)
  if (arriving === undefined) {
    const isInPage = document.querySelector(`link[href="${url}"], script[src="${url}"]`) !== null
    arriving = isInPage ? Promise.resolve() : requested(url)
    loading.set(url, arriving)
  }
  await arriving.catch((error: unknown) => {
    loading.delete(url)
    throw error
  })
}

async function requested(url: string): Promise<void> {
  if (url.endsWith('.css')) return styled(url)
  // The import then takes the file from the browser's cache.
  const response = await fetch(url)
  await response.arrayBuffer()
  if (!response.ok) throw new Error(`${url} cannot be loaded (${response.status}).`)
}

function styled(url: string): Promise<void> {
  const link = document.createElement('link')
  link.rel = 'stylesheet'
  link.crossOrigin = ''
  link.href = url
  return new Promise((resolve, reject) => {
    link.addEventListener('load', () => resolve())
    link.addEventListener('error', () => {
      link.remove()
      reject(new Error(`${url} cannot be loaded.`))
    })
    document.head.append(link)
  })
}
