/**
 * A picture that comes while somebody reads: loaded before it is shown, and shown without moving what is being read.
 *
 * @module
 */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { PageData } from '../view/data.ts';

type Size = PageData['pictureSize'];

/** Loads it. @returns its size, if it has one; undefined also where it cannot be loaded now */
export async function loadPicture(url: string): Promise<Size> {
  const picture = new Image();
  picture.src = url;
  await picture.decode().catch(() => {});
  const { naturalWidth: width, naturalHeight: height } = picture;
  return width > 0 && height > 0 ? { width, height } : undefined;
}

interface Anchor {
  element: Element;
  top: number;
}

/** What is being read: the first paragraph in sight, or the title. */
function anchorInSight(): Anchor | undefined {
  for (const element of document.querySelectorAll('article .text p')) {
    const { top, bottom } = element.getBoundingClientRect();
    if (bottom > 0) return { element, top };
  }
  return undefined;
}

/**
 * @param url of the picture that is shown
 * @returns what to call before another one is, and a note of one that came out of sight
 */
export function usePicture(url: string | undefined): { hold(): void; note: { show(): void } | undefined } {
  const anchor = useRef<Anchor | undefined>(undefined);
  const [out, setOut] = useState(false);
  const figure = () => document.querySelector('figure');

  useLayoutEffect(() => {
    const held = anchor.current;
    anchor.current = undefined;
    if (!held) return;
    scrollBy({ top: held.element.getBoundingClientRect().top - held.top, behavior: 'instant' });
    setOut((figure()?.getBoundingClientRect().bottom ?? 1) < 1);
  }, [url]);

  useEffect(() => {
    if (!out) return undefined;
    const look = () => {
      if ((figure()?.getBoundingClientRect().bottom ?? 0) > 0) setOut(false);
    };
    addEventListener('scroll', look, { passive: true });
    return () => removeEventListener('scroll', look);
  }, [out]);

  return {
    hold() {
      anchor.current = anchorInSight();
    },
    note: out
      ? {
          show() {
            const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
            figure()?.scrollIntoView({ block: 'start', behavior: still ? 'auto' : 'smooth' });
            setOut(false);
          },
        }
      : undefined,
  };
}
