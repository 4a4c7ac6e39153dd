/**
 * The console begins here.
 *
 * @module
 */
import '../style/index.css';
import { render } from 'preact';
import { App } from './app.tsx';
import { token } from './http.ts';
import { followLinks, route } from './location.ts';
import { openSession } from './session.ts';
import { reportErrors, reportOnLeaving } from './telemetry.ts';
import { applyTheme } from './theme.ts';

applyTheme();
reportOnLeaving(() => token.value);
reportErrors(
  () => route.value.page,
  () => token.value,
);
followLinks();
void openSession();

const start = (): void => {
  const root = document.getElementById('app');
  if (root) render(<App />, root);
};
// The script holds back the first picture, so that it has the right colours, and may come before the page is read.
if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start);
else start();
