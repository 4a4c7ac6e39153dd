/**
 * How the console is built: hashed files in `dist/console`, which the gateway serves.
 *
 * @module
 */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Of a platform that runs, for `npx vite clients/console`: pages from source, answers from there. */
const gateway = process.env['LONGHAUL_GATEWAY'] ?? 'http://127.0.0.1:8780';

export default defineConfig({
  root: at('.'),
  logLevel: 'warn',
  build: {
    outDir: at('../../dist/console'),
    emptyOutDir: true,
    target: 'es2022',
    // Under a policy that allows no data: addresses nothing may be put inside.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': { target: gateway, ws: true, changeOrigin: true } } },
});
