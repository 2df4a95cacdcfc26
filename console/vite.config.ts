import { fileURLToPath } from 'node:url';

import VueI18nPlugin from '@intlify/unplugin-vue-i18n/vite';
import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vitest/config';

const source = fileURLToPath(new URL('./src', import.meta.url));

/** Where `npm run dev` finds a running service. */
const service = process.env.ANSHAO_SERVICE ?? 'http://127.0.0.1:8080';

export default defineConfig({
  base: './',
  plugins: [
    vue(),
    // Messages are compiled here, so that the page needs no `eval` under its content security policy.
    VueI18nPlugin({ include: `${source}/i18n/messages/**`, runtimeOnly: true, compositionOnly: true, strictMessage: true }),
  ],
  resolve: { alias: { '@': source } },
  build: {
    outDir: '../service/static',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    // Which page loads what: the size of each is measured and held.
    manifest: 'chunks.json',
  },
  server: { proxy: { '/api': { target: service, ws: true } } },
  test: { include: ['tests/**/*.test.ts'], environment: 'node' },
});
