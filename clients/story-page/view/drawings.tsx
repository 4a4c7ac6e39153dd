/**
 * What is drawn on the page: a moon with stars, and the signs on buttons. All of it is decoration.
 *
 * @module
 */
import type { JSX } from 'preact';

export function Moon({ asleep = false }: { asleep?: boolean }): JSX.Element {
  return (
    <svg class="moon" viewBox="0 0 160 80" aria-hidden="true">
      <path class="moon-disc" d="M88 10a30 30 0 1 0 22 50A26 26 0 0 1 88 10z" />
      <path class="star star-1" d="M40 20l2 5 5 2-5 2-2 5-2-5-5-2 5-2z" />
      <path class="star star-2" d="M24 50l1.4 3.6L29 55l-3.6 1.4L24 60l-1.4-3.6L19 55l3.6-1.4z" />
      <path class="star star-3" d="M126 18l1.4 3.6L131 23l-3.6 1.4L126 28l-1.4-3.6L121 23l3.6-1.4z" />
      <path class="star star-1" d="M142 46l1.2 3 3 1.2-3 1.2-1.2 3-1.2-3-3-1.2 3-1.2z" />
      {asleep && (
        <>
          <path class="moon-face" d="M61 35q4 4.5 8.5 1.5M66 50q4.5 3 8 0" />
          <text x="94" y="42">
            z
          </text>
          <text x="102" y="32">
            z
          </text>
        </>
      )}
    </svg>
  );
}

const PATHS = {
  play: 'M8 5.5v13l11-6.5z',
  pause: 'M7 5h3.6v14H7zM13.4 5H17v14h-3.6z',
  back: 'M12 5V1.8L6.8 6 12 10.2V7a5.6 5.6 0 1 1-5.6 5.6h-2A7.6 7.6 0 1 0 12 5z',
  forward: 'M12 5V1.8L17.2 6 12 10.2V7a5.6 5.6 0 1 0 5.6 5.6h2A7.6 7.6 0 1 1 12 5z',
} as const;

export function Sign({ of, label }: { of: keyof typeof PATHS; label?: string }): JSX.Element {
  return (
    <svg class="sign" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[of]} />
      {label !== undefined && (
        <text x="12" y="15" text-anchor="middle">
          {label}
        </text>
      )}
    </svg>
  );
}
