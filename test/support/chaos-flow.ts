/**
 * One direction of a connection through the chaos proxy. Bytes keep their order, whatever happens to them.
 *
 * @module
 */
import type { Socket } from 'node:net';

export interface Weather {
  /** Each piece is late by a random time between these, ms. */
  delayMs?: readonly [number, number];
  /** Share of the chunks, 0 to 1, that are cut in two or more at random places, each piece sent by itself. */
  halve?: number;
  /** Bytes a second at most. */
  bytesPerSecond?: number;
}

export interface Flow {
  pause(): void;
  resume(): void;
  /** From now on what comes is accepted and lost, also what was on its way. */
  swallow(): void;
}

export function openFlow(from: Socket, to: Socket, weather: () => Weather, random: () => number): Flow {
  let queued: Promise<void> | undefined;
  let lost = false;
  let asleep = false;
  const read = () => {
    if (!asleep) from.resume();
  };
  const write = async (piece: Buffer) => {
    if (lost || to.destroyed) return;
    // What cannot be written is not read either: back-pressure passes through.
    if (!to.write(piece)) await settled(to);
  };
  const pass = async (chunk: Buffer, { delayMs, bytesPerSecond, halve = 0 }: Weather) => {
    for (const piece of halve > 0 && random() < halve ? inPieces(chunk, random) : [chunk]) {
      if (delayMs) await wait(delayMs[0] + random() * (delayMs[1] - delayMs[0]));
      if (bytesPerSecond) await wait((1000 * piece.length) / bytesPerSecond);
      await write(piece);
    }
  };
  from.on('data', (chunk: Buffer) => {
    if (lost) return;
    const now = weather();
    const calm = !now.delayMs && !now.bytesPerSecond && !now.halve;
    // Without weather nothing is put off: what is measured through the proxy is not to be the proxy.
    if (calm && !queued) {
      if (to.destroyed || to.write(chunk)) return;
      from.pause();
      queued = settled(to);
    } else {
      from.pause();
      queued = (queued ?? Promise.resolve()).then(() => pass(chunk, now));
    }
    const mine = queued;
    mine.then(
      () => {
        if (queued === mine) {
          queued = undefined;
          read();
        }
      },
      () => {},
    );
  });
  from.once('end', () => {
    (queued ?? Promise.resolve()).then(
      () => {
        if (!lost && !to.destroyed) to.end();
      },
      () => {},
    );
  });
  return {
    pause() {
      asleep = true;
      from.pause();
    },
    resume() {
      asleep = false;
      if (!queued) from.resume();
    },
    swallow() {
      lost = true;
      asleep = false;
      from.resume();
    },
  };
}

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const settled = (socket: Socket) =>
  new Promise<void>((resolve) => {
    const done = () => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.once('drain', done);
    socket.once('close', done);
  });

/** Two to five pieces, cut anywhere. */
export function inPieces(chunk: Buffer, random: () => number): Buffer[] {
  const cuts = Array.from({ length: 1 + Math.floor(random() * 4) }, () => Math.floor(random() * (chunk.length + 1)));
  const places = [0, ...cuts.sort((a, b) => a - b), chunk.length];
  return places.slice(1).flatMap((to, nth) => {
    const piece = chunk.subarray(places[nth], to);
    return piece.length > 0 ? [piece] : [];
  });
}
