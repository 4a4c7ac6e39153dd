/**
 * Small pictures, drawn here: no font, no request. They say nothing that text beside them does not.
 *
 * @module
 */
const PATHS = {
  good: 'M3.5 8.5l3 3 6-7',
  bad: 'M4 4l8 8M12 4l-8 8',
  off: 'M3.8 12.2l8.4-8.4M8 2.2a5.8 5.8 0 1 1 0 11.6A5.8 5.8 0 0 1 8 2.2z',
  wait: 'M6 4v8M10 4v8',
  busy: 'M8 2.5a5.5 5.5 0 1 1-5.5 5.5',
  past: 'M8 6.2a1.8 1.8 0 1 1 0 3.6a1.8 1.8 0 0 1 0-3.6z',
  search: 'M7 2.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 0 1 0-9zM10.4 10.4L14 14',
  sun: 'M8 5a3 3 0 1 1 0 6a3 3 0 0 1 0-6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1.1 1.1M11.9 11.9L13 13M3 13l1.1-1.1M11.9 4.1L13 3',
  moon: 'M13.2 9.8A5.8 5.8 0 0 1 6.2 2.8A5.8 5.8 0 1 0 13.2 9.8z',
  system: 'M2 3.5h12v8H2zM5.5 14h5',
  outside: 'M6 3H3v10h10v-3M9 3h4v4M13 3L7.5 8.5',
  warning: 'M8 2.2L14.5 13.5h-13zM8 6.5v3.2M8 11.6v.2',
  download: 'M8 2.5v7.5M4.8 7L8 10.2L11.2 7M3 13.5h10',
  back: 'M9.5 3.5L5 8l4.5 4.5',
} as const;

export type IconName = keyof typeof PATHS;

export const Icon = ({ name, className = '' }: { name: IconName; className?: string }) => (
  <svg class={`icon ${className}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
    <path d={PATHS[name]} />
  </svg>
);
