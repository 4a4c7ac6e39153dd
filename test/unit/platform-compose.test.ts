/**
 * The compose file for a lasting Temporal server: safe defaults and no loose ends.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

interface Service {
  image: string;
  ports?: string[];
  depends_on?: Record<string, { condition: string }>;
  volumes?: string[];
  environment?: Record<string, string>;
  healthcheck?: { test: string[] };
}

const file = fileURLToPath(new URL('../../docker-compose.temporal.yml', import.meta.url));
const text = readFileSync(file, 'utf8');
const compose = parse(text) as { services: Record<string, Service>; volumes: Record<string, unknown> };
const services = Object.entries(compose.services);

/** The compose command of this machine, old or new; undefined when there is none that works. */
const command = [['docker', 'compose'], ['docker-compose']].find(
  ([program = '', ...args]) => spawnSync(program, [...args, 'version'], { timeout: 10_000 }).status === 0,
);

describe('docker-compose.temporal.yml', () => {
  it('has the server, its database and its UI', () => {
    const images = services.map(([, service]) => service.image.split(':')[0]);
    expect(images.sort()).toEqual(['postgres', 'temporalio/auto-setup', 'temporalio/ui']);
  });

  it.each(services)('%s publishes ports on loopback only', (_name, service) => {
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:.+:\d+$/);
  });

  it('publishes the server and the UI', () => {
    expect(services.flatMap(([, service]) => service.ports ?? [])).toHaveLength(2);
  });

  it.each(services)('%s is pinned by a tag', (_name, service) => {
    expect(service.image).toMatch(/^[\w./-]+:v?\d+\.\d+[\w.-]*$/);
  });

  it.each(services)('%s has a health check', (_name, service) => {
    expect(service.healthcheck?.test.length).toBeGreaterThan(1);
  });

  it.each(services)('%s waits for services that exist, until they are healthy', (_name, service) => {
    for (const [target, { condition }] of Object.entries(service.depends_on ?? {})) {
      expect(Object.keys(compose.services)).toContain(target);
      expect(condition).toBe('service_healthy');
    }
  });

  it('declares exactly the volumes it uses', () => {
    const used = services.flatMap(([, service]) => service.volumes ?? []).map((volume) => volume.split(':')[0]);
    expect([...new Set(used)].sort()).toEqual(Object.keys(compose.volumes).sort());
  });

  it('takes passwords from the environment', () => {
    const secrets = services
      .flatMap(([, service]) => Object.entries(service.environment ?? {}))
      .filter(([name]) => /PWD|PASSWORD|SECRET|TOKEN/.test(name));
    expect(secrets.length).toBeGreaterThan(0);
    for (const [, value] of secrets) expect(value).toMatch(/^\$\{[A-Z_]+:-\w+\}$/);
  });

  it('is understood by docker compose', (context) => {
    if (!command) return context.skip('neither `docker compose` nor `docker-compose` works here');
    const [program = '', ...args] = command;
    const result = spawnSync(program, [...args, '-f', file, 'config', '--quiet'], {
      encoding: 'utf8',
      timeout: 15_000,
    });
    expect(result.stderr).toBe('');
    expect(result.status).toBe(0);
  });
});
