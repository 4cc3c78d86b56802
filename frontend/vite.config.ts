import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { build, defineConfig, type Plugin } from 'vite'

const root = fileURLToPath(new URL('.', import.meta.url))
const out = join(root, '../src/agent_framework_chatkit/frontend')

/** Leaves out the older formats of KaTeX's fonts, which no current browser requests. */
function onlyWoff2(): Plugin {
  return {
    name: 'only-woff2',
    enforce: 'pre',
    transform(code, id) {
      if (!/katex.*\.css/.test(id)) return null
      return code.replace(/,url\([^)]+\.(woff|ttf)\) format\("\w+"\)/g, '')
    },
  }
}

/** Replaces Vite's preloading of a part's files, which cannot load a file again. */
function ownPreload(): Plugin {
  const source = JSON.stringify(join(root, 'src/ui/preload.ts'))
  return {
    name: 'own-preload',
    enforce: 'pre',
    apply: 'build',
    load: {
      filter: { id: /\0vite\/preload-helper\.js$/ },
      handler: () => `export { preload as __vitePreload } from ${source}`,
    },
  }
}

/** Return the files that a script of the app imports statically. */
function importsOf(script: string): string[] {
  const code = readFileSync(join(out, 'ui', script), 'utf8')
  return [...code.matchAll(/\bimport\s*(?:\{[^}]*\}\s*from)?\s*"\.\/([^"]+)"/g)].map(
    ([, name]) => name!,
  )
}

/** Builds the element's script once the names of the app's files are known. */
function element(): Plugin {
  return {
    name: 'element',
    apply: 'build',
    async closeBundle() {
      const names = readdirSync(join(out, 'ui'))
      const find = (pattern: RegExp): string => {
        const name = names.find((each) => pattern.test(each))
        if (name === undefined) throw new Error(`The build has no file ${pattern}.`)
        return name
      }
      const script = find(/^app-.*\.js$/)
      const result = await build({
        configFile: false,
        root,
        logLevel: 'warn',
        define: {
          __APP_SCRIPT__: JSON.stringify(script),
          __APP_IMPORTS__: JSON.stringify(importsOf(script)),
          __APP_STYLE__: JSON.stringify(find(/^app-.*\.css$/)),
        },
        build: {
          write: false,
          lib: { entry: join(root, 'src/element/chatkit.ts'), formats: ['iife'], name: 'chatkit' },
        },
      })
      const chunk = (Array.isArray(result) ? result[0] : result) as { output: { code: string }[] }
      const code = chunk.output[0]?.code ?? ''
      const hash = createHash('sha256').update(code).digest('base64url').slice(0, 8)
      const integrity = `sha384-${createHash('sha384').update(code).digest('base64')}`
      mkdirSync(out, { recursive: true })
      writeFileSync(join(out, 'ui', `chatkit-${hash}.js`), code)
      writeFileSync(
        join(out, 'manifest.json'),
        `${JSON.stringify({ script: `ui/chatkit-${hash}.js`, integrity }, null, 2)}\n`,
      )
      const licenses = ['inter', 'jetbrains-mono'].map((name) =>
        readFileSync(join(root, `node_modules/@fontsource-variable/${name}/LICENSE`), 'utf8'),
      )
      writeFileSync(join(out, 'ui', 'fonts.txt'), licenses.join('\n\n'))
      writeFileSync(join(out, 'index.html'), readFileSync(join(root, 'index.html')))
      writeFileSync(join(out, 'page.js'), readFileSync(join(root, 'page.js')))
    },
  }
}

export default defineConfig({
  root,
  base: './',
  publicDir: false,
  plugins: [react(), tailwindcss(), onlyWoff2(), ownPreload(), element()],
  build: {
    outDir: join(out, 'ui'),
    emptyOutDir: true,
    assetsDir: '.',
    chunkSizeWarningLimit: 2000,
    modulePreload: {
      // Vite leaves out the only file of a part.
      resolveDependencies: (file, others) => [...new Set([file, ...others])],
    },
    rollupOptions: {
      // Otherwise the index of all icons ties the chunks together, and the first one has all icons.
      treeshake: {
        moduleSideEffects: [
          { test: /apps-sdk-ui\/dist\/es\/components\/Icon\//, sideEffects: false },
        ],
      },
      input: { app: join(root, 'src/main.tsx') },
      output: {
        // A browser would request any further initial file only after it has loaded the first one.
        codeSplitting: { groups: [{ name: 'app', tags: ['$initial'] }] },
        entryFileNames: '[name]-[hash].js',
        chunkFileNames: '[name]-[hash].js',
        assetFileNames: '[name]-[hash][extname]',
      },
    },
  },
  test: { environment: 'node', testTimeout: 30_000, include: ['tests/**/*.test.{ts,tsx}'] },
} as Parameters<typeof defineConfig>[0])
