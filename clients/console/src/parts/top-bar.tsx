/**
 * The bar on top: where to go, whether it is live, light or dark.
 *
 * @module
 */
import { connection } from '../live.ts';
import { route } from '../location.ts';
import { type Page } from '../routes.ts';
import { nextTheme, setTheme, theme } from '../theme.ts';
import { Icon } from './icon.tsx';

const PAGES: readonly { page: Page; href: string; label: string }[] = [
  { page: 'runs', href: '/', label: 'Runs' },
  { page: 'new', href: '/new', label: 'New launch' },
  { page: 'costs', href: '/costs', label: 'Costs' },
  { page: 'stories', href: '/stories', label: 'Stories' },
  { page: 'help', href: '/help', label: 'Help' },
];

const THEME_ICONS = { system: 'system', light: 'sun', dark: 'moon' } as const;

export const TopBar = () => (
  <header class="top">
    <a class="brand" href="/">
      <img src="/icon.svg" alt="" width="22" height="22" />
      <span>Longhaul</span>
    </a>
    <nav aria-label="Pages">
      {PAGES.map(({ page, href, label }) => (
        <a key={page} href={href} aria-current={route.value.page === page ? 'page' : undefined}>
          {label}
        </a>
      ))}
    </nav>
    <Live />
    <button
      type="button"
      class="quiet icon-button"
      onClick={() => setTheme(nextTheme())}
      title={`Colours: ${theme.value}. Click for ${nextTheme()}.`}
    >
      <Icon name={THEME_ICONS[theme.value]} />
      <span class="hidden">
        Colours: {theme.value}. Change to {nextTheme()}
      </span>
    </button>
  </header>
);

const TEXTS = { connecting: 'Connecting', open: 'Live', lost: 'Offline' } as const;

const Live = () => (
  <span class={`live live-${connection.value}`} role="status">
    <span class="live-dot" aria-hidden="true" />
    {TEXTS[connection.value]}
  </span>
);
