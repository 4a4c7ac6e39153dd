#!/usr/bin/env node
import { existsSync } from 'node:fs';

if (!existsSync(new URL('../dist/cli.js', import.meta.url))) {
  console.error('longhaul is not built yet: run "npm run build"');
  process.exit(1);
}
await import('../dist/cli.js');
