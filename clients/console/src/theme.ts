/**
 * Light or dark: the system's, until the user says otherwise.
 *
 * @module
 */
import { signal } from '@preact/signals';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEPT = 'longhaul.theme';

const kept = (): Theme => {
  try {
    return THEMES.find((known) => known === localStorage.getItem(KEPT)) ?? 'system';
  } catch {
    return 'system';
  }
};

export const theme = signal<Theme>(kept());

export function setTheme(wanted: Theme): void {
  theme.value = wanted;
  try {
    if (wanted === 'system') localStorage.removeItem(KEPT);
    else localStorage.setItem(KEPT, wanted);
  } catch {
    // Storage that is switched off: then it is of this page only.
  }
  applyTheme();
}

export function applyTheme(): void {
  if (theme.value === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme.value;
}

export const nextTheme = (): Theme => THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? 'system';
