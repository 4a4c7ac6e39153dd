/**
 * Builds dist/: the programs (dependencies stay outside, but for the AWS SDK), the job program (everything inside), the
 * workflow bundles and the web console. Bundles and console are rebuilt only when a source of theirs has changed.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
process.chdir(root);
mkdirSync(dist, { recursive: true });

const common = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
  // The SDK's notice about Node versions of next year, in the log of every process and job, helps nobody.
  banner: { js: "process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';" },
};
const programs = {
  cli: 'clients/cli/main.ts',
  events: 'clients/events/main.ts',
  gateway: 'clients/gateway/main.ts',
  worker: 'workers/local.ts',
  aws: 'infra/local/aws/main.ts',
  openai: 'infra/local/openai/main.ts',
  tools: 'infra/local/tools/main.ts',
  demo: 'examples/lambda/demo.ts',
  'order-demo': 'examples/order/demo.ts',
  'failure-converter': 'lib/temporal/failure-converter.ts',
};
/** Maps to the first line: what is not ours needs no more, and every start would read it. */
const NO_MAP = `\n//# sourceMappingURL=data:application/json;base64,${btoa('{"version":3,"sources":[""],"mappings":"AAAA"}')}`;
/**
 * Dependencies stay outside, but for the AWS SDK: a program uses a fraction of its clients, and reading them whole is most of
 * the time that a command takes to begin. What is imported at its first use stays outside as well.
 */
const onlyAwsInside = {
  name: 'only-aws-inside',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path, importer, kind }) => {
      const inside = /^@(aws-sdk|smithy)\//.test(path) && kind !== 'dynamic-import';
      return inside || importer.includes('node_modules') ? undefined : { path, external: true };
    });
    onLoad({ filter: /node_modules.*\.m?js$/ }, ({ path }) => ({ contents: readFileSync(path, 'utf8') + NO_MAP }));
  },
};
/** Scripts of pages. */
const forBrowsers = { bundle: true, minify: true, format: 'esm', target: 'es2022', logLevel: 'warning' };
await Promise.all([
  build({
    ...common,
    entryPoints: programs,
    outdir: dist,
    define: { LONGHAUL_BUILT: 'true' },
    plugins: [onlyAwsInside],
    // Its CommonJS form could not be trimmed to what is used.
    mainFields: ['module', 'main'],
  }),
  build({
    ...common,
    entryPoints: { jobs: 'jobs/main.ts' },
    outdir: dist,
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    minify: true,
    sourcemap: false,
  }),
  buildWorkflows(),
  buildConsole(),
  buildSamples(),
  buildStories(),
]);

/** What the page of a story loads: script, style sheet and icon, named by what is in them; `manifest.json` names them. */
async function buildStories() {
  const sources = ['scripts', 'clients/story-page', 'lib/story', 'workflows/story'];
  const { fresh, keep } = stampOf('stories', sources, /./);
  if (fresh) return;
  const outdir = join(dist, 'stories');
  rmSync(outdir, { recursive: true, force: true });
  const { metafile } = await build({
    ...forBrowsers,
    outdir,
    metafile: true,
    entryNames: '[name]-[hash]',
    loader: { '.svg': 'copy' },
    entryPoints: ['page/main.tsx', 'style.css', 'icon.svg'].map((file) => `clients/story-page/${file}`),
  });
  const built = Object.entries(metafile.outputs).map(([file, { entryPoint }]) => [entryPoint, basename(file)]);
  const named = (end) => built.find(([entry = '', name]) => entry.endsWith(end) || name.endsWith(end))?.[1];
  const manifest = { script: named('main.tsx'), style: named('.css'), icon: named('.svg') };
  writeFileSync(join(outdir, 'manifest.json'), JSON.stringify(manifest));
  for (const file of files(outdir, /\.(js|css|svg)$/)) compress(file);
  keep();
}

/** The pages of the samples: a script, a page, and one style sheet. */
async function buildSamples() {
  const names = ['order', 'teleprinter'];
  const outdir = join(dist, 'samples');
  await build({
    ...forBrowsers,
    outdir,
    entryPoints: Object.fromEntries(names.map((name) => [`${name}/page`, `examples/${name}/page.ts`])),
  });
  for (const name of names) copyFileSync(`examples/${name}/index.html`, join(outdir, name, 'index.html'));
  copyFileSync('examples/samples.css', join(outdir, 'samples.css'));
}

async function buildWorkflows() {
  const { fresh, keep } = stampOf('workflows', ['workflows', 'lib/temporal'], /\.(ts|json)$/);
  if (fresh) return;
  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
  const options = { workflowsPath: join(root, 'workflows/index.ts'), logger: new DefaultLogger('WARN') };
  const plain = await bundleWorkflowCode(options);
  const encrypted = await bundleWorkflowCode({
    ...options,
    failureConverterPath: join(root, 'lib/temporal/failure-converter.ts'),
  });
  writeFileSync(join(dist, 'workflows.js'), plain.code);
  writeFileSync(join(dist, 'workflows-encrypted.js'), encrypted.code);
  keep();
}

async function buildConsole() {
  const { fresh, keep } = stampOf('console', ['scripts', 'clients/console', 'clients/live', 'workflows/progress'], /./);
  if (fresh) return;
  const { build: bundle } = await import('vite');
  await bundle({ configFile: join(root, 'clients/console/vite.config.ts'), logLevel: 'error' });
  for (const file of files('dist/console', /\.(js|css|html|svg)$/)) compress(file);
  keep();
}

/** Served as they are: nothing is compressed while somebody waits. */
function compress(file) {
  const bytes = readFileSync(file);
  writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
  writeFileSync(`${file}.br`, brotliCompressSync(bytes));
}

/** Whether what is in dist/ is of these sources; `keep` says so from now on. */
function stampOf(name, directories, pattern) {
  const hash = createHash('sha256');
  const sources = directories.flatMap((directory) => files(directory, pattern));
  for (const file of [...sources, 'package-lock.json']) hash.update(file).update(readFileSync(file));
  const digest = hash.digest('hex');
  const stamp = join(dist, `${name}.sha256`);
  const fresh = existsSync(stamp) && readFileSync(stamp, 'utf8') === digest;
  return { fresh, keep: () => writeFileSync(stamp, digest) };
}

function files(directory, pattern) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
