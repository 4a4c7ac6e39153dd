/**
 * What is around every page, and which page it is.
 *
 * @module
 */
import { useEffect, useErrorBoundary, useRef } from 'preact/hooks';
import { useKeys } from './hooks.ts';
import { asFailure, token } from './http.ts';
import { navigate, route } from './location.ts';
import { Help } from './pages/help.tsx';
import { Runs } from './pages/runs.tsx';
import { SignIn } from './pages/sign-in.tsx';
import { Announcer } from './parts/announce.tsx';
import { Banners } from './parts/banners.tsx';
import { lazy } from './parts/lazy.tsx';
import { Empty, Problem, Skeleton } from './parts/notes.tsx';
import { TopBar } from './parts/top-bar.tsx';
import { PATTERNS, type Page, type Route } from './routes.ts';
import { Run } from './run/run-page.tsx';
import { openSession, session } from './session.ts';
import { report, withoutNames } from './telemetry.ts';

const Costs = lazy(() => import('./pages/costs.tsx').then((module) => module.Costs));
const Stories = lazy(() => import('./pages/stories.tsx').then((module) => module.Stories));
const NewLaunch = lazy(() => import('./pages/new-launch.tsx').then((module) => module.NewLaunch));

const TITLES: Readonly<Record<Page, string>> = {
  runs: 'Runs',
  run: 'Run',
  costs: 'Costs',
  new: 'New launch',
  stories: 'Stories',
  help: 'Help',
  unknown: 'Not found',
};

export function App() {
  useKeys({
    '?': () => navigate('/help'),
    n: () => navigate('/new'),
    g: () => navigate('/'),
    c: () => navigate('/costs'),
    s: () => navigate('/stories'),
  });
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <TopBar />
      <Banners />
      <main id="main" tabIndex={-1}>
        <Content />
      </main>
      <Announcer />
    </>
  );
}

function Content() {
  const known = session.value;
  const place = route.value;
  const { page } = place;
  const moved = useRef(false);
  const key = place.page === 'run' ? `run ${place.workflowId}` : page;
  useEffect(() => {
    if (known.state !== 'known') return;
    if (page !== 'run') document.title = `${TITLES[page]} · Longhaul`;
    // Who reads the page by ear begins at its heading, but for the first page, which they begin at the top of.
    // Where it has none yet, at the page: the focus is never lost.
    const begin = document.querySelector<HTMLElement>('main h1') ?? document.getElementById('main');
    if (moved.current) begin?.focus({ preventScroll: true });
    if (moved.current) scrollTo(0, 0);
    moved.current = true;
    const begun = performance.now();
    const first = performance.getEntriesByType('navigation').length > 0 && begun < 60_000 && !loaded;
    loaded = true;
    requestAnimationFrame(() =>
      report(
        { kind: 'page', route: PATTERNS[page], ms: Math.round(first ? performance.now() : performance.now() - begun) },
        token.value,
      ),
    );
  }, [key, known.state]);
  switch (known.state) {
    case 'asking':
      return <Skeleton rows={6} label="Loading" />;
    case 'failed':
      return <Problem failure={known.failure} retry={() => void openSession()} />;
    case 'signedOut':
      return <SignIn refused={known.refused} />;
    case 'known':
      return <Guarded key={key} route={place} />;
  }
}

/** A page that fails leaves the way to the others. */
function Guarded({ route }: { route: Route }) {
  const [error, reset] = useErrorBoundary((caught: unknown) =>
    report(
      { kind: 'error', route: PATTERNS[route.page], message: withoutNames(asFailure(caught).message) },
      token.value,
    ),
  );
  return error === undefined ? <PageOf route={route} /> : <Problem failure={asFailure(error)} retry={reset} />;
}

let loaded = false;

function PageOf({ route }: { route: Route }) {
  switch (route.page) {
    case 'runs':
      return <Runs />;
    case 'run':
      return <Run workflowId={route.workflowId} />;
    case 'costs':
      return <Costs />;
    case 'new':
      return <NewLaunch />;
    case 'stories':
      return <Stories />;
    case 'help':
      return <Help />;
    case 'unknown':
      return (
        <Empty title="There is no such page">
          <p>
            <a href="/">All runs</a>
          </p>
        </Empty>
      );
  }
}
